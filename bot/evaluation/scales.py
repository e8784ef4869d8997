"""Axes: where a value lies in pixels, and which values are written beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor, log10

from bot.costs.money import dollars

_DECADES_APART = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Values from `least` to `most` on pixels from `start` to `end`."""

    least: float
    most: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """The pixel; values beyond the axis lie at its end."""
        value = min(max(value, self.least), self.most)
        low, high, here = (log10(v) if self.log else v for v in (self.least, self.most, value))
        return self.start + (self.end - self.start) * (here - low) / (high - low)


def cost_scale(costs: Sequence[float], start: float, end: float) -> Scale:
    """For US dollars: logarithmic where the known costs above 0 lie a decade or more apart, else from 0."""
    above = [cost for cost in costs if cost > 0]
    if not above:
        return Scale(least=0, most=1, start=start, end=end)
    least, most = min(above), max(above)
    if most / least < _DECADES_APART:
        return Scale(least=0, most=most * 1.15, start=start, end=end)
    return Scale(least=least / 1.6, most=most * 1.6, start=start, end=end, log=True)


def quality_scale(values: Sequence[float], start: float, end: float) -> Scale:
    """For quality: whole tenths around all values, at least three of them, within 0 and 1."""
    least = floor(min(values, default=0.0) * 10 + 1e-9)
    most = ceil(max(values, default=1.0) * 10 - 1e-9)
    while most - least < 3:
        least, most = max(0, least - 1), min(10, most + 1)
    return Scale(least=max(0, least) / 10, most=min(10, most) / 10, start=start, end=end)


def quality_ticks(scale: Scale) -> list[tuple[float, str]]:
    """Tenths, or every second one where there are many."""
    least, most = round(scale.least * 10), round(scale.most * 10)
    step = 1 if most - least <= 6 else 2
    return [(tenth / 10, f"{tenth / 10:.1f}") for tenth in range(least, most + 1, step)]


def cost_ticks(scale: Scale, apart: float) -> list[tuple[float, str]]:
    """Round amounts, at least `apart` pixels from each other."""
    steps = _decades(scale) if scale.log else _even(scale)
    shown: list[tuple[float, str]] = []
    for value in steps:
        if scale.least <= value <= scale.most and (not shown or scale.at(value) - scale.at(shown[-1][0]) >= apart):
            shown.append((value, dollars(Decimal(f"{value:.1e}"))))
    return shown


def _decades(scale: Scale) -> list[float]:
    low, high = floor(log10(scale.least)), ceil(log10(scale.most))
    mantissas = (1, 2, 5) if high - low <= 3 else (1,)
    return [mantissa * 10.0**power for power in range(low, high + 1) for mantissa in mantissas]


def _even(scale: Scale) -> list[float]:
    rough = scale.most / 5
    power = 10.0 ** floor(log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    return [step * number for number in range(int(scale.most / step) + 1)]
