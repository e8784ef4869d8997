"""The address that Slack sends to, over real sockets: who is let in, and what becomes of the others."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientSession, web
from slack_bolt.response import BoltResponse
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.app import _serve as serve
from bot.config import Settings
from bot.replays import Replays
from deploy.workspace.http_delivery import signature
from deploy.workspace.server import HOST
from handlers.http_door import HttpDoor, application

SECRET = "a-signing-secret"
EVENT = json.dumps({"type": "event_callback", "event_id": "Ev1", "event": {"type": "message"}}).encode()
PRESSED = f"payload={quote(json.dumps({'type': 'block_actions', 'value': 'private words'}))}".encode()
FORM = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Door:
    """A door that listens, and what it let in."""

    url: str = ""
    port: int = 0
    taken: list[Any] = field(default_factory=list)

    async def take(self, payload: object, headers: object) -> BoltResponse:
        self.taken.append(payload)
        return BoltResponse(status=200, body="")

    async def post(self, body: bytes, headers: dict[str, str], path: str = "/slack/events") -> int:
        async with ClientSession() as session, session.post(self.url + path, data=body, headers=headers) as answer:
            assert answer.status == 200 or await answer.json() == {"error": "refused"}
            return answer.status


@pytest.fixture
async def door(sqlite_engine: AsyncEngine) -> AsyncIterator[Door]:
    async with AsyncExitStack() as stack:
        found = Door()
        opened = HttpDoor(SECRET, found.take, Replays(sqlite_engine).is_new, body_seconds=0.3)
        server = application(web.post("/slack/events", opened.events))
        found.url = await serve(stack, server, "127.0.0.1", 0, "PORT")
        found.port = int(found.url.rpartition(":")[2])
        yield found


def signed(body: bytes, kind: str = "application/json", *, stamp: str = "", secret: str = SECRET) -> dict[str, str]:
    stamp = stamp or str(int(time.time()))
    return {
        "Content-Type": kind,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature(secret, stamp, body),
    }


async def test_only_what_slack_signed_lately_is_let_in(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    now, good = int(time.time()), signed(PRESSED, FORM)
    wrong = {
        "it is not signed": {"Content-Type": FORM},
        "the signature is wrong": good | {"X-Slack-Signature": "v0=" + "0" * 64},
        "the time-stamp is too old": signed(PRESSED, FORM, stamp=str(now - 310)),
        "the time-stamp is too new": signed(PRESSED, FORM, stamp=str(now + 320)),
        "the time-stamp is none": signed(PRESSED, FORM, stamp="soon"),
    }
    with caplog.at_level(logging.WARNING):
        for headers in wrong.values():
            assert await door.post(PRESSED, headers) == 401
        assert await door.post(PRESSED + b" ", good) == 401
        assert await door.post(PRESSED, signed(PRESSED, FORM, secret="another")) == 401
    assert door.taken == []
    for reason in wrong:
        assert caplog.text.count(reason) == (3 if reason == "the signature is wrong" else 1)
    assert "private words" not in caplog.text
    assert await door.post(PRESSED, good) == 200
    assert door.taken == [{"type": "block_actions", "value": "private words"}]


async def test_a_press_that_is_sent_again_is_not_done_again_and_an_event_goes_to_the_inbox(
    door: Door, sqlite_engine: AsyncEngine
) -> None:
    pressed, event = signed(PRESSED, FORM), signed(EVENT)
    assert [await door.post(PRESSED, pressed) for _ in range(2)] == [200, 401]
    assert not await Replays(sqlite_engine).is_new(pressed["X-Slack-Signature"])  # another replica knows it too
    repeated = event | {"X-Slack-Retry-Num": "1"}
    assert [await door.post(EVENT, event), await door.post(EVENT, repeated)] == [200, 200]
    assert [payload["type"] for payload in door.taken] == ["block_actions", "event_callback", "event_callback"]


async def test_signatures_are_forgotten_once_their_time_stamp_is_too_old(engine: AsyncEngine) -> None:
    now = datetime(2026, 11, 20, 9, tzinfo=UTC)
    replays = Replays(engine, lambda: now)
    assert [await replays.is_new("v0=1"), await replays.is_new("v0=1")] == [True, False]
    now += timedelta(minutes=10, seconds=30)
    assert not await replays.is_new("v0=1")
    now += timedelta(minutes=1)
    assert await replays.is_new("v0=1")


async def test_what_is_no_request_of_slacks_is_refused_with_its_status(door: Door) -> None:
    large = b'{"a": "' + b"x" * 1_000_000 + b'"}'
    for status, body, headers in (
        (415, EVENT, signed(EVENT, "text/xml")),
        (413, large, signed(large)),
        (400, b"\xff\xfe", signed(b"") | {"X-Slack-Signature": "v0=1"}),
        *((400, odd, signed(odd)) for odd in (b"{", b"[]", b"[" * 100_000, b"7", b"1" * 5_000)),
    ):
        assert await door.post(body, headers) == status
    assert await door.post(EVENT, signed(EVENT), "/elsewhere") == 404
    async with ClientSession() as session, session.get(f"{door.url}/slack/events") as answer:
        assert answer.status == 405
    assert door.taken == []


async def test_a_body_that_is_too_large_is_not_read_to_its_end(door: Door) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in signed(b"").items())
    declared = "Content-Length: 999999999\r\n\r\n{"
    answer = await _raw(door.port, f"POST /slack/events HTTP/1.1\r\nHost: x\r\n{head}{declared}")
    assert answer.startswith(b"HTTP/1.1 413")
    endless = "Transfer-Encoding: chunked\r\n\r\n" + ("10000\r\n" + "x" * 0x10000 + "\r\n") * 20
    answer = await _raw(door.port, f"POST /slack/events HTTP/1.1\r\nHost: x\r\n{head}{endless}")
    assert answer.startswith(b"HTTP/1.1 413")


async def test_a_head_that_does_not_come_to_its_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.app.HEAD_SECONDS", 0.2)
    async with AsyncExitStack() as stack:
        url = await serve(stack, application(), "127.0.0.1", 0, "PORT")
        async with asyncio.timeout(10):
            assert await _raw(int(url.rpartition(":")[2]), "POST /slack/events HTTP/1.1\r\nHo") == b""


async def test_whoever_sends_slowly_is_cut_off(door: Door) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in signed(b"").items())
    answer = await _raw(door.port, f"POST /slack/events HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 50\r\n\r\n{{")
    assert answer.startswith(b"HTTP/1.1 408")


async def test_bytes_that_are_no_http_are_one_line_in_the_log(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert (await _raw(door.port, "\x00\x01 private words\r\n\r\n")).startswith(b"HTTP/1.0 400")
        await _raw(door.port, "POST /slack/events HTTP/1.1\r\nContent-Length: private\r\n\r\n")
    assert "private" not in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_what_breaks_behind_the_door_has_a_reference(
    sqlite_engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(payload: object, headers: object) -> BoltResponse:
        raise RuntimeError("behind the door")

    async with AsyncExitStack() as stack:
        opened = HttpDoor(SECRET, broken, Replays(sqlite_engine).is_new)
        url = await serve(stack, application(web.post("/slack/events", opened.events)), "127.0.0.1", 0, "PORT")
        session = await stack.enter_async_context(ClientSession())
        async with session.post(f"{url}/slack/events", data=EVENT, headers=signed(EVENT)) as answer:
            said = (await answer.json())["error"]
            assert answer.status == 500
    assert said.startswith("failed (reference ")
    assert said[18:-1] in caplog.text


async def test_a_listener_is_on_this_machine_alone_and_says_once_when_it_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = Settings()
    assert {settings.http.host, settings.metrics.host, HOST} == {"127.0.0.1"}
    async with AsyncExitStack() as stack:
        await serve(stack, application(), settings.http.host, 0, "PORT")
        assert "put TLS in front" not in caplog.text
        await serve(stack, application(), "0.0.0.0", 0, "PORT")  # noqa: S104 - is what is tested
    assert caplog.text.count("put TLS in front") == 1


async def _raw(port: int, text: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode("latin-1"))
    try:
        return await reader.read(4_000)
    finally:
        writer.close()
