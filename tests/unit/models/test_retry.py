from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from bot.domain import Message, Prompt, StrategyName, TextDelta, Usage
from bot.errors import (
    ModelAnswerUnusable,
    ModelError,
    ModelNotFound,
    ModelRateLimited,
    ModelTimedOut,
    ModelUnauthorized,
    ModelUnavailable,
)
from bot.models.cards import ModelCard
from bot.models.retry import AttemptEvent, AttemptFailed, AttemptStarted, Patience, attempts

PROMPT = Prompt(strategy=StrategyName.ZERO_SHOT, question="?", messages=(Message("user", "?"),))
USAGE = Usage(prompt_tokens=1, completion_tokens=1)
ANSWER = (TextDelta("Yes."), USAGE)


class Scripted:
    """A model that does what each try's script says: events, then an error where one ends it."""

    card = ModelCard(name="scripted", provider="house", context_window=1000)

    def __init__(self, *tries: Sequence[TextDelta | Usage | ModelError]) -> None:
        self._tries = list(tries)
        self.closed = 0

    async def stream(self, prompt: Prompt, *, max_tokens: int) -> AsyncIterator[TextDelta | Usage]:
        try:
            for event in self._tries.pop(0):
                if isinstance(event, ModelError):
                    raise event
                yield event
        finally:
            self.closed += 1

    async def ping(self) -> None:
        return None


class Clock:
    """Notes the waits instead of waiting."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


async def run(model: Scripted, clock: Clock, **options: object) -> tuple[list[AttemptEvent], ModelError | None]:
    patience = Patience(**options)  # type: ignore[arg-type]
    events: list[AttemptEvent] = []
    try:
        told = attempts(model, PROMPT, max_tokens=10, patience=patience, sleep=clock.sleep)
        async for event in told:
            events += [event]
    except ModelError as error:
        return events, error
    return events, None


async def test_a_call_that_works_is_one_try() -> None:
    clock = Clock()
    assert await run(Scripted(ANSWER), clock) == ([AttemptStarted(1), *ANSWER], None)
    assert clock.waits == []


@pytest.mark.parametrize("error", [ModelUnavailable("x"), ModelAnswerUnusable("x"), ModelRateLimited("x")])
async def test_each_failed_try_is_told_before_the_next_begins(error: ModelError) -> None:
    clock = Clock()
    events, raised = await run(Scripted([error], [error], ANSWER), clock)
    assert raised is None
    assert events == [
        AttemptStarted(1),
        AttemptFailed(1, error, 0.5),
        AttemptStarted(2),
        AttemptFailed(2, error, 1.0),
        AttemptStarted(3),
        *ANSWER,
    ]
    assert clock.waits == [0.5, 1.0]


async def test_the_last_error_is_raised_when_the_tries_are_used_up() -> None:
    first, last = ModelUnavailable("first"), ModelUnavailable("last")
    events, raised = await run(Scripted([first], [last]), Clock(), tries=2)
    assert raised is last
    assert events[-1] == AttemptFailed(2, last, None)


@pytest.mark.parametrize("error", [ModelUnauthorized("x"), ModelNotFound("x"), ModelTimedOut("x"), ModelError("x")])
async def test_what_another_try_cannot_mend_is_raised_at_once(error: ModelError) -> None:
    clock = Clock()
    events, raised = await run(Scripted([error]), clock)
    assert (events, raised) == ([AttemptStarted(1), AttemptFailed(1, error, None)], error)
    assert clock.waits == []


async def test_the_servers_wish_to_wait_is_obeyed_while_a_chat_can_wait() -> None:
    clock = Clock()
    busy = ModelRateLimited("busy", retry_after=4.0)
    _, raised = await run(Scripted([busy], [busy], [busy]), clock, tries=9)
    assert clock.waits == [4.0, 4.0]  # a third wait would make it 12 of 10 seconds
    assert raised is busy


async def test_a_longer_wait_than_a_chat_bears_is_not_begun() -> None:
    clock = Clock()
    busy = ModelRateLimited("busy", retry_after=30.0)
    _, raised = await run(Scripted([busy]), clock)
    assert (clock.waits, raised) == ([], busy)


async def test_nothing_is_tried_again_once_text_was_shown() -> None:
    clock = Clock()
    cut = ModelUnavailable("cut")
    events, raised = await run(Scripted([TextDelta("The"), USAGE, cut]), clock)
    assert events == [AttemptStarted(1), TextDelta("The"), USAGE, AttemptFailed(1, cut, None)]
    assert raised is cut


async def test_closing_the_tries_closes_the_models_stream() -> None:
    model = Scripted(ANSWER)
    events = attempts(model, PROMPT, max_tokens=10)
    assert [await anext(events), await anext(events)] == [AttemptStarted(1), ANSWER[0]]
    await events.aclose()  # type: ignore[attr-defined]
    assert model.closed == 1
