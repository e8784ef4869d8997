"""The offline model: answers with the sentences of the passages that answer best, word for word.

It has no weights beyond the embedding model, writes nothing of its own but the frame around its quotes, and says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from bot.domain import Example, Prompt, TextDelta, Usage
from bot.models.cards import ModelCard
from bot.models.quoting import quoted
from bot.models.relevance import Candidate, Scored, rank
from bot.models.tokens import estimate_tokens
from bot.models.units import UnitKind, split
from knowledge.documents import Passage
from knowledge.embedding.base import Embedder

NOTHING_FOUND = "I found nothing in the knowledge that answers this."
LABEL = "_Quoted word for word by the offline model._"
_WAY_OUT = (
    "I am the offline model: I only quote documents. Ask with other words, add the document that has the answer, or "
    "take a model that writes with `/model`."
)
UNSURE = "I am not sure that this answers it. The nearest that I found:"

# What is found is quoted as the answer from the first on, and as the nearest that there is from the second on, or where
# the passage is about the same thing in other words.
_SURE, _NEAR, _SAME_MATTER = 0.5, 0.25, 0.45
_MOST_QUOTES = 3
_NEAR_THE_BEST, _FROM_ELSEWHERE = 0.7, 0.88
_MOST_CANDIDATES = 120
_SAME_QUESTION, _LIKE_QUESTION = 0.9, 0.75


class OfflineModel:
    """Extractive answers from a prompt's passages and reviewed examples. Costs nothing."""

    def __init__(self, card: ModelCard, embedder: Embedder) -> None:
        self._card = card
        self._embedder = embedder

    @property
    def card(self) -> ModelCard:
        """What the catalogue knows of it."""
        return self._card

    async def stream(self, prompt: Prompt, *, max_tokens: int) -> AsyncIterator[TextDelta | Usage]:
        """The answer, one paragraph after the other, then a Usage of zero: no language model was called."""
        for number, paragraph in enumerate(await self._paragraphs(prompt, max_tokens)):
            yield TextDelta(paragraph if number == 0 else f"\n\n{paragraph}")
        yield Usage(prompt_tokens=0, completion_tokens=0)

    async def ping(self) -> None:
        """Always there: the embedding model was loaded at the start."""

    async def _paragraphs(self, prompt: Prompt, max_tokens: int) -> list[str]:
        example = max(prompt.examples, key=lambda e: e.similarity, default=None)
        if example is not None and example.similarity >= _SAME_QUESTION:
            return _reviewed(example)
        ranked = await self._ranked(prompt.question, prompt.passages)
        if ranked and ranked[0].confidence < _NEAR:
            # Other words for the same matter: what is nearest in meaning may help, and is told to be no more than that.
            ranked = [scored for scored in ranked if scored.candidate.passage.similarity >= _SAME_MATTER]
        if ranked:
            chosen = choose(ranked, max_tokens)
            answer = [*quoted(prompt.question, chosen, [scored.candidate for scored in ranked]), LABEL]
            return answer if ranked[0].confidence >= _SURE and not prompt.doubtful else [UNSURE, *answer]
        if example is not None and example.similarity >= _LIKE_QUESTION:
            return _reviewed(example)
        return [NOTHING_FOUND, _WAY_OUT]

    async def _ranked(self, question: str, passages: Sequence[Passage]) -> list[Scored]:
        candidates = [
            Candidate(number, place, unit, passage)
            for number, passage in enumerate(passages, start=1)
            for place, unit in enumerate(split(passage.text))
        ][:_MOST_CANDIDATES]
        if not candidates:
            return []
        vectors = await self._embedder.embed([candidate.read for candidate in candidates])
        vector = await self._embedder.embed_query(question)
        return await asyncio.to_thread(rank, question, vector, candidates, vectors)


def choose(ranked: Sequence[Scored], max_tokens: int) -> list[Scored]:
    """The best candidate, and up to two more that come near it and add to it, within `max_tokens`."""
    best, chosen = ranked[0], [ranked[0]]
    room = max_tokens - estimate_tokens(best.candidate.unit.text)
    for other in ranked[1:]:
        if len(chosen) == _MOST_QUOTES or other.relevance < _NEAR_THE_BEST * best.relevance:
            break
        if other.candidate.number != best.candidate.number and other.relevance < _FROM_ELSEWHERE * best.relevance:
            continue
        cost = estimate_tokens(other.candidate.unit.text)
        if cost > room or any(_repeats(other, one) for one in chosen) or _second_block(other, chosen):
            continue
        chosen.append(other)
        room -= cost
    return chosen


def _second_block(other: Scored, chosen: Sequence[Scored]) -> bool:
    """Whether it would be one more list, table or code block, or one from elsewhere than the best sentence."""
    if other.candidate.unit.kind is UnitKind.SENTENCE:
        return False
    first = chosen[0].candidate
    here = [one.candidate.unit.paragraph for one in chosen if one.candidate.unit.kind is not UnitKind.SENTENCE]
    return first.number != other.candidate.number or bool(set(here) - {other.candidate.unit.paragraph})


def _repeats(one: Scored, other: Scored) -> bool:
    """Whether most of the words of the shorter one stand in the longer one."""
    shorter = min(len(one.words), len(other.words))
    return shorter == 0 or len(one.words & other.words) / shorter > 0.7


def _reviewed(example: Example) -> list[str]:
    asked = " ".join(example.question.split())
    return [f"A reviewed answer to “{asked}”:", example.answer.strip(), LABEL]
