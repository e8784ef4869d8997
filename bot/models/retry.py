"""Tries of one model call, each told to the caller so that each gets its own row in the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from bot.domain import Prompt, TextDelta, Usage
from bot.errors import ModelAnswerUnusable, ModelError, ModelRateLimited, ModelUnavailable
from bot.models.base import Model


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """A try begins now; `number` counts from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """A try failed. The next one begins in `retry_in` seconds; None: there is none, and `error` is raised."""

    number: int
    error: ModelError
    retry_in: float | None


AttemptEvent = AttemptStarted | TextDelta | Usage | AttemptFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often to try, and how many seconds of waiting between the tries a chat can bear in all."""

    tries: int = 3
    seconds: float = 10.0
    first_pause: float = 0.5


async def attempts(
    model: Model,
    prompt: Prompt,
    *,
    max_tokens: int,
    patience: Patience | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[AttemptEvent]:
    """Streams an answer, and tries again where that can help.

    For each try: AttemptStarted, then text and one Usage as `Model.stream` gives them; where it fails, AttemptFailed
    (behind the Usage, where tokens were spent). Tried again: rate limits, problems of the server, empty and broken
    answers, but never once text was shown, and not where the server asks for a longer wait than is left. Raises the
    last try's ModelError. Closing the iterator cancels the call.
    """
    patience = patience or Patience()
    left, number, error = patience.seconds, 0, None
    while True:
        number += 1
        yield AttemptStarted(number)
        shown, error = False, None
        try:
            async with aclosing(model.stream(prompt, max_tokens=max_tokens)) as events:  # type: ignore[type-var]
                async for event in events:
                    shown = shown or isinstance(event, TextDelta)
                    yield event
        except ModelError as raised:
            error = raised
        if error is None:
            return
        pause = None if shown else pause_after(error, number, left, patience)
        yield AttemptFailed(number, error, pause)
        if pause is None:
            raise error
        left -= pause
        await sleep(pause)


def pause_after(error: ModelError, number: int, left: float, patience: Patience) -> float | None:
    """Seconds until the next try after try `number` failed, or None where another is no use; `left` are to wait."""
    if number >= patience.tries or not isinstance(error, ModelRateLimited | ModelUnavailable | ModelAnswerUnusable):
        return None
    pause: float = patience.first_pause * 2 ** (number - 1)
    if isinstance(error, ModelRateLimited) and error.retry_after is not None:
        pause = max(pause, error.retry_after)
    return pause if pause <= left else None
