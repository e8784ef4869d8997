"""Socket Mode: envelopes to one of the app's sockets, acknowledgements back, what gets lost sent again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import uuid
from collections.abc import Sequence
from typing import Any, Literal

from aiohttp import WSMsgType, web

from deploy.workspace.app_link import ACK_SECONDS, RETRY_SECONDS, Kind
from deploy.workspace.errors import NotDelivered
from deploy.workspace.state import APP_ID, JSON

CLOSE_SECONDS = 1.0


class Socket:
    """One of the app's connections, with the envelopes that it has not acknowledged yet."""

    def __init__(self, request: web.Request, websocket: web.WebSocketResponse) -> None:
        self._request = request
        self.websocket = websocket
        self.acks: dict[str, asyncio.Future[JSON | None]] = {}

    async def send(self, frame: JSON) -> None:
        try:
            await self.websocket.send_str(json.dumps(frame))
        except (ConnectionError, RuntimeError) as gone:
            raise NotDelivered("socket_closed") from gone

    def acknowledge(self, frame: JSON) -> None:
        ack = self.acks.get(str(frame.get("envelope_id")))
        if ack is not None and not ack.done():
            ack.set_result(frame.get("payload"))

    def drop(self) -> None:
        """Cut the connection without a word, as a broken network does."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def lost(self) -> None:
        for ack in self.acks.values():
            if not ack.done():
                ack.set_exception(NotDelivered("socket_closed"))


class SocketMode:
    """A Delivery over the sockets that the app opens with `apps.connections.open`. Failed events come again after
    `retry_seconds`."""

    def __init__(self, ack_seconds: float = ACK_SECONDS, retry_seconds: Sequence[float] = RETRY_SECONDS) -> None:
        self._ack_seconds = ack_seconds
        self.retry_seconds = retry_seconds
        self._tickets: set[str] = set()
        self._open: list[Socket] = []
        self._all: set[Socket] = set()
        self._connected = asyncio.Event()

    def ticket(self) -> str:
        """What lets the app open one socket, once."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return ticket

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The socket's side of `GET /link/?ticket=…`."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=401, text="This ticket is unknown or was used before.")
        self._tickets.discard(ticket)
        websocket = web.WebSocketResponse(timeout=CLOSE_SECONDS, max_msg_size=0)
        await websocket.prepare(request)
        socket = Socket(request, websocket)
        self._all.add(socket)
        try:
            await socket.send(self._hello(len(self._open) + 1))
            self._open.append(socket)
            self._connected.set()
            async for message in websocket:
                if message.type is WSMsgType.TEXT:
                    socket.acknowledge(_frame(message.data))
        except (NotDelivered, ConnectionResetError):
            pass  # The client left before it was greeted, or while its ping was answered.
        finally:
            self._retire(socket)
            self._all.discard(socket)
            socket.lost()
        return websocket

    async def event(self, payload: JSON) -> None:
        for attempt, pause in enumerate((*self.retry_seconds, None)):
            try:
                await self._send("events_api", payload, attempt)
                return
            except NotDelivered:
                if pause is None:
                    raise
                await asyncio.sleep(pause)

    async def interaction(self, kind: Kind, payload: JSON) -> JSON | None:
        if not self._open:
            raise NotDelivered("dispatch_failed")
        return await self._send(kind, payload, 0)

    async def close_sockets(self, how: Literal["disconnect", "hard"]) -> int:
        """Ask the app to reconnect (`disconnect`), or cut its sockets (`hard`); returns how many there were."""
        sockets = list(self._open)
        for socket in sockets:
            self._retire(socket)
            if how == "hard":
                socket.drop()
            else:
                with contextlib.suppress(NotDelivered):
                    await socket.send({"type": "disconnect", "reason": "refresh_requested"})
        return len(sockets)

    async def close(self) -> None:
        for socket in list(self._all):
            await socket.websocket.close()

    async def _send(self, kind: str, payload: JSON, attempt: int) -> JSON | None:
        while not self._open:
            await self._connected.wait()
        socket = self._open.pop(0)
        self._open.append(socket)
        envelope_id = str(uuid.uuid4())
        ack: asyncio.Future[JSON | None] = asyncio.get_running_loop().create_future()
        socket.acks[envelope_id] = ack
        try:
            await socket.send(
                {
                    "envelope_id": envelope_id,
                    "type": kind,
                    "payload": payload,
                    "accepts_response_payload": kind != "events_api",
                    "retry_attempt": attempt,
                    "retry_reason": "timeout" if attempt else "",
                }
            )
            return await asyncio.wait_for(ack, self._ack_seconds)
        except TimeoutError as late:
            raise NotDelivered("operation_timeout") from late
        finally:
            socket.acks.pop(envelope_id, None)

    def _retire(self, socket: Socket) -> None:
        """Send nothing more through this socket; what it still acknowledges counts."""
        if socket in self._open:
            self._open.remove(socket)
        if not self._open:
            self._connected.clear()

    @staticmethod
    def _hello(connections: int) -> JSON:
        return {
            "type": "hello",
            "num_connections": connections,
            "connection_info": {"app_id": APP_ID},
            "debug_info": {"host": "local", "approximate_connection_time": 18060},
        }


def _frame(text: str) -> JSON:
    try:
        frame: Any = json.loads(text)
    except ValueError:
        return {}
    return frame if isinstance(frame, dict) else {}
