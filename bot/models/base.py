"""The port to a model, whichever server runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from bot.domain import Prompt, TextDelta, Usage
from bot.models.cards import ModelCard


class Model(Protocol):
    """A model that answers a prompt with a stream of text."""

    @property
    def card(self) -> ModelCard:
        """What the catalogue knows of it."""
        ...

    def stream(self, prompt: Prompt, *, max_tokens: int) -> AsyncIterator[TextDelta | Usage]:
        """Text as it comes, then exactly one Usage (counted here and marked as estimated where the server sent none).

        Where `prompt.logprobs` asks for them and the server gives them, the text carries its log-probabilities.
        Raises a subclass of `bot.errors.ModelError`; its `usage` is lost with it unless a Usage came before.
        Closing the iterator cancels the call.
        """
        ...

    async def ping(self) -> None:
        """Raises a `bot.errors.ModelError` that says what is wrong where the model cannot be reached."""
        ...
