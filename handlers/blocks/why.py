"""`/model why`: what decides which model answers, strongest first, with who set it, when and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain import Pin
from bot.selection.allow_lists import AllowList
from bot.selection.data_rules import NOT_LISTED, STAYS
from bot.selection.reasons import CONFIGURED, TRIAL
from bot.selection.switches import Setting, Switched
from handlers.blocks import words
from handlers.blocks.parts import context, fitting, section
from handlers.markdown import escape
from handlers.shapes import JSON

NAMES_SHOWN = 8
_LEVELS = {
    "thread": "this thread",
    "person": "you",
    TRIAL: "a trial",
    "channel": "this channel",
    "workspace": "the workspace",
    CONFIGURED: "the configuration",
}
_TITLES = {
    "thread": "This thread",
    "person": "You",
    TRIAL: "Trial in this channel",
    "channel": "This channel",
    "workspace": "The workspace",
    CONFIGURED: "The configuration",
}
_MARKS = {
    "applies": ":white_check_mark:",
    "share": ":game_die:",
    "overruled": ":heavy_minus_sign:",
    "barred": ":no_entry_sign:",
    "broken": ":warning:",
}
_BECAUSE = {
    "thread": "is fixed in this thread",
    "person": "is what you fixed for yourself",
    TRIAL: "is on trial in this channel",
    "channel": "is fixed for this channel",
    "workspace": "is fixed for the workspace",
    CONFIGURED: "is the configured model (`models.default`)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told: what holds, the allow-lists, which usable models may be asked here, and which are kept out and by
    which rule."""

    switched: Switched
    lists: Sequence[AllowList]
    allowed: Sequence[str]
    barred: Mapping[str, str]
    in_thread: bool
    now: datetime


def because(pin: Pin, person: str) -> str:
    """What fixed a model, by whom and why, as the end of "it …"."""
    by = f" by <@{pin.by}>" if pin.by and pin.by != person else ""
    why = f" (“{escape(pin.why)}”)" if pin.why else ""
    return f"{_BECAUSE[pin.scope]}{by}{why}"


def answer(told: Told, person: str) -> str:
    """Which model answers, in one sentence."""
    switched = told.switched
    if switched.refusal is not None:
        return f"Your questions here cannot be answered now: {escape(str(switched.refusal))}"
    held, trial = switched.holding, switched.trial_share
    if held is not None:
        said = f"*{escape(str(held.pin.model))}* answers you here: it {because(held.pin, person)}."
    else:
        said = f"The cheapest good model answers you here, chosen anew for each question among {_names(told.allowed)}."
    if trial is not None:
        said += f" *{escape(trial.model)}* is on trial and answers {100 * trial.share:g}% of this channel's questions."
    return said


def why_blocks(told: Told, person: str) -> list[JSON]:
    """The whole answer."""
    blocks = [section(answer(told, person)), {"type": "divider"}]
    blocks += [section(_setting(setting, told, person)) for setting in told.switched.settings]
    fixed = {setting.pin.scope for setting in told.switched.settings}
    unset = [name for scope, name in _LEVELS.items() if scope not in fixed and (scope != "thread" or told.in_thread)]
    blocks.append(context(_nothing(unset)))
    blocks += [section(line) for line in _lists(told, person)]
    blocks.append({"type": "divider"})
    blocks.append(context(*_ways_out(told)))
    return fitting(blocks)


def _setting(setting: Setting, told: Told, person: str) -> str:
    pin = setting.pin
    title = f"{_MARKS[setting.state]} *{_TITLES[pin.scope]}* · `{escape(str(pin.model))}`"
    parts = [_state(setting, told)]
    if pin.by and pin.at is not None:
        who = "you" if pin.by == person else f"<@{pin.by}>"
        parts.append(f"by {who}, {words.since(pin.at, told.now)}")
    if pin.why:
        parts.append(f"“{escape(pin.why)}”")
    return f"{title}\n{' · '.join(parts)}"


def _state(setting: Setting, told: Told) -> str:
    match setting.state:
        case "applies":
            return "holds for the rest" if told.switched.trial_share is not None else "holds"
        case "share":
            trial = told.switched.trial
            assert trial is not None
            until = f", ends {words.until(trial.ends_at, told.now)}" if trial.ends_at else ""
            return f"answers {100 * trial.share:g}% of the questions{until}"
        case "overruled":
            held = told.switched.holding
            by = _LEVELS.get(held.pin.scope, "") if held is not None else ""
            return f"overruled by {by}" if by else "not reached"
        case "barred":
            return f"passed over: {escape(_lowered(setting.detail).rstrip('.'))}"
        case "broken":
            return f"cannot be asked: {escape(setting.detail)}"


def _nothing(unset: Sequence[str]) -> str:
    told = "Where nothing is set, the cheapest good model is chosen anew for each question."
    return f"Not set: {', '.join(unset)}. {told}" if unset else told


def _lists(told: Told, person: str) -> list[str]:
    """What may be used here, and by which rule the others are left out."""
    lines = []
    for one in told.lists:
        title = "The workspace" if one.scope == "workspace" else "This channel"
        entries = ", ".join(f"`{escape(entry)}`" for entry in one.entries[:NAMES_SHOWN])
        more = f" and {len(one.entries) - NAMES_SHOWN} more" if len(one.entries) > NAMES_SHOWN else ""
        who = "you" if one.by == person else f"<@{one.by}>"
        parts = [*_left_out(told, NOT_LISTED[one.scope]), f"by {who}, {words.since(one.at, told.now)}"]
        parts += [f"“{escape(one.why)}”"] if one.why else []
        lines.append(f":lock: *{title} allows* {entries}{more}\n{' · '.join(parts)}")
    if kept := _left_out(told, STAYS):
        lines.append(f":lock: *{escape(STAYS.rstrip('.'))}*\n{kept[0]}")
    return lines


def _left_out(told: Told, rule: str) -> list[str]:
    names = [name for name, why in told.barred.items() if why == rule]
    return [f"leaves out {_names(names)}"] if names else []


def _ways_out(told: Told) -> list[str]:
    lines = ["`model:NAME` before a question fixes it for that one · `/model use NAME for me` · `/model auto`"]
    if not told.in_thread:
        lines.append("A thread may have its own: “@Switchboard model why” in it tells.")
    return lines


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"{', '.join(escape(name) for name in names[:NAMES_SHOWN])}{more}"


def _lowered(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}"
