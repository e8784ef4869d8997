"""Bolt, as the bot uses it: one that knows what it has not finished; and how a payload gets to it from a door."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import time
from typing import Any, Protocol

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from handlers.shapes import Malformed, understood
from handlers.slack_client import SlackClient
from handlers.under_way import UnderWay

log = structlog.get_logger(__name__)

Headers = Mapping[str, str | Sequence[str]]


class Dispatcher(Protocol):
    """Takes what Slack sends: Bolt, or a door before several of them."""

    @property
    def client(self) -> AsyncWebClient:
        """Opens sockets with the app token."""

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """What Slack gets as an answer."""


async def take(dispatcher: Dispatcher, payload: object, headers: Headers) -> BoltResponse:
    """Hands on a payload that a door knows to be Slack's; what Slack gets as an answer.

    What cannot be understood is acknowledged all the same: it would be no better the next time.
    """
    try:
        body = understood(payload)
    except Malformed as wrong:
        log.warning("payload_refused", why=str(wrong))
        return BoltResponse(status=200, body="")
    # To Bolt a verified request is one of Socket Mode.
    return await dispatcher.async_dispatch(AsyncBoltRequest(body=body, headers=dict(headers), mode="socket_mode"))


class SocketDoor(AsyncSocketModeHandler):
    """Socket Mode, whose connection Slack opened for us."""

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        """One envelope."""
        start = time()
        answer = await take(self.app, req.payload, build_headers(req) or {})
        await send_async_response(client, req, answer, start)


class Bolt(AsyncApp):
    """An AsyncApp whose dispatches are under way from the first step, which asks Slack whose token it has.

    Nobody else waits for them: closing a socket leaves the frames that it brought in tasks of their own. Once
    draining began none is taken on or acknowledged: Slack sends it again, to another process or to the next.
    """

    client: SlackClient

    def __init__(self, **options: Any) -> None:
        with _without("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
            super().__init__(**options)
        self.under_way = UnderWay()

    def use_token(self, token: str, workspace: str | None) -> None:
        """From now on every call has this token; `workspace` is named in each where the token is an organisation's."""
        self.client.token = self._token = token
        self.client.default_params.pop("team_id", None)
        if workspace is not None:
            self.client.default_params["team_id"] = workspace

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """What Slack gets as an answer; 503 once draining began."""
        if self.under_way.draining:
            return BoltResponse(status=503, body="")
        response: BoltResponse = await self.under_way.run(super().async_dispatch(req))
        return response


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """Hides variables: where it finds these two, Bolt begins an OAuth of its own, keeps tokens in plain files and
    forgets the token that it was given."""
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)
