"""The receipt as a modal: what was considered, what was chosen and why, and what it really took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.costs.calls import Row
from bot.domain import Choice, Option, Pin, Price, Receipt, Usage
from bot.learning.feedback import Given
from bot.selection import figures
from bot.selection.reasons import CONFIGURED, TRIAL
from handlers.blocks import words
from handlers.blocks.answer import sources
from handlers.blocks.parts import context, modal, mrkdwn, section
from handlers.markdown import escape, shorten
from handlers.shapes import JSON

OPTIONS_SHOWN = 8
OBSTACLES_SHOWN = 5
NAMES_SHOWN = 6
CALLS_SHOWN = 10
_DIVIDER: JSON = {"type": "divider"}
_OUTCOMES = {
    "answered": "answered",
    "nothing_found": "nothing was found to answer from",
    "asked_back": "a question was asked back",
    "stopped": "stopped by a person",
}


_FOR = {
    "question": "for this question",
    "thread": "for this thread",
    "person": "for whoever asked",
    "channel": "for this channel",
    "workspace": "for the whole workspace",
    TRIAL: "for a share of this channel's questions, a trial",
    CONFIGURED: "in the configuration",
}


def receipt_modal(
    receipt: Receipt,
    now: datetime,
    *,
    calls: Sequence[Row] = (),
    people: Sequence[tuple[str, str]] = (),
    left_out: int = 0,
    thumbs: Sequence[Given] = (),
    own: Given | None = None,
) -> JSON:
    """The modal behind "Why this answer?".

    `calls`: every model call for the question; `people`: who did what with the answer, as (person, signal);
    `left_out`: how many sources the person who reads this may not read; `thumbs`: what everybody thinks of the answer,
    `own` what they do themselves.
    """
    choice = receipt.choice
    blocks = [*_chosen(choice), _real(receipt), *_kept(people), *_thought(thumbs, own)]
    if receipt.citations:
        blocks += [_DIVIDER, section("*Sources*"), *sources(receipt.citations, now)]
    if left_out:
        few = "One source is" if left_out == 1 else f"{left_out} sources are"
        blocks.append(context(f"{few} not shown: you may not read {'it' if left_out == 1 else 'them'} now."))
    blocks += [*_considered(choice), *_numbers(choice), *_calls(calls)]
    made_with = escape(figures.versions(choice.versions))
    blocks += [_DIVIDER, context("\n".join([*([made_with] if made_with else []), f"Reference {receipt.question_id}"]))]
    return modal("Why this answer", blocks)


def _chosen(choice: Choice) -> list[JSON]:
    taken = f"*{escape(choice.option.model)}* with {words.STRATEGIES[choice.option.strategy]}"
    taken = f"{taken}, chosen {escape(figures.policy(choice))}"
    reasons = "\n".join(f"• {escape(reason)}" for reason in choice.reasons)
    blocks = [section(f"{figures.nobody(choice).capitalize() or taken}\n{reasons}")]
    if choice.pins:
        blocks.append(section("\n".join(f"*Fixed:* {_pin(pin)}" for pin in choice.pins)))
    return blocks


def _real(receipt: Receipt) -> JSON:
    outcome = _OUTCOMES.get(receipt.outcome, f"failed: {receipt.outcome.replace('_', ' ')}")
    fields = {
        "Outcome": escape(outcome),
        "Cost": _cost(receipt.price),
        "Time": words.seconds(receipt.seconds),
        "Tokens": words.tokens(receipt.usage),
    }
    return {"type": "section", "fields": [mrkdwn(f"*{name}*\n{value}", 2000) for name, value in fields.items()]}


def _cost(price: Price) -> str:
    """The sum, and the price list that it was reckoned with where there was something to reckon."""
    by = f" (prices: {escape(price.version)})" if price.amount and price.version else ""
    return f"{words.money(price.amount)}{by}"


def _kept(people: Sequence[tuple[str, str]]) -> list[JSON]:
    """What people said when they had two answers; a thumb stays between the person and the bot."""
    told = []
    for signal, said in (("kept", "Kept, of two answers, by"), ("dropped", "The other answer was kept by")):
        names = [f"<@{escape(person)}>" for person, given in people if given == signal]
        told += [f"{said} {', '.join(names[:NAMES_SHOWN])}{_more(names, NAMES_SHOWN)}"] if names else []
    return [context(*told)] if told else []


def _thought(thumbs: Sequence[Given], own: Given | None) -> list[JSON]:
    """How many thumbs there are and why, without names; and what the reader said, which they alone see."""
    up = sum(one.value > 0 for one in thumbs)
    down = Counter(one.reason.value if one.reason else "no reason given" for one in thumbs if one.value < 0)
    why = f" ({', '.join(f'{number} {reason}' for reason, number in down.most_common())})" if down else ""
    told = [f":thumbsup: {up} · :thumbsdown: {down.total()}{why}"] if thumbs else []
    if own is not None and own.value < 0:
        said = [f"“{escape(shorten(own.comment, 500))}”"] if own.comment else []
        reasons = [own.reason.value] if own.reason else []
        words = ", ".join([*reasons, *said])
        told.append(f"You pressed :thumbsdown:{f': {words}' if words else ''}")
    return [context(*told)] if told else []


def _pin(pin: Pin) -> str:
    strategy = words.STRATEGIES[pin.strategy] if pin.strategy else None
    what = " and ".join(escape(part) for part in (pin.model, strategy) if part)
    by = f" by <@{escape(pin.by)}>" if pin.by else ""
    since = f" on {pin.at:%d %B %Y}" if pin.at is not None else ""
    why = f" (“{escape(pin.why)}”)" if pin.why else ""
    return f"{what} {_FOR[pin.scope]}{by}{since}{why}"


def _considered(choice: Choice) -> list[JSON]:
    possible = sorted((one for one in choice.options if one.available), key=lambda one: -one.utility)
    blocks: list[JSON] = []
    if possible:
        blocks += [_DIVIDER, section("*What was considered*, best value first")]
        blocks += [context(_option(one, one == choice.option)) for one in possible[:OPTIONS_SHOWN]]
        if len(possible) > OPTIONS_SHOWN:
            blocks.append(context(f"and {len(possible) - OPTIONS_SHOWN} more"))
    obstacles = figures.obstacles(choice)
    kept_out = [f"• {escape(guard)}" for guard in figures.guards(choice)]
    kept_out += [f"• {escape(why)} {_names(options)}" for why, options in obstacles[:OBSTACLES_SHOWN]]
    if more := len(obstacles[OBSTACLES_SHOWN:]):
        kept_out.append(f"and {more} more {'reason' if more == 1 else 'reasons'}")
    if kept_out:
        blocks += [section("*What could not be taken*"), context("\n".join(kept_out))]
    return blocks


def _option(option: Option, taken: bool) -> str:
    mark = " · *taken*" if taken else ""
    name = f"*{escape(option.model)}* · {words.STRATEGIES[option.strategy]}{mark}"
    return f"{name}\n{figures.estimates(option)}"


def _names(options: Sequence[Option]) -> str:
    """Each model once with its ways."""
    ways: dict[str, list[str]] = {}
    for option in options:
        ways.setdefault(option.model, []).append(words.STRATEGIES[option.strategy])
    if len({tuple(each) for each in ways.values()}) == 1:
        same = ", ".join(next(iter(ways.values())))
        return f"_{escape(', '.join([*ways][:NAMES_SHOWN]))}{_more([*ways], NAMES_SHOWN)}: {same}_"
    names = [f"{model}: {', '.join(each)}" for model, each in ways.items()]
    return f"_{escape('; '.join(names[:NAMES_SHOWN]))}{_more(names, NAMES_SHOWN)}_"


def _numbers(choice: Choice) -> list[JSON]:
    """The evidence, and what it was weighed with."""
    evidence = [f"{escape(name)} *{value}*" for name, value in figures.evidence(choice.features)]
    weighed = (figures.worth(choice.value, choice.point_worth), figures.chance(choice))
    lines = [" · ".join(evidence), *(escape(line) for line in weighed)]
    told = [line for line in lines if line]
    return [_DIVIDER, section("*How it was weighed*"), context("\n".join(told))] if told else []


def _calls(calls: Sequence[Row]) -> list[JSON]:
    """Every call, where there was more than the one that the sums above tell of."""
    if len(calls) < 2:
        return []
    lines = [" · ".join(_call(row)) for row in calls[:CALLS_SHOWN]]
    lines += [f"and {len(calls) - CALLS_SHOWN} more"] if len(calls) > CALLS_SHOWN else []
    return [_DIVIDER, section("*Model calls*"), context("\n".join(lines))]


def _call(row: Row) -> Iterable[str]:
    yield f"{escape(row.purpose)}: *{escape(row.model)}*"
    yield escape(row.outcome.replace("_", " "))
    if row.prompt_tokens is not None and row.completion_tokens is not None:
        usage = Usage(prompt_tokens=row.prompt_tokens, completion_tokens=row.completion_tokens, estimated=row.estimated)
        yield words.tokens(usage)
    yield words.money(row.cost)
    if row.seconds is not None:
        yield words.seconds(row.seconds)


def _more(names: Sequence[str], shown: int) -> str:
    return f" and {len(names) - shown} more" if len(names) > shown else ""
