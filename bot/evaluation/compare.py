"""Two runs beside each other: what was different, and what it did to each way; noise is not called a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bot.evaluation.matrix import Matrix, Way
from bot.evaluation.run import Run
from bot.evaluation.statistics import LEVEL, Interval, Values, difference, fewest, shared, visible_gain
from bot.evaluation.wording import capital, count, gain, gain_between, listed, name
from bot.evaluation.worth import costs

Verdict = Literal["better", "worse", "no difference", "too few"]


@dataclass(frozen=True, slots=True)
class Change:
    """Something that the two runs differ in; "none" where one of them lacks it."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WayChange:
    """The later run less the earlier one, on questions that both answered: quality, US dollars, seconds.

    `verdict` is on quality, at a level shared by all ways. `visible`: the change that so many questions would have
    shown; None where the two did the same on every one.
    """

    way: Way
    quality: Interval
    cost: Interval
    seconds: Interval
    verdict: Verdict
    visible: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`questions`: how many are in both runs with the same words. The rest are counted and not compared."""

    earlier: Run
    later: Run
    changes: tuple[Change, ...]
    ways: tuple[WayChange, ...]
    questions: int
    reworded: int
    only_earlier: int
    only_later: int
    new_ways: tuple[Way, ...]
    gone_ways: tuple[Way, ...]


def compare(earlier: tuple[Run, Matrix], later: tuple[Run, Matrix]) -> Comparison:
    """Compares question by question; a question with other words is another question."""
    (run_before, before), (run_after, after) = earlier, later
    old = {row.id: number for number, row in enumerate(before.rows)}
    both = [(old[row.id], number) for number, row in enumerate(after.rows) if row.id in old]
    same = [(one, other) for one, other in both if before.rows[one].text == after.rows[other].text]
    ways = [way for way in after.ways if way in before.ways]
    return Comparison(
        earlier=run_before,
        later=run_after,
        changes=what_changed(run_before, run_after),
        ways=tuple(_way(before, after, same, ways)),
        questions=len(same),
        reworded=len(both) - len(same),
        only_earlier=len(before.rows) - len(both),
        only_later=len(after.rows) - len(both),
        new_ways=tuple(way for way in after.ways if way not in before.ways),
        gone_ways=tuple(way for way in before.ways if way not in after.ways),
    )


def what_changed(before: Run, after: Run) -> tuple[Change, ...]:
    """Everything that could explain a difference: questions, index, models, prompts, scorers, judge, settings."""
    plain = [
        Change("questions", before.data, after.data),
        Change("index", before.index, after.index),
        Change("prompts", before.prompts, after.prompts),
        Change("scorers", ", ".join(before.scorers) or "none", ", ".join(after.scorers) or "none"),
        Change("judge", before.judge or "none", after.judge or "none"),
        Change("audience", ", ".join(before.audience), ", ".join(after.audience)),
        *_by_name("model", before.models, after.models),
        *_by_name("setting", before.settings, after.settings),
    ]
    return tuple(change for change in plain if change.before != change.after)


def sentences(comparison: Comparison) -> tuple[str, ...]:
    """What changed, and what came of it, for people."""
    return tuple(part for part in (_changed(comparison), *_results(comparison), _not_compared(comparison)) if part)


def verdict_sentence(change: WayChange) -> str:
    """What became of one way's quality."""
    questions = count(change.quality.questions, "question")
    if change.verdict == "too few":
        return f"too few to tell ({questions} in both)"
    if change.verdict == "no difference":
        if change.visible is None:
            return f"the same on all {questions}"
        return f"no difference that {questions} could show (a change of {change.visible:.2f} would have been seen)"
    return f"{change.verdict}: {gain(change.quality.mean or 0.0)} ({gain_between(change.quality)})"


def _way(before: Matrix, after: Matrix, same: list[tuple[int, int]], ways: list[Way]) -> list[WayChange]:
    groups = [after.rows[number].group for _, number in same]
    level = shared(LEVEL, len(ways))
    tables = [(table(after), table(before)) for table in (Matrix.quality, costs, Matrix.seconds)]
    found = []
    for way in ways:
        one, other = before.ways.index(way), after.ways.index(way)
        pairs = [
            (_column(new, [number for _, number in same], other), _column(old, [number for number, _ in same], one))
            for new, old in tables
        ]
        quality, cost, seconds = (difference(new, old, groups) for new, old in pairs)
        strict = difference(*pairs[0], groups, level=level)
        found.append(
            WayChange(
                way=way,
                quality=quality,
                cost=cost,
                seconds=seconds,
                verdict=_verdict(strict),
                visible=_visible(pairs[0][0] - pairs[0][1], strict.units),
            )
        )
    return found


def _column(table: Values, rows: list[int], column: int) -> Values:
    values: Values = table[rows, column]
    return values


def _verdict(strict: Interval) -> Verdict:
    if strict.mean is None or not strict.known:
        return "too few"
    if strict.above:
        return "better"
    return "worse" if strict.below else "no difference"


def _visible(differences: Values, units: int) -> float | None:
    known = differences[~np.isnan(differences)]
    squared = float((known**2).mean()) if len(known) else 0.0
    return visible_gain(units, squared) if squared else None


def _by_name(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    names = sorted({*before, *after})
    return [Change(f"{kind} {each}", before.get(each, "none"), after.get(each, "none")) for each in names]


def _changed(comparison: Comparison) -> str:
    if not comparison.changes:
        return "Nothing that is recorded changed between the two runs."
    return f"Changed since “{comparison.earlier.name}”: {listed([c.what for c in comparison.changes], 6)}."


def _results(comparison: Comparison) -> list[str]:
    said = []
    if not comparison.questions:
        return ["The two runs have no question in common, so nothing can be compared."]
    for verdict in ("better", "worse"):
        said += [
            f"{capital(name(change.way))} became {verdict}: quality {gain(change.quality.mean or 0.0)} "
            f"({gain_between(change.quality)})."
            for change in comparison.ways
            if change.verdict == verdict
        ]
    rest = [change for change in comparison.ways if change.verdict == "no difference"]
    questions = count(comparison.questions, "question")
    if rest:
        others = "the other ways" if said else "any way"
        said.append(f"No difference that {questions} could show in {others} ({len(rest)}).")
    if any(change.verdict == "too few" for change in comparison.ways):
        needed = fewest(shared(LEVEL, len(comparison.ways)))
        said.append(f"{questions} in common are too few to tell of some ways: it takes {needed} at least.")
    return said


def _not_compared(comparison: Comparison) -> str:
    parts = []
    if comparison.reworded:
        parts.append(f"{count(comparison.reworded, 'question')} with other words")
    if comparison.only_earlier:
        parts.append(f"{count(comparison.only_earlier, 'question')} of the earlier run alone")
    if comparison.only_later:
        parts.append(f"{count(comparison.only_later, 'question')} of this run alone")
    return f"Not compared: {listed(parts)}." if parts else ""
