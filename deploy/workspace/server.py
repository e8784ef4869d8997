"""The local workspace as a server: what to start, and how to stop it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from deploy.workspace import snapshot
from deploy.workspace.app_link import ACK_SECONDS, RETRY_SECONDS
from deploy.workspace.control import ControlRoutes
from deploy.workspace.core import Core
from deploy.workspace.errors import ActError
from deploy.workspace.http_delivery import HttpDelivery
from deploy.workspace.page_routes import PageRoutes
from deploy.workspace.seed import demo_seed
from deploy.workspace.state import JSON, State
from deploy.workspace.streams import STREAM_SECONDS
from deploy.workspace.triggers import TRIGGER_SECONDS
from deploy.workspace.web_api.scopes import EVERY_SCOPE
from deploy.workspace.web_routes import WebRoutes

HOST = "127.0.0.1"
BOT_TOKEN = "xoxb-local-bot"  # noqa: S105 - opens nothing but this process
APP_TOKEN = "xapp-local-app"  # noqa: S105 - opens nothing but this process
SIGNING_SECRET = "local-signing-secret"  # noqa: S105 - opens nothing but this process
MAX_BODY = 64 * 1024 * 1024


class Workspace:
    """A Slack look-alike on 127.0.0.1: Web API below `{url}/api/`, Socket Mode, and a page at `{url}/`.

    `port` 0 takes any free one; `seed` is changed by what happens. `commands` ({command, description, usage_hint}),
    `shortcuts` ({name, callback_id, type}) and `scopes` are those of the app's manifest. With `state_file` the
    messages are read from there at the start and kept there at the end. With `events_url` the app is reached by signed
    HTTP, else over its sockets. A stream stays open for `stream_seconds`, a trigger id is good for `trigger_seconds`,
    the app has `ack_seconds` for an acknowledgement, and what it does not acknowledge comes again after
    `retry_seconds`.
    """

    def __init__(
        self,
        *,
        port: int = 8700,
        seed: State | None = None,
        commands: Sequence[JSON] = (),
        shortcuts: Sequence[JSON] = (),
        scopes: Sequence[str] = EVERY_SCOPE,
        signing_secret: str = SIGNING_SECRET,
        events_url: str = "",
        state_file: Path | None = None,
        stream_seconds: float = STREAM_SECONDS,
        ack_seconds: float = ACK_SECONDS,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
        trigger_seconds: float = TRIGGER_SECONDS,
    ) -> None:
        self._port = port
        self.state = seed or demo_seed()
        self.state.commands = [dict(command) for command in commands]
        self.state.shortcuts = [dict(shortcut) for shortcut in shortcuts]
        self._scopes = scopes
        self._signing_secret = signing_secret
        self._events_url = events_url
        self._state_file = state_file
        self._stream_seconds = stream_seconds
        self._ack_seconds = ack_seconds
        self._retry_seconds = retry_seconds
        self._trigger_seconds = trigger_seconds
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address of the page, without a slash at its end."""
        return self.state.url

    @property
    def api_url(self) -> str:
        """What `AsyncWebClient(base_url=…)` wants."""
        return f"{self.state.url}/api/"

    async def start(self) -> None:
        """Listen. OSError where the port is taken; StateFileError where the state file cannot be used."""
        if self._state_file is not None:
            snapshot.load(self.state, self._state_file)
        pristine = copy.deepcopy(self.state)
        self.core = Core(
            self.state,
            bot_token=BOT_TOKEN,
            app_token=APP_TOKEN,
            signing_secret=self._signing_secret,
            scopes=self._scopes,
            stream_seconds=self._stream_seconds,
            ack_seconds=self._ack_seconds,
            retry_seconds=self._retry_seconds,
            trigger_seconds=self._trigger_seconds,
        )
        if self._events_url:
            self.core.app.delivery = HttpDelivery(
                self._signing_secret,
                self._events_url,
                ack_seconds=self._ack_seconds,
                retry_seconds=self._retry_seconds,
            )
        self._page = PageRoutes(self.core)
        control = ControlRoutes(self.core, lambda: self.core.reset(pristine))
        app = web.Application(client_max_size=MAX_BODY, middlewares=[_only_from_here, _sentences])
        app.add_routes([*WebRoutes(self.core).table(), *self._page.table(), *control.table()])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await self._runner.setup()
        try:
            site = web.TCPSite(self._runner, HOST, self._port)
            await site.start()
        except OSError:
            await self.stop()
            raise
        port = self._runner.addresses[0][1]
        self.state.url = f"http://{HOST}:{port}"

    async def stop(self) -> None:
        """Close every connection and stop listening; keeps the messages where there is a state file."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        await self.core.close()
        await self._page.close()
        await runner.cleanup()
        if self._state_file is not None and self.state.url:
            snapshot.save(self.state, self._state_file)

    async def __aenter__(self) -> Workspace:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


@web.middleware
async def _only_from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep other web sites in the person's browser out: nobody here needs a password."""
    origin = request.headers.get("Origin")
    if urlsplit(f"//{request.host}").hostname not in (HOST, "localhost"):
        raise web.HTTPForbidden(text="The workspace answers on 127.0.0.1 and localhost only.")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="The workspace takes no requests from other sites.")
    return await handler(request)


@web.middleware
async def _sentences(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ActError as refused:
        return web.json_response({"ok": False, "error": str(refused)}, status=404)
