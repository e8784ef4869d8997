"""What is had of a golden question before any model answers it: its evidence, and what the selector would choose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.assistant import Assistant
from bot.domain import Audience, Evidence, Example, Question
from bot.evaluation.golden import Golden, asked, words
from bot.evaluation.matrix import Way
from bot.evaluation.runs import Weighed
from bot.models.cards import ModelCard
from bot.selection import wording
from bot.selection.features import NAMES, features

THE_SAME = 0.98
"""Cosine from which on a reviewed question is the golden one in other signs."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A golden question as the assistant takes it, with what was found for it."""

    golden: Golden
    question: Question
    evidence: Evidence
    weighed: Weighed


@dataclass(slots=True)
class _Own:
    """The reviewed examples that are the question itself: its answer must not be shown to who is to answer it."""

    said: list[str]
    ids: set[str] = field(default_factory=set)

    def __call__(self, example: Example) -> bool:
        same = example.similarity >= THE_SAME or words(example.question) == self.said
        if same:
            self.ids.add(example.id)
        return same


async def ask(
    assistant: Assistant, golden: Golden, audience: Audience, cards: Sequence[ModelCard], ways: Sequence[Way]
) -> Asked:
    """Looks for evidence as the assistant does, without the question's own reviewed answer, and weighs the options."""
    question = asked(golden.question, audience, golden.id)
    own = _Own(words(golden.question))
    evidence = await assistant.evidence(wording.search_text(question), audience.scopes, leave_out=own)
    choice = await assistant.weighed(question, evidence, cards)
    expected = {
        Way(option.strategy, option.model): option.quality for option in choice.options if math.isfinite(option.quality)
    }
    chosen = Way(choice.option.strategy, choice.option.model) if choice.option.available else None
    weighed = Weighed(
        features=known_features(evidence),
        chosen=chosen,
        expected={way: expected[way] for way in ways if way in expected},
        left_out=len(own.ids),
    )
    return Asked(golden, question, evidence, weighed)


def known_features(evidence: Evidence) -> Mapping[str, float]:
    """The features by name; one that is not a number is not known, and databases take none."""
    named = zip(NAMES, features(evidence), strict=True)
    return {name: float(value) for name, value in named if math.isfinite(value)}
