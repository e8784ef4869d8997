"""Requests over real sockets: signed and not, whole and broken, and bytes that are no HTTP."""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPException
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import requests as http
import schemathesis
from fuzz_payloads import mutated, valid
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from deploy.workspace import BOT_TOKEN, SIGNING_SECRET
from deploy.workspace.http_delivery import signature
from deploy.workspace.web_api import METHODS

AT_ONCE = 12
PATIENCE = 20.0
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_DRAWN: tuple[Any, ...] = (None, 7, "x", [], {}, "\x00", {"a": [1]}, [None], "é", 1.5)


class Notes(Protocol):
    """Where the figures go: see prove_fuzz.Findings."""

    requests: int
    calls: int
    answered: Any
    failures: Any

    def took(self, seconds: float, what: str) -> None:
        """Notes how long somebody waited."""
        ...


def signed(
    body: bytes, kind: str = "application/json", stamp: str = "", secret: str = SIGNING_SECRET
) -> dict[str, str]:
    """The headers of a request of Slack's."""
    stamp = stamp or str(int(time.time()))
    return {
        "Host": "bot",
        "Connection": "close",
        "Content-Type": kind,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature(secret, stamp, body),
        "Content-Length": str(len(body)),
    }


def raw(body: bytes, headers: Mapping[str, str], method: str = "POST", path: str = "/slack/events") -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("utf-8", "replace") + body


class HttpFuzz:
    """`url`: where the bot listens; `known`: ids of answered questions."""

    def __init__(self, url: str, number: int, known: Sequence[str], found: Notes) -> None:
        self._url = urlsplit(url)
        self._draw = random.Random(number)
        self._number = number
        self._known = known
        self._found = found
        self._makers: tuple[tuple[Callable[[], bytes], int], ...] = (
            (self._mutated, 50),
            (self._odd_body, 12),
            (self._unsigned, 14),
            (self._elsewhere, 10),
            (self._wrong_length, 6),
            (self._chunked, 6),
            (self._pipelined, 4),
            (self._garbage, 8),
            (self._large, 1),
        )

        self._unfinished = {self._wrong_length, self._chunked, self._garbage}

    async def requests(self, count: int) -> None:
        """Sends so many, some at once."""
        began, left = time.monotonic(), iter(range(count))

        async def work() -> None:
            for number in left:
                await self._one()
                if number % 2_500 == 2_499:
                    print(f"{number + 1:,} requests in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    async def _one(self) -> None:
        makers, weights = zip(*self._makers, strict=True)
        maker = self._draw.choices(makers, weights)[0]
        data = maker()
        self._found.requests += 1
        reader, writer = await asyncio.open_connection(self._url.hostname, self._url.port)
        began = time.monotonic()
        try:
            writer.write(data)
            await writer.drain()
            answer = await self._answer(reader, writer, maker in self._unfinished)
        except TimeoutError:
            self._found.failures[f"no end: {maker.__name__}"] += 1
            return
        except ConnectionError:
            answer = b""
        finally:
            writer.close()
        statuses = [int(status) for status in _STATUS.findall(answer)] or [0]
        # Requests of one connection are answered one after the other: each waits its share.
        self._found.took((time.monotonic() - began) / len(statuses), maker.__name__)
        for status in statuses:
            self._found.answered[status] += 1
            if status >= 500:
                self._found.failures[f"{status}: {maker.__name__}"] += 1

    @staticmethod
    async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, unfinished: bool) -> bytes:
        """All that comes until the door closes; of what may be unfinished, the end is told after a while."""
        reading = asyncio.create_task(reader.read())
        done, _ = await asyncio.wait({reading}, timeout=0.5 if unfinished else PATIENCE)
        if not done and unfinished:
            writer.write_eof()
            done, _ = await asyncio.wait({reading}, timeout=PATIENCE)
        if not done:
            reading.cancel()
            raise TimeoutError
        return reading.result()

    def _payload(self) -> Any:
        payload = valid(self._draw, self._known)
        return payload if self._draw.random() < 0.04 else mutated(self._draw, payload, _DRAWN)

    def _body(self) -> tuple[bytes, str]:
        payload = self._payload()
        if isinstance(payload, dict) and "command" in payload:
            fields = (
                f"{quote(str(k), errors='replace')}={quote(str(v), errors='replace')}" for k, v in payload.items()
            )
            return "&".join(fields).encode(), "application/x-www-form-urlencoded"
        text = json.dumps(payload)
        if isinstance(payload, dict) and payload.get("type") != "event_callback":
            return f"payload={quote(text)}".encode(), "application/x-www-form-urlencoded"
        return text.encode(), "application/json"

    def _mutated(self) -> bytes:
        body, kind = self._body()
        return raw(body, signed(body, kind))

    def _odd_body(self) -> bytes:
        odd = (b"", b"{", b"[]", b"null", b"\xff\xfe", b"payload=", b"payload=%7B", b"a=1", b"payload=1&payload=2")
        more = (b"[" * 100_000, b"1" * 6_000, b'{"a":' * 50_000, b"\x00" * 50, self._draw.randbytes(200), b"NaN")
        body = self._draw.choice(odd + more)
        kinds = (
            "application/json",
            "application/x-www-form-urlencoded",
            "application/json; charset=utf-99",
            "text/xml",
            "",
        )
        return raw(body, signed(body, self._draw.choice(kinds)))

    def _unsigned(self) -> bytes:
        body, kind = self._body()
        now = int(time.time())
        match self._draw.randrange(8):
            case 0:
                headers = {k: v for k, v in signed(body, kind).items() if not k.startswith("X-Slack-Signature")}
            case 1:
                headers = {k: v for k, v in signed(body, kind).items() if not k.startswith("X-Slack-Request")}
            case 2:
                headers = signed(body, kind, secret="another")
            case 3:
                headers = signed(body, kind, stamp=str(now - 301 - self._draw.randrange(10**6)))
            case 4:
                headers = signed(body, kind, stamp=str(now + 320 + self._draw.randrange(10**6)))
            case 5:
                headers = signed(body, kind, stamp=self._draw.choice(("abc", "-1", "1e9", "٣", "9" * 40, "1.5")))
            case 6:
                headers = signed(body + b" ", kind) | {"Content-Length": str(len(body))}
            case _:
                headers = signed(body, kind) | {"X-Slack-Signature": self._draw.choice(("v0=", "é", "v0=" + "0" * 64))}
        return raw(body, headers)

    def _elsewhere(self) -> bytes:
        body, kind = self._body()
        method = self._draw.choice(
            ("GET", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "PATCH", "POST", "FOO", "CONNECT")
        )
        paths = (
            "/",
            "/slack/events",
            "/slack/events/",
            "/health",
            "/metrics",
            "/slack/../health",
            "/%00",
            "//",
            "/é",
            "*",
        )
        path = self._draw.choice((*paths, "/" + "a" * 9_000, "/health?" + "a=1&" * 500, "http://x/slack/events"))
        return raw(body, signed(body, kind), method, path)

    def _wrong_length(self) -> bytes:
        body, kind = self._body()
        lengths = (str(len(body) + 5), str(max(len(body) - 5, 0)), "-1", "abc", "", "9" * 30, "1, 2", "+5", "0x10")
        return raw(body, signed(body, kind) | {"Content-Length": self._draw.choice(lengths)})

    def _chunked(self) -> bytes:
        body, kind = self._body()
        headers = {k: v for k, v in signed(body, kind).items() if k != "Content-Length"}
        headers["Transfer-Encoding"] = self._draw.choice(
            ("chunked", "chunked", "gzip, chunked", "chunked, chunked", "x")
        )
        if self._draw.random() < 0.2:
            headers["Content-Length"] = str(len(body))
        size = self._draw.choice((1 + len(body) // 3, 7, len(body) or 1))
        parts = [body[at : at + size] for at in range(0, min(len(body), size * 300), size)]
        chunks = [f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts]
        ends = (b"0\r\n\r\n", b"", b"zz\r\n", b"-1\r\n\r\n", b"0\r\nX-A: b\r\n\r\n", b"ffffffffffffffff\r\n")
        return raw(b"".join(chunks) + self._draw.choice(ends), headers)

    def _pipelined(self) -> bytes:
        made = [self._mutated() for _ in range(self._draw.choice((2, 5, 12)))]
        return b"".join([*(one.replace(b"Connection: close\r\n", b"", 1) for one in made[:-1]), made[-1]])

    def _garbage(self) -> bytes:
        made = (
            self._draw.randbytes(self._draw.choice((1, 20, 3_000))),
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + self._draw.randbytes(100),
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /slack/events HTTP/1.1\r\n" + b"A: b\r\n" * 2_000 + b"\r\n",
            b"POST /slack/events HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
            b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Len",
            b"\r\n" * 500,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        )
        return self._draw.choice(made)

    def _large(self) -> bytes:
        body = b'{"type": "' + b"a" * self._draw.choice((900_000, 1_100_000, 3_000_000)) + b'"}'
        return raw(body, signed(body))

    def calls(self, count: int, schema: dict[str, Any], bases: Mapping[str, str]) -> None:
        """Has schemathesis call what the document says, as it says and otherwise."""
        loaded = schemathesis.openapi.from_dict(schema)
        operations: list[Any] = [result.ok() for result in loaded.get_all_operations()]  # type: ignore[union-attr]
        each = max(count // (2 * len(operations)), 1)
        session = http.Session()
        for operation in operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                base = bases[operation.definition.raw["x-at"]]
                strategy = operation.as_strategy(generation_mode=mode)
                self._call_all(strategy, base, session, each)

    def _call_all(self, strategy: st.SearchStrategy[Any], base: str, session: http.Session, count: int) -> None:
        @seed(self._number)
        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def call(case: Any) -> None:
            began = time.monotonic()
            try:
                answer = case.call(
                    base_url=base, session=session, headers={"Authorization": f"Bearer {BOT_TOKEN}"}, timeout=PATIENCE
                )
            except (http.RequestException, HTTPException, ValueError, UnicodeError):
                return  # what the client itself refuses to send
            self._found.calls += 1
            self._found.answered[answer.status_code] += 1
            self._found.took(time.monotonic() - began, case.operation.label)
            if answer.status_code >= 500:
                self._found.failures[f"{answer.status_code}: {case.operation.label}"] += 1

        with suppress(Unsatisfiable):  # an operation without parameters cannot be called wrongly
            call()


def document(methods: Collection[str] = METHODS) -> dict[str, Any]:
    """The doors as OpenAPI has them, with so much of the workspace's Web API. `x-at`: whose door it is."""
    answer = {"responses": {"200": {"description": "Taken."}, "default": {"description": "Refused."}}}
    json_body = {"application/json": {"schema": {"type": "object"}}}
    form = {
        "application/x-www-form-urlencoded": {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}
    }
    signing = [
        {"name": f"X-Slack-{name}", "in": "header", "required": True, "schema": {"type": "string"}}
        for name in ("Signature", "Request-Timestamp")
    ]
    paths: dict[str, Any] = {
        "/slack/events": {
            "post": {"x-at": "bot", "parameters": signing, "requestBody": {"content": json_body | form}, **answer}
        },
        "/health": {"get": {"x-at": "bot", **answer}},
        "/metrics": {"get": {"x-at": "metrics", **answer}},
    }
    for method in sorted(methods):
        names = ("channel", "user", "users", "ts", "text", "blocks", "view", "cursor", "limit", "timestamp", "name")
        fields = {name: {"type": "string"} for name in names}
        schema = {"type": "object", "properties": fields}
        content = {"application/json": {"schema": schema}, "application/x-www-form-urlencoded": {"schema": schema}}
        paths[f"/api/{method}"] = {"post": {"x-at": "workspace", "requestBody": {"content": content}, **answer}}
    return {"openapi": "3.0.3", "info": {"title": "Doors", "version": "1"}, "paths": paths}
