"""A model for one answer, which counts how often it was asked and how that failed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from bot.domain import Prompt, TextDelta, Usage
from bot.errors import ModelError
from bot.models.base import Model
from bot.models.cards import ModelCard


class Tries:
    """See `bot.models.base.Model`. `failures`: the `kind` of each try's error, in their order."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.failures: list[str] = []

    @property
    def card(self) -> ModelCard:
        """What the catalogue knows of it."""
        return self._model.card

    async def stream(self, prompt: Prompt, *, max_tokens: int) -> AsyncIterator[TextDelta | Usage]:
        """As the model itself."""
        try:
            async with aclosing(self._model.stream(prompt, max_tokens=max_tokens)) as events:  # type: ignore[type-var]
                async for event in events:
                    yield event
        except ModelError as error:
            self.failures.append(error.kind)
            raise

    async def ping(self) -> None:
        """As the model itself."""
        await self._model.ping()
