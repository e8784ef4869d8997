"""Slack's events, commands and interactions over HTTP: what is not signed by Slack, late, repeated or too large is
refused, and each refusal is logged once, with its reason and without what was sent."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier

from handlers.bolt import Headers
from handlers.errors import new_reference
from handlers.shapes import JSON

log = structlog.get_logger(__name__)

MOST_BYTES = 1_000_000
"""The largest body that is read: Slack's are below 100 kB."""
BODY_SECONDS = 5.0
"""How long a body may take to come; Slack itself gives up after three."""
HEAD_SECONDS = 15.0
"""How long a connection may stay open without a whole request."""
WINDOW_SECONDS = 300
"""How far a time-stamp may lie from now [Slack: verifying requests]."""
_FORM = "application/x-www-form-urlencoded"
_TYPES = ("application/json", _FORM)

Take = Callable[[object, Headers], Awaitable[BoltResponse]]
IsNew = Callable[[str], Awaitable[bool]]


class HttpDoor:
    """One address. `take` works on a payload; `is_new` tells whether a signature comes for the first time."""

    def __init__(self, secret: str, take: Take, is_new: IsNew, *, body_seconds: float = BODY_SECONDS) -> None:
        self._verifier = SignatureVerifier(secret)
        self._take = take
        self._is_new = is_new
        self._body_seconds = body_seconds

    async def events(self, request: web.Request) -> web.Response:
        """A request of Slack's. Raises web.HTTPException where it is refused."""
        if request.content_type not in _TYPES:
            raise web.HTTPUnsupportedMediaType(reason="no content type of Slack's")
        stamp, signature = _signed(request.headers)
        raw = await self._body(request)
        if not hmac.compare_digest(self._expected(stamp, raw).encode(), signature.encode("utf-8", "replace")):
            raise web.HTTPUnauthorized(reason="the signature is wrong")
        payload = _parsed(raw, request.content_type)
        # Slack repeats events, under ids of their own, by which they are known again; nothing else comes twice.
        if payload.get("type") not in ("event_callback", "url_verification") and not await self._is_new(signature):
            raise web.HTTPUnauthorized(reason="the request came before")
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer: web.Response = await to_aiohttp_response(await self._take(payload, headers))
        return answer

    async def _body(self, request: web.Request) -> bytes:
        if (request.content_length or 0) > MOST_BYTES:
            raise web.HTTPRequestEntityTooLarge(MOST_BYTES, request.content_length or 0, reason="the body is too large")
        try:
            async with asyncio.timeout(self._body_seconds):
                return await request.read()
        except ConnectionError:
            raise web.HTTPBadRequest(reason="whoever sent it went away before its end") from None
        except TimeoutError:
            raise web.HTTPRequestTimeout(reason="the body did not come in time") from None

    def _expected(self, stamp: str, raw: bytes) -> str:
        try:
            return str(self._verifier.generate_signature(timestamp=stamp, body=raw))
        except UnicodeDecodeError:
            raise web.HTTPBadRequest(reason="the body is no UTF-8") from None


def application(*routes: web.AbstractRouteDef) -> web.Application:
    """A server of these routes in which a refusal is one line in the log, and what breaks has a reference."""
    server = web.Application(client_max_size=MOST_BYTES, middlewares=[_guarded])
    server.add_routes(routes)
    return server


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as refused:
        if refused.status >= 400:
            log.warning("request_refused", status=refused.status, why=refused.reason, remote=request.remote)
            return _answer(refused.status, "refused")
        raise
    except Exception:  # the outermost door of a request
        reference = new_reference()
        log.exception("request_failed", reference=reference)
        return _answer(500, f"failed (reference {reference})")


def _answer(status: int, word: str) -> web.Response:
    response = web.json_response({"error": word}, status=status)
    if status in (408, 413):
        response.force_close()  # what is left of the body is not waited for
    return response


def _signed(headers: Mapping[str, str]) -> tuple[str, str]:
    """Time-stamp and signature; refused where one is missing or the time is not now."""
    stamp, signature = headers.get("X-Slack-Request-Timestamp", ""), headers.get("X-Slack-Signature", "")
    if not stamp or not signature:
        raise web.HTTPUnauthorized(reason="it is not signed")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise web.HTTPUnauthorized(reason="the time-stamp is none")
    apart = time.time() - int(stamp)
    if abs(apart) > WINDOW_SECONDS:
        raise web.HTTPUnauthorized(reason=f"the time-stamp is too {'old' if apart > 0 else 'new'}")
    return stamp, signature


def _parsed(raw: bytes, content_type: str) -> JSON:
    """The payload that a body holds: JSON, a form, or JSON in a form's field "payload"."""
    text = raw.decode("utf-8")
    try:
        if content_type == _FORM:
            fields: JSON = dict(parse_qsl(text, keep_blank_values=True, errors="replace"))
            if "payload" not in fields:
                return fields
            text = fields["payload"]
        payload = json.loads(text)
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest(reason="the body cannot be parsed") from None
    if not isinstance(payload, dict):
        raise web.HTTPBadRequest(reason="the body is no object")
    return payload


class ServerLog:
    """What the HTTP server itself says: bytes that are no HTTP are a refusal, and are not repeated in the log."""

    def exception(self, *_args: object, exc_info: Any = None, **_more: object) -> None:
        """Something went wrong with a connection."""
        if isinstance(exc_info, HttpProcessingError | ValueError):
            log.warning("request_refused", status=400, why="it is no HTTP")
        else:
            log.exception("connection_failed")

    def debug(self, *_args: object, **_more: object) -> None:
        """Says nothing of whoever went away."""

    info = warning = error = debug
