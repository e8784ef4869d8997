"""What is had of a golden question before any model answers it: its evidence, and what the selector would choose."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from bot.assistant import Assistant
from bot.domain import Audience, Choice, Evidence, Example, Question
from bot.evaluation.golden import Golden, asked, words
from bot.evaluation.matrix import Way
from bot.evaluation.perturbations import PERTURBATIONS, perturbed
from bot.evaluation.runs import Weighed
from bot.evaluation.scorers import document_name
from bot.models.cards import ModelCard
from bot.selection import wording

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
    assistant: Assistant,
    golden: Golden,
    audience: Audience,
    cards: Sequence[ModelCard],
    ways: Sequence[Way],
    *,
    documents: Collection[str] = (),
    otherwise: bool = False,
) -> Asked:
    """Looks for evidence as the assistant does, without the question's own reviewed answer, and weighs the options.

    `documents`: the names of all documents that this audience may read. `otherwise`: whether the choice is looked at in
    other words too; that takes a search for each of them.
    """
    question = asked(golden.question, audience, golden.id)
    own = _Own(words(golden.question))
    evidence = await assistant.evidence(wording.search_text(question), audience.scopes, leave_out=own)
    started = time.perf_counter()
    choice = await assistant.weighed(question, evidence, cards)
    milliseconds = 1000 * (time.perf_counter() - started)
    options = {Way(option.strategy, option.model): option for option in choice.options}
    known = {way: options[way] for way in ways if way in options and math.isfinite(options[way].quality)}
    weighed = Weighed(
        features=choice.features,
        chosen=_taken(choice),
        expected={way: option.quality for way, option in known.items() if option.available},
        paid={way: option.quality - option.utility for way, option in known.items()},
        tuned=evidence.fine_tuned,
        left_out=len(own.ids),
        milliseconds=milliseconds,
        absent=bool(golden.sources) and not any(document_name(source) in documents for source in golden.sources),
        otherwise=await _otherwise(assistant, question, choice, audience, cards, own) if otherwise else {},
    )
    return Asked(golden, question, evidence, weighed)


async def _otherwise(
    assistant: Assistant, question: Question, choice: Choice, audience: Audience, cards: Sequence[ModelCard], own: _Own
) -> dict[str, Way | None]:
    """What is chosen for the question's text, and for the same asked otherwise, with evidence looked for anew."""
    found = {question.text: _taken(choice)}
    for kind in PERTURBATIONS:
        text = perturbed(question.text, kind)
        if text not in found:
            other = asked(text, audience, question.id)
            evidence = await assistant.evidence(wording.search_text(other), audience.scopes, leave_out=own)
            found[text] = _taken(await assistant.weighed(other, evidence, cards))
    return found


def _taken(choice: Choice) -> Way | None:
    return Way(choice.option.strategy, choice.option.model) if choice.option.available else None
