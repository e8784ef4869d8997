"""A model whose every try, through whichever door, is told to the breakers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from bot.domain import Prompt, TextDelta, Usage
from bot.errors import ModelError
from bot.models.base import Model
from bot.models.breakers import SLOW_SECONDS, Breakers
from bot.models.cards import ModelCard


class Watched:
    """See `bot.models.base.Model`. `patient`: it may begin as late as it likes."""

    def __init__(self, model: Model, breakers: Breakers, *, patient: bool) -> None:
        self._model = model
        self._breakers = breakers
        self._patient = patient

    @property
    def card(self) -> ModelCard:
        """What the catalogue knows of it."""
        return self._model.card

    async def stream(self, prompt: Prompt, *, max_tokens: int) -> AsyncIterator[TextDelta | Usage]:
        """As the model itself; a try that a person stops tells nothing of the model."""
        started, waited, outcome = self._breakers.monotonic(), 0.0, "stopped"
        try:
            events = self._model.stream(prompt, max_tokens=max_tokens)
            async with aclosing(events) as pieces:  # type: ignore[type-var]
                async for piece in pieces:
                    waited = waited or self._breakers.monotonic() - started
                    yield piece
            outcome = "answered"
        except ModelError as error:
            outcome = error.kind
            raise
        finally:
            slow = waited > SLOW_SECONDS and not self._patient
            self._breakers.note(self.card.provider, self.card.name, outcome, slow=slow)

    async def ping(self) -> None:
        """As the model itself."""
        await self._model.ping()
