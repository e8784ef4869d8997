"""How near a question is to what each fine-tuned model was tuned for."""

from __future__ import annotations

from collections.abc import Iterable

from bot.models.cards import ModelCard
from knowledge.documents import Vector
from knowledge.embedding.base import Embedder


class FineTunes:
    """The prompts of the cards of fine-tuned models, as vectors that are made once."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._prompts: dict[tuple[str, ...], Vector] = {}

    async def similarities(self, vector: Vector, cards: Iterable[ModelCard]) -> dict[str, float]:
        """For the name of each fine-tuned model the cosine of a question's vector and its nearest prompt."""
        found: dict[str, float] = {}
        for card in cards:
            if card.fine_tune is not None:
                prompts = card.fine_tune.prompts
                if prompts not in self._prompts:
                    self._prompts[prompts] = await self._embedder.embed(prompts)
                found[card.name] = float((self._prompts[prompts] @ vector).max())
        return found
