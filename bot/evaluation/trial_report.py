"""What is told of a trial: one sentence for a report, and the figures of both sides in words."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from bot.core import Core
from bot.costs.money import dollars
from bot.costs.periods import Span
from bot.costs.report import count
from bot.evaluation.sides import LEAST, Compared, Range, Side
from bot.evaluation.trials import TrialResult, results


async def trials_of(core: Core, week: Span) -> tuple[tuple[str, str], ...]:
    """For every trial that had questions in a week or a month its channel and a sentence."""
    found = await results(core.engine, week.since, week.until)
    return tuple((result.trial.channel, sentence(result)) for result in found)


def sentence(result: TrialResult) -> str:
    """The trial in one sentence, with what can be told and what cannot."""
    trial, tried, rest = result.trial, result.tried, result.rest
    return (
        f"“{trial.model}” on trial for {100 * trial.share:g}%: {count(tried.answers, 'answer')} at {cost(tried)} and "
        f"{seconds(tried)}, the rest {count(rest.answers, 'answer')} at {cost(rest)} and {seconds(rest)}. "
        f"{verdict(result)}"
    )


def verdict(result: Compared) -> str:
    """Whether what was tried is cheaper or liked better, as far as the numbers show it."""
    if result.too_few:
        fewer = min(result.tried.answers, result.rest.answers)
        return f"Too few to tell: each side needs {LEAST} answers, one has {fewer}."
    return f"{_cheaper(result.cheaper)} {_better(result.better)}"


def cost(side: Side) -> str:
    """For example "$0.0021 ($0.0018–$0.0024) each"."""
    if side.per_answer is None:
        return "an unknown price" if side.unpriced else "no price yet"
    told = f"{_dollars(side.per_answer.value)}{_between(side.per_answer, _dollars)} each"
    return f"{told} ({side.unpriced} of unknown price)" if side.unpriced else told


def seconds(side: Side) -> str:
    """For example "1.8 s (1.5–2.2 s)", the median."""
    if side.seconds is None:
        return "no time yet"
    return f"{side.seconds.value:.1f} s{_between(side.seconds, lambda value: f'{value:.1f} s')}"


def thumbs(side: Side) -> str:
    """For example "12 of 13 up (67%–99%)"."""
    if side.liked is None:
        return "none yet"
    return f"{side.up} of {side.up + side.down} up{_between(side.liked, lambda value: f'{value:.0%}')}"


def _cheaper(found: Range | None) -> str:
    if found is None:
        return "What they cost cannot be compared: too many prices are unknown."
    if not found.sign:
        return f"No difference in cost is shown{_between(found, _signed)}."
    word = "dearer" if found.sign > 0 else "cheaper"
    return f"It is {word} by {_dollars(abs(found.value))} an answer{_between(found, _signed)}."


def _better(found: Range | None) -> str:
    if found is None:
        return "Whether it is liked better is unknown: a side has no thumbs."
    if not found.sign:
        return f"No difference in thumbs is shown{_between(found, _points, ' points')}."
    word = "more" if found.sign > 0 else "less"
    return f"It is liked {word}, by {abs(100 * found.value):.0f} points of thumbs up{_between(found, _points)}."


def _between(found: Range, shown: Callable[[float], str], unit: str = "") -> str:
    if found.low is None or found.high is None:
        return ""
    return f" ({shown(found.low)} to {shown(found.high)}{unit})"


def _dollars(value: float) -> str:
    return dollars(_rounded(value))


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{dollars(_rounded(abs(value)))}"


def _points(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{abs(100 * value):.0f}"


def _rounded(value: float) -> Decimal:
    """Three digits are more than such a range is sure of."""
    return Decimal(f"{value:.3g}")
