"""The modal behind "Try another way", and the choice between two answers."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain import Option, Receipt
from bot.selection import figures
from handlers.blocks import words
from handlers.blocks.answer import how
from handlers.blocks.parts import button, context, input_block, modal, option, section, select
from handlers.markdown import escape, shorten
from handlers.shapes import JSON

CALLBACK = "another_way"
WAY = "way"
AUTOMATIC = "auto"
KEEP_THIS, KEEP_FIRST = "keep_this", "keep_first"
WAYS_SHOWN = 3
_OTHER = "other"
_BETWEEN = " "
_NOTHING_ELSE = (
    "I know of no other way that could be taken here and was not tried yet. “Why this answer?” says what could not be "
    "taken, and why; `/model list` shows which models a key would add."
)


def another_way_modal(question: str, ways: Sequence[Option], models: Sequence[str], metadata: str) -> JSON:
    """The next best ways with what is expected of them, the first one marked; below, any other model and strategy.

    `ways`: options that could have been taken instead, best first.
    """
    automatic = option("Choose for me", AUTOMATIC)
    by_model = [automatic, *(option(name, name) for name in models[:99])]
    by_strategy = [
        automatic,
        *(option(title[:1].upper() + title[1:], name) for name, title in words.STRATEGIES.items()),
    ]
    blocks = [context(f"“{escape(shorten(question, 300))}”")]
    next_best = [_offered(way) for way in ways if len(_named(way)) <= 150][:WAYS_SHOWN]
    if next_best:
        radio = {
            "type": "radio_buttons",
            "action_id": WAY,
            "options": [*next_best, option("Another one, chosen below", _OTHER)],
            "initial_option": next_best[0],
        }
        blocks += [input_block(WAY, "Answer with the next best", radio), {"type": "divider"}]
    else:
        blocks.append(context(_NOTHING_ELSE))
    hint = "What you choose here goes before the ways above." if next_best else ""
    blocks += [
        input_block("model", "Model", select("model", by_model, initial=automatic)),
        input_block("strategy", "How", select("strategy", by_strategy, initial=automatic), hint=hint),
    ]
    return modal("Try another way", blocks, callback_id=CALLBACK, submit="Ask again", metadata=metadata)


def chosen(payload: JSON) -> tuple[str | None, str | None]:
    """Model and strategy; None where it is left to the bot."""
    values = payload["view"]["state"]["values"]

    def value(name: str) -> str | None:
        picked = (values.get(name, {}).get(name, {}).get("selected_option") or {}).get("value")
        return None if picked in (None, AUTOMATIC, _OTHER) else str(picked)

    model, strategy, way = value("model"), value("strategy"), value(WAY)
    if way is None or model or strategy:
        return model, strategy
    strategy, _, model = way.partition(_BETWEEN)
    return model or None, strategy


def comparison(question_id: str, first: Receipt | None, second: Receipt) -> tuple[str, list[JSON]]:
    """Asks which of two answers is better, as text and blocks; `question_id` is the second one's.

    Where both came about the same way, there is nothing to learn from one of them, and that is said instead.
    """
    if first is not None and _way(first) == _way(second):
        text = (
            f"The same way answered again ({how(second)}), so there is nothing to compare. “Why this answer?” says "
            "what else could not be taken, and why."
        )
        return text, [context(text)]
    before = f"The first: {how(first)}\n" if first else ""
    text = "Which of the two answers is better?"
    blocks = [
        section(f"*{text}*"),
        context(f"{before}This one: {how(second)}"),
        {
            "type": "actions",
            "elements": [
                button("Keep this one", KEEP_THIS, question_id),
                button("The first was better", KEEP_FIRST, question_id),
            ],
        },
    ]
    return text, blocks


def compared(person: str, receipt: Receipt | None, *, is_second: bool) -> tuple[str, list[JSON]]:
    """What stands there once a person has chosen."""
    which = "this answer" if is_second else "the first answer"
    taken = receipt.choice.option if receipt else None
    by = f" (*{escape(taken.model)}* · {words.STRATEGIES[taken.strategy]})" if taken else ""
    text = f"Kept by <@{person}>: {which}{by}"
    return text, [context(f":white_check_mark: {text}")]


def _way(receipt: Receipt) -> tuple[str, str]:
    return receipt.choice.option.strategy, receipt.choice.option.model


def _offered(way: Option) -> JSON:
    name = words.STRATEGIES[way.strategy]
    title = shorten(f"{name[:1].upper()}{name[1:]} · {way.model}", 75)
    cost = figures.cost(way).partition(" (")[0]
    return option(title, _named(way), f"expected quality {way.quality:.2f} · {cost} · {words.seconds(way.latency)}")


def _named(way: Option) -> str:
    return f"{way.strategy.value}{_BETWEEN}{way.model}"
