"""The modal behind "Try another way"."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.blocks import words
from handlers.blocks.parts import context, input_block, modal, option, select
from handlers.markdown import escape, shorten
from handlers.shapes import JSON

CALLBACK = "another_way"
AUTOMATIC = "auto"


def another_way_modal(question: str, models: Sequence[str], metadata: str) -> JSON:
    """Which model and which strategy; either may be left to the bot."""
    automatic = option("Choose for me", AUTOMATIC)
    by_model = [automatic, *(option(name, name) for name in models[:99])]
    by_strategy = [
        automatic,
        *(option(title[:1].upper() + title[1:], name) for name, title in words.STRATEGIES.items()),
    ]
    blocks = [
        context(f"“{escape(shorten(question, 300))}”"),
        input_block("model", "Model", select("model", by_model, initial=automatic)),
        input_block("strategy", "How", select("strategy", by_strategy, initial=automatic)),
    ]
    return modal("Try another way", blocks, callback_id=CALLBACK, submit="Ask again", metadata=metadata)


def chosen(payload: JSON) -> tuple[str | None, str | None]:
    """Model and strategy; None where it is left to the bot."""
    values = payload["view"]["state"]["values"]

    def value(name: str) -> str | None:
        picked = (values.get(name, {}).get(name, {}).get("selected_option") or {}).get("value")
        return None if picked in (None, AUTOMATIC) else str(picked)

    return value("model"), value("strategy")
