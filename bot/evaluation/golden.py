"""Golden questions: questions with what is expected of their answers."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.domain import Audience, Place, PlaceKind, Question, StrategyName
from bot.errors import UnusableGolden
from bot.selection import wording

TOLD = 20
"""Problems that are told one by one; the others are counted."""
ENOUGH_TO_FIT = 30
"""Estimates are not refitted on fewer questions."""
FEW = 10
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """A question and what is expected: acceptable answers, the documents that have to be cited, or a rubric.

    A source is a document's title, path or link. `group`: what it may not be torn from when questions are held out.
    `strategy`: the one that it is meant for, where somebody knows. `line` is where it stands in its file, from 1.
    """

    id: str
    question: str
    answers: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    rubric: str = ""
    group: str = ""
    strategy: StrategyName | None = None
    line: int = 0

    @property
    def expectation(self) -> tuple[tuple[str, ...], tuple[str, ...], str]:
        """All that is expected, for comparing."""
        return self.answers, self.sources, self.rubric


@dataclass(slots=True)
class Problems:
    """Sentences about what was left out. The first few are kept, all are counted, so that memory stays small."""

    told: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, sentence: str) -> None:
        """One more."""
        self.count += 1
        if len(self.told) < TOLD:
            self.told.append(sentence)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Those that are told, and how many more there are."""
        more = self.count - len(self.told)
        return (*self.told, f"And {more:,} more like these.") if more else tuple(self.told)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenSet:
    """The questions that can be used; `problems` says what was left out and why, `notes` what they cannot show."""

    source: str
    questions: tuple[Golden, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The same for the same questions with the same expectations, in whatever order they stand."""
        total = hashlib.sha256()
        for golden in sorted(self.questions, key=lambda golden: golden.id):
            told = [golden.id, golden.question, *golden.expectation, golden.group, golden.strategy]
            total.update(json.dumps(told).encode())
        return total.hexdigest()

    def limited(self, limit: int) -> GoldenSet:
        """At most `limit` of them, each group with its share."""
        return replace(self, questions=tuple(in_fair_order(self.questions)[:limit]))


def gathered(found: Iterable[Golden], source: str, problems: Problems, notes: Iterable[str] = ()) -> GoldenSet:
    """The questions without duplicates and contradictions. Raises UnusableGolden where none is left.

    `problems`: what was left out already; `notes`: what else is to be told.
    """
    questions = _without_conflicts(found, problems)
    if not questions:
        why = "\n".join(problems.sentences) or "It is empty."
        raise UnusableGolden(
            f"There are no golden questions in {source} that can be used. {why}\nA line of JSONL reads "
            '{"question": "How long is a rollback?", "answer": "four minutes"}.'
        )
    return GoldenSet(
        source=source,
        questions=tuple(questions),
        problems=problems.sentences,
        notes=(*notes, *notes_on(questions)),
    )


def asked(text: str, audience: Audience | None = None, id: str = "golden") -> Question:
    """The question as the assistant takes it, without greetings. Raises UnusableQuestion."""
    question = Question(
        id=id,
        text=text,
        asker="evaluation",
        place=Place(workspace="evaluation", channel="evaluation", kind=PlaceKind.CONSOLE),
        audience=audience or Audience.everyone(),
        asked_at=datetime.now(UTC),
    )
    return replace(question, text=wording.usable(question))


def words(text: str) -> list[str]:
    """The question's own words, by which two are told to be the same: no case, no signs, no greetings."""
    plain = wording.plain(text)
    return _WORD.findall(plain.casefold()) or [plain]


def _without_conflicts(found: Iterable[Golden], problems: Problems) -> list[Golden]:
    """Each question once; of questions that are expected to be answered differently, none."""
    first: dict[tuple[str, ...], Golden] = {}
    ids: dict[str, Golden] = {}
    dropped: set[str] = set()
    for golden in found:
        key = tuple(words(golden.question))
        known = first.get(key)
        if known is None and golden.id in ids:
            other = ids[golden.id]
            problems.add(f"{_places(other, golden)} have the same id “{golden.id}”; the second one is left out.")
        elif known is None:
            first[key] = ids[golden.id] = golden
        elif known.expectation == golden.expectation:
            problems.add(f"{_places(known, golden)} say the same; the question is taken once.")
        else:
            dropped.add(known.id)
            problems.add(
                f"{_places(known, golden)} ask the same and expect different things; both are left out. "
                "Where both answers are right, write them into one line as a list."
            )
    return [golden for golden in first.values() if golden.id not in dropped]


def _places(one: Golden, other: Golden) -> str:
    if one.line and other.line:
        return f"Lines {one.line} and {other.line}"
    return f"The questions {one.id} and {other.id}"


def notes_on(questions: Sequence[Golden]) -> Iterator[str]:
    """What so many questions of such groups cannot show."""
    count = len(questions)
    groups = {golden.group for golden in questions}
    if count < FEW:
        noun = "question" if count == 1 else "questions"
        yield f"With {count} {noun} every interval is wide: take the numbers as a first look."
    if count < ENOUGH_TO_FIT:
        yield f"The selector's estimates are refitted from {ENOUGH_TO_FIT} questions on; there are {count}."
    if len(groups) == 1 and count > 1:
        yield (
            f"All questions are of one group (“{next(iter(groups))}”), so none can be held out: what is learned from "
            "them cannot be tried on others."
        )
    named = {golden.strategy for golden in questions if golden.strategy}
    if len(named) == 1 and count > 1 and all(golden.strategy for golden in questions):
        yield f"All questions are meant for {next(iter(named))}: they cannot show how well strategies are told apart."


def in_fair_order(questions: Sequence[Golden]) -> list[Golden]:
    """The questions so that any first part of them holds each group with its share.

    Stratified systematic order: the i-th of a group's n questions stands at (i + ½)/n, ties and places within a group
    by a hash of the id, so that it is the same in every run and has nothing to do with the file's order.
    """
    groups: dict[str, list[Golden]] = {}
    for golden in sorted(questions, key=lambda golden: _hash(golden.id)):
        groups.setdefault(golden.group, []).append(golden)
    placed = [
        ((place + 0.5) / len(members), _hash(golden.id), golden)
        for members in groups.values()
        for place, golden in enumerate(members)
    ]
    return [golden for _, _, golden in sorted(placed, key=lambda each: each[:2])]


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
