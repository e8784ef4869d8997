"""How ways, figures and ranges are worded for people."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal

from bot.costs.money import dollars
from bot.evaluation.matrix import Way
from bot.evaluation.statistics import LEVEL, Interval, fewest
from bot.selection.reasons import NAMES

_THREE = Context(prec=3)


def strategy(way: Way) -> str:
    """For example "plain prompting"."""
    return NAMES[way.strategy].removeprefix("the ")


def name(way: Way) -> str:
    """For example "knowledge search (RAG) with small-model"."""
    return f"{strategy(way)} with {way.model}"


def listed(names: Sequence[str], most: int = 4) -> str:
    """For example "a, b and c"; where there are more than `most`, the rest as a number."""
    shown = list(names) if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def count(number: int, noun: str) -> str:
    """For example "1 question", "1,204 questions"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def score(value: float | None) -> str:
    """A quality or a utility with two digits; "unknown" where it is not known."""
    return "unknown" if value is None else signed_zero(f"{value:.2f}")


def gain(value: float, digits: int = 3) -> str:
    """A difference with its sign and three digits: "+0.043", "−0.012", "0.000"."""
    text = f"{abs(value):.{digits}f}"
    return text if float(text) == 0 else f"{'+' if value > 0 else '−'}{text}"


def money(value: float | None) -> str:
    """US dollars with three digits that count; "unknown" where no price is known."""
    return "unknown" if value is None else dollars(_THREE.create_decimal_from_float(max(value, 0.0)))


def seconds(value: float | None) -> str:
    """Seconds with two digits that count: "0.012 s", "1.4 s", "12 s"."""
    if value is None:
        return "unknown"
    return f"{value:.0f} s" if value >= 9.95 else f"{Decimal(f'{value:.2g}'):f} s"


def percent(value: float | None) -> str:
    """A share as a whole percentage, with a tenth below one."""
    if value is None:
        return "unknown"
    text = f"{abs(value):.1%}" if 0 < abs(value) < 0.01 else f"{abs(value):.0%}"
    return f"−{text}" if value < 0 else text


def between(found: Interval) -> str:
    """The range of a score in words, or why there is none."""
    if found.low is None or found.high is None:
        return f"no range from {count(found.units, 'question')}"
    return f"{score(found.low)} to {score(found.high)}"


def too_few(found: Interval) -> str:
    """Why there is no range, as a sentence."""
    needed = fewest(found.level)
    return f"{count(found.units, 'question')} cannot tell: it takes {needed} to tell anything from chance."


def gain_between(found: Interval) -> str:
    """The range of a difference in words."""
    if found.low is None or found.high is None:
        return between(found)
    return f"{LEVEL:.0%} range {gain(found.low)} to {gain(found.high)}"


def capital(text: str) -> str:
    """As the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def signed_zero(text: str) -> str:
    """A true minus, and none before nothing."""
    return (text[1:] if float(text) == 0 else f"−{text[1:]}") if text.startswith("-") else text
