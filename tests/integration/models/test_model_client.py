"""The client against a server that behaves, and misbehaves, over real connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import model_server as served
import pytest
from model_server import ModelServer, Reply

from bot.domain import Prompt, TextDelta, Usage
from bot.errors import (
    ContextTooLong,
    ModelAnswerUnusable,
    ModelError,
    ModelNotFound,
    ModelRateLimited,
    ModelTimedOut,
    ModelUnauthorized,
    ModelUnavailable,
)
from bot.models.client import OpenAIModel, Timeouts

Connect = Callable[..., OpenAIModel]

QUICK = Timeouts(first=0.2, between=0.2, total=5.0, ping=0.2)


async def collect(events: AsyncIterator[TextDelta | Usage]) -> tuple[str, list[Usage], ModelError | None]:
    """All text, all usages and the error at the end, if there was one."""
    text, usages = "", []
    try:
        async for event in events:
            if isinstance(event, TextDelta):
                text += event.text
            else:
                usages.append(event)
    except ModelError as error:
        return text, usages, error
    return text, usages, None


async def test_an_answer_streams_and_ends_with_the_servers_usage(
    server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    usage = {
        "prompt_tokens": 40,
        "completion_tokens": 9,
        "total_tokens": 49,
        "prompt_tokens_details": {"cached_tokens": 30},
        "completion_tokens_details": {"reasoning_tokens": None},
    }
    server.script(Reply(pieces=["On ", "Tuesdays. ", "[1]"], usage=usage))
    events = [event async for event in connect().stream(prompt, max_tokens=100)]
    assert events == [
        TextDelta("On "),
        TextDelta("Tuesdays. "),
        TextDelta("[1]"),
        Usage(
            prompt_tokens=40,
            completion_tokens=9,
            cached_tokens=30,
            served="test-model",
            request_id="chatcmpl-1",
            finish="stop",
        ),
    ]
    asked = server.chats[0].body
    assert asked["model"] == "test-model"
    assert asked["stream_options"] == {"include_usage": True}
    assert asked["max_tokens"] == 100
    assert asked["messages"][0] == {"role": "system", "content": "Answer from the passages."}


async def test_an_unscripted_server_answers_the_same_each_time_and_cites_the_passage(
    connect: Connect, prompt: Prompt
) -> None:
    model = connect()
    first, _, _ = await collect(model.stream(prompt, max_tokens=100))
    second, _, _ = await collect(model.stream(prompt, max_tokens=100))
    assert first == second == "You asked: Question: When do deploys run? [1]"


async def test_usage_is_counted_and_marked_where_the_server_sends_none(
    server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    server.script(Reply(text="On Tuesdays. [1]", usage=False))
    _, usages, error = await collect(connect().stream(prompt, max_tokens=100))
    assert error is None
    assert len(usages) == 1
    assert usages[0].estimated
    assert usages[0].prompt_tokens > 20
    assert 3 <= usages[0].completion_tokens <= 10


async def test_a_server_without_stream_options_is_not_sent_them_and_still_gives_its_usage(
    server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    server.script(Reply(text="Yes.", usage={"prompt_tokens": 7, "completion_tokens": 2}))
    model = connect(provider={"stream_usage": False})
    _, usages, _ = await collect(model.stream(prompt, max_tokens=100))
    assert "stream_options" not in server.chats[0].body
    assert usages == [
        Usage(prompt_tokens=7, completion_tokens=2, served="test-model", request_id="chatcmpl-1", finish="stop")
    ]


async def test_a_reasoning_model_gets_room_to_think_under_the_servers_own_name_for_the_limit(
    server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    model = connect(
        provider={"output_limit": "max_completion_tokens"}, card={"thinking_tokens": 500, "max_output": 550}
    )
    await collect(model.stream(prompt, max_tokens=100))
    body = server.chats[0].body
    assert body["max_completion_tokens"] == 550
    assert "max_tokens" not in body
    assert body["reasoning_effort"] == "low"


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (served.unauthorized(), ModelUnauthorized, "HOUSE_API_KEY"),
        (served.forbidden(), ModelUnauthorized, "does not let this key use “test-model”"),
        (served.out_of_credit(), ModelUnauthorized, "no credit"),
        (served.not_found(), ModelNotFound, "does not know the model “test-model”"),
        (served.rate_limited(), ModelRateLimited, "right now"),
        (served.server_error(500), ModelUnavailable, "HTTP 500"),
        (served.server_error(503), ModelUnavailable, "HTTP 503"),
        (served.server_error(504), ModelTimedOut, "gave up waiting"),
        (served.context_overflow(), ContextTooLong, "8,192 tokens"),
        (served.invalid_json(), ModelAnswerUnusable, "answered nothing"),
        (Reply(status=418, error={"message": "I am a teapot; sk-abcdefgh1234 too."}), ModelError, "teapot"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
async def test_a_fault_before_any_text_becomes_an_error_that_names_model_server_and_way_out(
    reply: Reply, kind: type[ModelError], said: str, server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    server.script(reply)
    text, usages, error = await collect(connect().stream(prompt, max_tokens=100))
    assert (text, usages) == ("", [])
    assert type(error) is kind
    sentence = str(error)
    assert said in sentence
    assert "“test-model”" in sentence
    assert "/model" in sentence
    assert "sk-" not in sentence
    assert len(server.chats) == 1  # nothing is retried in secret


@pytest.mark.parametrize(
    ("finish_reason", "said"),
    [("stop", "was empty"), ("length", "used all of its tokens"), ("content_filter", "content filter held")],
)
async def test_an_empty_answer_is_an_error_that_says_why_and_what_it_used(
    finish_reason: str, said: str, server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    server.script(Reply(text="", finish_reason=finish_reason))
    text, usages, error = await collect(connect().stream(prompt, max_tokens=100))
    assert text == ""
    assert usages[0].prompt_tokens > 0
    assert isinstance(error, ModelAnswerUnusable)
    assert said in str(error)


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (served.cut(), ModelUnavailable, "broke off in the middle"),
        (served.cut_quietly(), ModelUnavailable, "broke off in the middle"),
        (served.error_in_stream(), ModelUnavailable, "The engine stopped"),
        (served.invalid_stream(), ModelAnswerUnusable, "no answer"),
        (served.stall(), ModelTimedOut, "said nothing for 0.2 seconds"),
    ],
    ids=["cut", "cut quietly", "error in the stream", "broken JSON", "stalled"],
)
async def test_a_fault_after_some_text_still_tells_what_was_used(
    reply: Reply, kind: type[ModelError], said: str, server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    server.script(reply)
    text, usages, error = await collect(connect(timeouts=QUICK).stream(prompt, max_tokens=100))
    assert text.startswith("The ")
    assert len(usages) == 1
    assert usages[0].estimated
    assert usages[0].completion_tokens > 0
    assert type(error) is kind
    assert said in str(error)


async def test_a_server_that_says_nothing_is_given_up_and_the_call_ended(
    server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    server.script(served.silence())
    text, usages, error = await collect(connect(timeouts=QUICK).stream(prompt, max_tokens=100))
    assert (text, usages) == ("", [])
    assert isinstance(error, ModelTimedOut)
    assert "said nothing for 0.2 seconds" in str(error)
    async with asyncio.timeout(10):
        await server.chats[0].gone.wait()


async def test_an_answer_that_never_ends_is_stopped_after_the_whole_time(
    server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    server.script(served.stall())
    limits = Timeouts(first=5.0, between=5.0, total=0.3)
    _, _, error = await collect(connect(timeouts=limits).stream(prompt, max_tokens=100))
    assert isinstance(error, ModelTimedOut)
    assert "was not done after 0.3 seconds" in str(error)


async def test_a_slow_reader_is_not_taken_for_a_slow_server(
    server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    server.script("One two three.")
    stream = connect(timeouts=QUICK).stream(prompt, max_tokens=100)
    text = ""
    async for event in stream:
        if isinstance(event, TextDelta):
            text += event.text
            await asyncio.to_thread(_read_for, 0.25)
    assert text == "One two three."


def _read_for(seconds: float) -> None:
    """Stands for a person: longer than the limit between two pieces."""
    import threading

    threading.Event().wait(seconds)


async def test_closing_the_stream_ends_the_call_at_the_server(
    server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    server.script(Reply(text="One two three.", gate=asyncio.Event()))
    stream = connect().stream(prompt, max_tokens=100)
    assert await anext(stream) == TextDelta("One ")
    await stream.aclose()  # type: ignore[attr-defined]
    async with asyncio.timeout(10):
        await server.chats[0].gone.wait()


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_the_wait_that_a_server_asks_for_is_kept(
    form: str, server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=7), usegmt=True)
    server.script(served.rate_limited("7" if form == "seconds" else moment))
    _, _, error = await collect(connect().stream(prompt, max_tokens=100))
    assert isinstance(error, ModelRateLimited)
    assert error.retry_after == pytest.approx(7, abs=3)
    assert "in 7 seconds" in str(error) or form == "date"


async def test_a_server_that_is_not_there_is_named_with_its_address(connect: Connect, prompt: Prompt) -> None:
    model = connect(provider={"base_url": "http://127.0.0.1:9/v1/", "local": True, "title": "Ollama"})
    _, _, error = await collect(model.stream(prompt, max_tokens=100))
    assert isinstance(error, ModelUnavailable)
    assert str(error).startswith("Nothing answers at http://127.0.0.1:9/v1/")
    assert "Start Ollama there" in str(error)


async def test_a_ping_finds_a_model_and_misses_one_that_a_local_server_does_not_list(
    connect: Connect, prompt: Prompt
) -> None:
    await connect(provider={"local": True}).ping()
    with pytest.raises(ModelNotFound, match="does not know the model “other”"):
        await connect(provider={"local": True}, card={"name": "other"}).ping()


async def test_a_hosted_model_may_have_a_name_that_its_server_does_not_list(connect: Connect) -> None:
    await connect(card={"name": "an-alias"}).ping()
