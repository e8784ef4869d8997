"""Model cards: in one line, in full, and as a picker."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.domain import Rates
from bot.models.cards import ModelCard
from handlers.blocks.parts import context, fitting, header, input_block, modal, option, section, select
from handlers.markdown import escape
from handlers.shapes import JSON

PICK = "pick_model"
AUTOMATIC = "auto"
SCOPES = {
    "person": "For me, everywhere",
    "thread": "For this thread",
    "channel": "For everyone in this channel",
    "workspace": "For everyone in the workspace",
}
CARDS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """A card with its prices, and whether it can be called now."""

    card: ModelCard
    rates: Rates | None
    usable: bool


def line(shown: Shown) -> str:
    """One mrkdwn line: name, provider, window, price."""
    card = shown.card
    parts = [f"*{escape(card.name)}*", escape(card.provider), window(card.context_window), price(shown)]
    return " · ".join(parts)


def details(shown: Shown) -> list[JSON]:
    """The whole card."""
    card = shown.card
    facts = [
        ("Provider", card.provider),
        ("Asked for as", card.model_id),
        ("Task", card.task),
        ("Reads", ", ".join(card.modality)),
        ("Architecture", " ".join(part for part in (card.architecture, card.parameters) if part)),
        ("Weights", "open" if card.open_weights else "closed"),
        ("Licence", card.licence),
        ("Context window", window(card.context_window)),
        ("Longest answer", f"{card.max_output:,} tokens"),
        ("Price", price(shown)),
        ("Released", card.released.isoformat() if card.released else ""),
        ("Shut down on", card.shutdown.isoformat() if card.shutdown else ""),
        ("Tuned for", card.fine_tune.kind if card.fine_tune else ""),
        ("Our own scores", ", ".join(f"{name} {score:.2f}" for name, score in card.scores.items())),
    ]
    text = "\n".join(f"*{name}:* {escape(value)}" for name, value in facts if value)
    blocks = [header(card.title or card.name)]
    if card.summary:
        blocks.append(section(escape(card.summary)))
    blocks.append(section(text))
    state = "Ready to use." if shown.usable else "It cannot be called yet: its provider's key is missing."
    link = f" · <{escape(card.url)}|More about it>" if card.url else ""
    blocks.append(context(f"{state} `/model use {escape(card.name)}`{link}"))
    return blocks


def listing(usable: Sequence[Shown], others: Sequence[Shown], pinned: str) -> list[JSON]:
    """All models: those that can be called now, then the others by name."""
    blocks = [header("Models"), context(pinned)]
    lines = [line(shown) for shown in usable]
    blocks += [section("\n".join(lines[start : start + 15])) for start in range(0, min(len(lines), 300), 15)]
    if others:
        names = ", ".join(escape(shown.card.name) for shown in others[:60])
        blocks.append(context(f"With a key for their provider, also: {names}"))
    blocks.append(context("`/model show NAME` · `/model use NAME [for me | here | thread]` · `/model auto`"))
    return fitting(blocks)


def picker(
    usable: Sequence[Shown],
    current: str,
    scopes: Sequence[str],
    metadata: str,
    *,
    now: str = "",
    barred: Collection[str] = (),
) -> JSON:
    """The modal: what answers now, a menu of the models, for whom the choice is and why, and the cards to read.

    `barred`: names of models that may not be asked where it was opened.
    """
    automatic = option("Automatic", AUTOMATIC, "The cheapest good way, chosen anew for each question")
    options = [automatic, *(_entry(shown, shown.card.name in barred) for shown in usable[:99])]
    initial = next((entry for entry in options if entry["value"] == current), automatic)
    choices = [option(SCOPES[scope], scope) for scope in scopes]
    radio = {"type": "radio_buttons", "action_id": "scope", "options": choices, "initial_option": choices[0]}
    reason = {"type": "plain_text_input", "action_id": "reason", "max_length": 300}
    blocks = [
        *([section(now), context("`/model why` tells what else is fixed, by whom and why.")] if now else []),
        input_block("model", "Model", select("model", options, initial=initial)),
        input_block("scope", "Use it", radio),
        input_block("reason", "Why", reason, optional=True, hint="Others see it, for example in /model why."),
        {"type": "divider"},
    ]
    for shown in usable[:CARDS_SHOWN]:
        barred_here = " · _not allowed here_" if shown.card.name in barred else ""
        summary = f"\n{escape(shown.card.summary)}" if shown.card.summary else ""
        blocks.append(section(line(shown) + barred_here + summary))
    return modal("Choose a model", blocks, callback_id=PICK, submit="Use it", metadata=metadata)


def _entry(shown: Shown, is_barred: bool) -> JSON:
    told = "not allowed here · " if is_barred else ""
    return option(shown.card.title or shown.card.name, shown.card.name, f"{told}{price(shown)}")


def window(tokens: int) -> str:
    """A context window in round words."""
    if tokens >= 1_000_000:
        return f"{tokens / 1_000_000:.3g}M tokens"
    return f"{tokens // 1000}k tokens" if tokens >= 1000 else f"{tokens} tokens"


def price(shown: Shown) -> str:
    """What a million tokens cost."""
    if shown.card.free:
        return "free"
    if shown.rates is None:
        return "price unknown"
    return f"${_plain(shown.rates.input)} in, ${_plain(shown.rates.output)} out per 1M tokens"


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
