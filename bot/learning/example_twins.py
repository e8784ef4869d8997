"""Which example that is there asks the same as a new one, and what becomes of many new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bot.learning import alike
from bot.learning.example_csv import Parsed, summary
from bot.learning.example_shelf import Shelf
from bot.learning.reviewed import Draft, Reviewed
from knowledge.documents import Vector


@dataclass(frozen=True, slots=True)
class Step:
    """A draft that is taken in: in the place of `into`, or as a new one. `number`: of the draft."""

    number: int
    draft: Draft
    into: Reviewed | None


@dataclass(slots=True)
class Steps:
    """What becomes of drafts. `merged`: how many went into one that was there or came before; `others`: by the number
    of the draft the one that asks the same and that somebody else has to change."""

    steps: list[Step]
    merged: int
    others: dict[int, Reviewed]

    def told(self, parsed: Parsed) -> str:
        """What came of a file, in a sentence or two."""
        left_out = [
            f"line {parsed.lines[number]} asks what <@{one.example.saved_by}> reviewed, who can change it"
            for number, one in self.others.items()
        ]
        kept = len(parsed.drafts) - self.merged - len(left_out)
        return summary(kept, self.merged, [*parsed.left_out, *left_out], parsed.extra)


def twin(shelf: Shelf, question: str, vector: Vector, readers: frozenset[str]) -> int | None:
    """The place of the example in use, for the same readers, that asks the same as a question; None: there is none."""
    key = alike.key(question)
    cosines = shelf.questions @ vector
    for place in np.argsort(-cosines, kind="stable").tolist():
        one = shelf.examples[place]
        if cosines[place] < alike.LEAST:
            return None
        if one.readers == readers and alike.same(key, question, one.question, float(cosines[place])):
            return int(place)
    return None


def steps(
    shelf: Shelf,
    known: Mapping[str, Reviewed],
    drafts: Sequence[Draft],
    vectors: Vector,
    readers: frozenset[str],
    may_change: frozenset[str],
) -> Steps:
    """Merges each draft with what asks the same and is for the same readers: its answer and last day replace the ones
    before, tags are joined. `vectors`: of their questions; `known`: what is there, by id; `may_change`: ids."""
    found, new = Steps([], 0, {}), list[int]()
    for number, draft in enumerate(drafts):
        place = twin(shelf, draft.question, vectors[number], readers)
        if place is not None and (there := known.get(shelf.examples[place].id)) is not None:
            if there.example.id not in may_change:
                found.others[number] = there
                continue
            earlier = next((n for n, one in enumerate(found.steps) if one.into is there), None)
            tags = found.steps[earlier].draft.tags if earlier is not None else there.example.tags
            draft = replace(draft, question=there.example.question, tags=_joined(tags, draft.tags))
            step = Step(number, draft, there)
            if earlier is None:
                found.steps.append(step)
            else:
                found.steps[earlier] = step
            found.merged += 1
        elif (same := _earlier(found.steps, new, drafts, vectors, number)) is not None:
            draft = replace(draft, tags=_joined(found.steps[same].draft.tags, draft.tags))
            found.steps[same] = Step(number, draft, None)
            found.merged += 1
        else:
            new.append(len(found.steps))
            found.steps.append(Step(number, draft, None))
    return found


def _earlier(
    taken: Sequence[Step], new: Sequence[int], drafts: Sequence[Draft], vectors: Vector, number: int
) -> int | None:
    """The place of the new one before that asks the same."""
    if not new:
        return None
    question = drafts[number].question
    key = alike.key(question)
    cosines = vectors[[taken[place].number for place in new]] @ vectors[number]
    for at in np.flatnonzero(cosines >= alike.LEAST).tolist():
        if alike.same(key, question, taken[new[at]].draft.question, float(cosines[at])):
            return new[at]
    return None


def _joined(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*before, *after)))
