"""Golden questions that people kept in Slack, as an evaluation takes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bot.errors import UnusableGolden
from bot.evaluation.golden import Golden, GoldenSet, Problems, gathered, words
from bot.learning.golden_questions import GoldenQuestion
from knowledge.access import readable

SOURCE = "team"
NOBODY = (
    "People have kept no golden question that can be used here. In Slack, “Mark as the answer” in the menu of a "
    "person's answer keeps one."
)


def golden_from_team(kept: Iterable[GoldenQuestion], scopes: frozenset[str], closed: Collection[str] = ()) -> GoldenSet:
    """Those that an audience with `scopes` may read and against which nothing speaks. Of several answers to one
    question any will do.

    Not those of the channels that are `closed`: an evaluation asks every model, and not every model may be asked what
    is said there. Raises UnusableGolden where there are none.
    """
    found: dict[tuple[str, ...], list[GoldenQuestion]] = {}
    flagged = hidden = elsewhere = 0
    for one in kept:
        if one.retired is not None:
            continue
        if one.flag is not None:
            flagged += 1
        elif one.channel in closed:
            elsewhere += 1
        elif not readable(one.readers, scopes):
            hidden += 1
        else:
            found.setdefault(tuple(words(one.question)), []).append(one)
    problems = Problems()
    for count, sentence in (
        (flagged, "may be out of date and {were} left out: `switchboard golden list --flagged` shows why."),
        (hidden, "{were} kept for fewer people and left out; --as names whose they may be."),
        (elsewhere, "{were} asked where only some models may be asked and left out."),
    ):
        if count:
            noun = "golden question" if count == 1 else "golden questions"
            problems.add(f"{count} {noun} " + sentence.format(were="was" if count == 1 else "were"))
    if not found:
        raise UnusableGolden("\n".join((NOBODY, *problems.sentences)))
    return gathered(map(_golden, found.values()), SOURCE, problems)


def _golden(same: list[GoldenQuestion]) -> Golden:
    """One of those that ask the same. It has the id of the question in Slack, so that its copies in evaluations go with
    that one."""
    first = same[0]
    answers = tuple(dict.fromkeys(one.answer for one in same))
    return Golden(id=first.question_id, question=first.question, answers=answers, group=first.question_id)
