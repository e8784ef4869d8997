"""Log-probabilities of tokens: asked for where they are wanted, taken where a server gives them, missed nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from model_server import ModelServer, Reply, answer, context_overflow, no_logprobs

from bot.domain import Prompt, TextDelta
from bot.errors import ContextTooLong
from bot.models.client import OpenAIModel

Connect = Callable[..., OpenAIModel]


async def said(model: OpenAIModel, prompt: Prompt) -> list[TextDelta]:
    return [event async for event in model.stream(prompt, max_tokens=50) if isinstance(event, TextDelta)]


async def test_each_piece_of_text_carries_those_of_its_tokens(
    server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    server.script(Reply(pieces=["On ", "Tuesdays."], logprobs=[-0.25, -9999.0]))
    assert await said(connect(), replace(prompt, logprobs=True)) == [
        TextDelta("On ", (-0.25,)),
        TextDelta("Tuesdays.", (-20.0,)),
    ]
    assert server.chats[0].body["logprobs"] is True


async def test_they_are_not_asked_for_where_nobody_wants_them(
    server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    server.script(answer("On Tuesdays.", logprobs=-0.1))
    assert all(not delta.logprobs for delta in await said(connect(), prompt))
    assert "logprobs" not in server.chats[0].body


async def test_a_server_that_refuses_them_is_asked_without_and_remembered(
    server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    model, wanted = connect(), replace(prompt, logprobs=True)
    server.script(no_logprobs(), answer("On Tuesdays."), answer("On Thursdays."))
    assert "".join(delta.text for delta in await said(model, wanted)) == "On Tuesdays."
    assert "".join(delta.text for delta in await said(model, wanted)) == "On Thursdays."
    assert ["logprobs" in request.body for request in server.chats] == [True, False, False]


async def test_a_server_that_says_nothing_of_them_is_no_trouble(
    server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    server.script(answer("On Tuesdays."), Reply(pieces=["On ", "Tuesdays."], logprobs=[None, -0.5]))
    model, wanted = connect(), replace(prompt, logprobs=True)
    assert all(not delta.logprobs for delta in await said(model, wanted))
    assert [delta.logprobs for delta in await said(model, wanted)] == [(), (-0.5,)]


async def test_another_refusal_is_not_taken_for_one_of_them(
    server: ModelServer, connect: Connect, prompt: Prompt
) -> None:
    server.script(context_overflow())
    with pytest.raises(ContextTooLong):
        await said(connect(), replace(prompt, logprobs=True))
    assert len(server.chats) == 1
