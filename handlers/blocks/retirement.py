"""A model that ends: whom it concerns, what its successor would have made of recent questions, a button to switch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from bot.costs.money import dollars
from bot.domain import Pin
from bot.evaluation.ends import Ending
from bot.evaluation.succession import Succession
from handlers.blocks.parts import button, context, section
from handlers.markdown import escape
from handlers.shapes import JSON

SWITCH = "switch_to_successor"
_SHOWN = 8
_WHERE = {
    "workspace": "the whole workspace",
    "channel": "a channel",
    "person": "one person, everywhere",
    "thread": "a thread",
}


def told(ending: Ending, replay: Succession | None, today: date) -> tuple[str, list[JSON]]:
    """The message for the admins, as text and blocks."""
    text = headline(ending, today)
    blocks = [section(f"*{escape(text)}*"), section("\n".join(_concerned(ending)))]
    successor = ending.successor
    if successor is None:
        blocks.append(section("No other model can be called now: `/model list` shows what a key would add."))
        return text, blocks
    blocks.append(section(_compared(successor.name, replay)))
    if ending.concerned.pins:
        switch = button(f"Switch to {successor.name}", SWITCH, f"{ending.card.name} {successor.name}")
        blocks.append({"type": "actions", "elements": [switch]})
        blocks.append(context("Moves every pin above. The configuration and fine-tunes are yours to change."))
    return text, blocks


def switched(count: int, old: str, new: str, person: str) -> tuple[str, list[JSON]]:
    """What stands there once an admin has switched."""
    pins = "1 pin" if count == 1 else f"{count} pins"
    moved = f"moved {pins} from *{escape(old)}* to *{escape(new)}*. `/model auto` undoes it, place by place."
    return f"{pins} moved from {old} to {new}.", [context(f":white_check_mark: <@{person}> {moved}")]


def headline(ending: Ending, today: date) -> str:
    """For example “gpt-x ends in 30 days, on 14 January 2027 (as its card states).”"""
    day, days = ending.end.day, (ending.end.day - today).days
    date_told = f"{day.day} {day:%B %Y}"
    when = f"ended on {date_told}" if days <= 0 else f"ends in {_counted(days, 'day')}, on {date_told}"
    return f"{ending.card.name} {when} ({ending.end.sentence})."


def _concerned(ending: Ending) -> Iterator[str]:
    found = ending.concerned
    yield from (f"• {_pinned(pin)}" for pin in found.pins[:_SHOWN])
    if len(found.pins) > _SHOWN:
        yield f"• {_counted(len(found.pins) - _SHOWN, 'more pin')}"
    yield from (f"• the trial in <#{channel}>" for channel in found.channels)
    if found.settings:
        yield f"• the configuration: {', '.join(f'`{key}`' for key in found.settings)}"
    if found.fine_tunes:
        yield f"• fine-tuned from it: {', '.join(map(escape, found.fine_tunes))}"
    yield f"• {_counted(found.calls, 'call')} in the last 30 days"


def _pinned(pin: Pin) -> str:
    by = f", set by <@{pin.by}>" if pin.by else ""
    why = f": “{escape(pin.why)}”" if pin.why else ""
    return f"pinned for {_WHERE.get(pin.scope, pin.scope)}{by}{why}"


def _compared(new: str, replay: Succession | None) -> str:
    if replay is None or not replay.pairs:
        why = f" ({escape(replay.stopped)})" if replay is not None and replay.stopped else ""
        return f"*{escape(new)}* could take its place. It was not tried on recent questions{why}."
    lines = [f"*{escape(new)}* could take its place. On {_counted(len(replay.pairs), 'recent question')}:"]
    if cost := replay.cost:
        lines.append(f"• {dollars(cost[1])} an answer instead of {dollars(cost[0])}")
    if seconds := replay.seconds:
        lines.append(f"• {seconds[1]:.1f} s instead of {seconds[0]:.1f} s")
    if quality := replay.quality:
        mean, half, n = quality
        by = "as judged" if replay.measure == "judge" else "by the share of sentences that the documents support"
        lines.append(f"• quality {100 * mean:+.1f} ± {100 * half:.1f} points {by}, on {_counted(n, 'question')}")
    else:
        lines.append("• too few to say anything of quality")
    lines.append(f"Trying it cost {dollars(replay.spent)}{f'; {escape(replay.stopped)}' if replay.stopped else ''}.")
    return "\n".join(lines)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
