"""From gathered rows to rows that can be trained on: nothing secret, nothing of the golden questions, nothing twice,
nothing that contradicts itself. What is taken out is counted and told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from bot.errors import UnusableQuestion
from bot.evaluation.golden import asked
from bot.tuning.likeness import Asked, Shelf, says_the_same
from bot.tuning.row import Row
from knowledge.personal import PERSONAL
from knowledge.secrets import masking

_RANK = {"person": 3, "example": 2, "thumb": 1, "choice": 0}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A question that was answered differently, with where each answer is from."""

    question: str
    where: tuple[str, ...]


@dataclass(slots=True)
class Cleaned:
    """What is left, and what was done. `secrets` and `personal`: how many rows hold how many kinds."""

    rows: list[Row] = field(default_factory=list)
    preferences: list[Row] = field(default_factory=list)
    golden: int = 0
    merged: int = 0
    unusable: int = 0
    contradictions: list[Contradiction] = field(default_factory=list)
    secrets: Counter[str] = field(default_factory=Counter)
    personal: Counter[str] = field(default_factory=Counter)


def cleaned(rows: Iterable[Row], preferences: Iterable[Row], golden: Iterable[str]) -> Cleaned:
    """The rows in the order in which they were said. `golden`: questions of which none may be trained on."""
    done, held_out = Cleaned(), Shelf.of(golden)
    usable = _usable(rows, held_out, done)
    done.preferences = _usable(preferences, held_out, done)
    for group in _groups(usable):
        done.rows += _of_one_question(group, done)
    done.rows.sort(key=_in_time)
    done.preferences.sort(key=_in_time)
    return done


def _usable(rows: Iterable[Row], held_out: Shelf, done: Cleaned) -> list[Row]:
    found = []
    for row in sorted(rows, key=_in_time):
        row = _masked(row, done)
        try:
            question = asked(row.question).text
        except UnusableQuestion:
            question = ""
        if not question or not row.answer.strip() or row.rejected == "":
            done.unusable += 1
        elif held_out.like(Asked.of(question)) is not None:
            done.golden += 1
        else:
            found.append(replace(row, question=question))
    return found


def _masked(row: Row, done: Cleaned) -> Row:
    """The row without secrets, and without personal data where that is set."""
    found = [masking().masked(text) for text in (row.question, row.answer, row.rejected or "")]
    done.secrets.update({kind for text in found for kind in text.kinds})
    question, answer, rejected = (one.text for one in found)
    whole = f"{question}\n{answer}\n{rejected}"
    done.personal.update(kind.name for kind in PERSONAL if kind.masked(whole) != whole)
    return replace(row, question=question, answer=answer, rejected=None if row.rejected is None else rejected)


def _groups(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows by question; those that ask the same in other words, or in another order of them, are together."""
    shelf, groups = Shelf(), list[list[Row]]()
    for row in rows:
        question = Asked.of(row.question)
        place = shelf.like(question, same_facts=True)
        if place is None:
            shelf.add(question)
            groups.append([row])
        else:
            groups[place].append(row)
    return groups


def _of_one_question(group: list[Row], done: Cleaned) -> list[Row]:
    """The row that stands for a question: none, where people or reviewed examples say different things."""
    best = max(group, key=lambda row: (_RANK[row.origin], row.said_at, row.subject))
    others = [row for row in group if row is not best and not says_the_same(row.answer, best.answer)]
    if not others:
        done.merged += len(group) - 1
        return [best]
    where = tuple(row.lineage for row in (best, *others))
    done.contradictions.append(Contradiction(best.question, where))
    # A reviewed answer stands above one that was only liked, and the newer of two liked ones counts.
    if any(_RANK[row.origin] > _RANK["thumb"] for row in others):
        return []
    return [best]


def _in_time(row: Row) -> tuple[object, ...]:
    return row.said_at, row.origin, row.subject, row.rejected or ""
