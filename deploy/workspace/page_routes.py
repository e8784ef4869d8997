"""The page and its private API below /_/: what it shows, and what happens live."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import WSMsgType, web

from deploy.workspace.acts import Acts
from deploy.workspace.core import Core
from deploy.workspace.errors import ActError
from deploy.workspace.membership import channel_for_page
from deploy.workspace.state import APP_ID, BOT_USER, JSON, Channel

CLOSE_SECONDS = 1.0
STATIC = Path(__file__).parent / "static"


class PageRoutes:
    """Everything that the page asks for; the acting person is named by `as`."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._acts = Acts(core)
        self._live: set[web.WebSocketResponse] = set()

    def table(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.page),
            web.get("/archives/{channel}/{message}", self.page),
            web.get("/static/{path:.+}", self.static),
            web.get("/_/boot", self.boot),
            web.get("/_/history", self.history),
            web.get("/_/live", self.live),
            web.get("/_/file/{file}", self.file),
            web.post("/_/act", self.act),
        ]

    async def page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    async def static(self, request: web.Request) -> web.StreamResponse:
        path = (STATIC / request.match_info["path"]).resolve()
        if not path.is_relative_to(STATIC.resolve()) or not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

    async def boot(self, request: web.Request) -> web.Response:
        """All that the page needs to draw itself for a person."""
        state, user = self._core.state, self._person(request.query.get("as"))
        bot = state.people[BOT_USER]
        return web.json_response(
            {
                "team": {"id": state.team_id, "name": state.team_name},
                "me": state.people[user].for_page(),
                "users": [person.for_page() for person in state.people.values()],
                "bot": {"user_id": bot.id, "name": bot.real_name, "app_id": APP_ID},
                "channels": [channel_for_page(channel, user) for channel in state.channels_of(user)],
                "commands": state.commands,
                "shortcuts": state.shortcuts,
                "prompts": {key: value for key, value in state.prompts.items() if self._sees(user, key)},
                "unread": state.unread(user),
                "home": state.homes.get(user),
            }
        )

    async def history(self, request: web.Request) -> web.Response:
        """A channel's top-level messages or one thread, oldest first; reading a channel marks it as read."""
        user = self._person(request.query.get("as"))
        channel = self._channel(user, request.query.get("channel"))
        thread_ts = request.query.get("thread")
        if not thread_ts:
            self._core.state.last_read[user, channel.id] = self._core.state.next_ts()
        return web.json_response({"messages": self._core.messages.history(channel, user, thread_ts)})

    async def live(self, request: web.Request) -> web.StreamResponse:
        """A WebSocket that carries every event for the person until the page goes away."""
        user = self._person(request.query.get("as"))
        websocket = web.WebSocketResponse(timeout=CLOSE_SECONDS)
        await websocket.prepare(request)
        self._live.add(websocket)
        with self._core.feed.subscribe(user) as queue:
            await websocket.send_json({"type": "hello"})
            sender = asyncio.create_task(_forward(queue, websocket))
            try:
                async for message in websocket:
                    if message.type is WSMsgType.ERROR:
                        break
            finally:
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)
                self._live.discard(websocket)
        return websocket

    async def file(self, request: web.Request) -> web.Response:
        file = self._core.state.files.get(request.match_info["file"])
        if file is None:
            raise web.HTTPNotFound
        headers = {
            "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=file.content, content_type=file.mimetype, headers=headers)

    async def act(self, request: web.Request) -> web.Response:
        """Do something as a person: {ok: true, …}, or {ok: false, error} with a plain sentence."""
        try:
            act = await request.json()
            if not isinstance(act, dict):
                raise ActError("An act is a JSON object with `as` and `do`.")
            answer = await self._acts.do(self._person(act.get("as")), act)
        except ValueError:
            return web.json_response({"ok": False, "error": "The request is no valid JSON."}, status=400)
        except ActError as refused:
            return web.json_response({"ok": False, "error": str(refused)})
        return web.json_response({"ok": True, **answer})

    async def close(self) -> None:
        for websocket in list(self._live):
            await websocket.close()

    def _person(self, user: str | None) -> str:
        person = self._core.state.people.get(user or "")
        if person is None or person.is_bot:
            raise ActError(f"There is nobody with the id {user!r} here.")
        return person.id

    def _channel(self, user: str, channel_id: str | None) -> Channel:
        channel = self._core.state.channels.get(channel_id or "")
        if channel is None or not self._core.state.sees(user, channel):
            raise ActError("This channel is not there, or not open to you.")
        return channel

    def _sees(self, user: str, channel_id: str) -> bool:
        channel = self._core.state.channels.get(channel_id)
        return channel is not None and self._core.state.sees(user, channel)


async def _forward(queue: asyncio.Queue[JSON], websocket: web.WebSocketResponse) -> None:
    while True:
        await websocket.send_json(await queue.get())
