"""The test server keeps to the protocol where the client does not look: without streaming, and in its journal."""

from __future__ import annotations

import aiohttp
import model_server as served
import pytest
from model_server import ModelServer

BODY = {"model": "test-model", "messages": [{"role": "user", "content": "What is new?"}]}


async def test_an_answer_without_streaming_comes_whole_with_usage(server: ModelServer) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.url}/chat/completions", json=BODY) as response,
    ):
        answer = await response.json()
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "You asked: What is new?"}
    assert answer["usage"] == {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


async def test_scripted_replies_come_in_their_order_and_then_the_echo(server: ModelServer) -> None:
    server.script("First.", served.rate_limited(2), served.invalid_json())
    seen = []
    async with aiohttp.ClientSession() as session:
        for _ in range(4):
            async with session.post(f"{server.url}/chat/completions", json=BODY) as response:
                seen.append((response.status, response.headers.get("Retry-After"), (await response.text())[:14]))
    assert [status for status, _, _ in seen] == [200, 429, 200, 200]
    assert seen[1][1] == "2"
    assert seen[2][2] == '{"choices": [{'
    await server.until_asked(4)
    assert [request.body for request in server.chats] == [BODY] * 4


async def test_a_wait_for_requests_that_never_come_ends(server: ModelServer) -> None:
    with pytest.raises(TimeoutError):
        await server.until_asked(1, within=0.05)


async def test_its_models_are_listed_to_those_with_the_key() -> None:
    async with ModelServer(models=("a", "b"), api_key="right") as server, aiohttp.ClientSession() as session:
        async with session.get(f"{server.url}/models") as response:
            assert response.status == 401
        async with session.get(f"{server.url}/models", headers={"Authorization": "Bearer right"}) as response:
            assert [entry["id"] for entry in (await response.json())["data"]] == ["a", "b"]
