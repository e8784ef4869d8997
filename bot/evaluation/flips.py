"""How often the choice flips when the same question is only asked otherwise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from inspect import isawaitable

import numpy as np

from bot.evaluation.matrix import Row, Way
from bot.evaluation.perturbations import PERTURBATIONS, perturbed
from bot.evaluation.statistics import Interval, interval

Decide = Callable[[str], Way | Awaitable[Way | None] | None]
"""The way that is taken for a question's text; it may be a coroutine function."""

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Flipped:
    """A question whose choice changed: what it became, and what was taken before and after (None: nothing)."""

    text: str
    before: Way | None
    after: Way | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """`share` of questions (0 to 1) whose choice changed under a perturbation, with the first of them."""

    kind: str
    share: Interval
    examples: tuple[Flipped, ...]


async def flips(rows: Sequence[Row], decide: Decide, *, seed: int = 0) -> tuple[Flip, ...]:
    """Asks for each question as it stands and in every other wording. A wording that changes nothing is left out."""
    before = [await _decided(decide, row.text) for row in rows]
    groups = [row.group for row in rows]
    found = []
    for kind in PERTURBATIONS:
        values, examples = np.full(len(rows), np.nan), []
        for number, row in enumerate(rows):
            text = perturbed(row.text, kind, seed)
            if text == row.text:
                continue
            after = await _decided(decide, text)
            values[number] = after != before[number]
            if after != before[number]:
                examples.append(Flipped(text, before[number], after))
        share = interval(values, groups, scale=(0.0, 1.0))
        found.append(Flip(kind=kind, share=share, examples=tuple(examples[:_SHOWN])))
    return tuple(found)


async def _decided(decide: Decide, text: str) -> Way | None:
    taken = decide(text)
    return await taken if isawaitable(taken) else taken
