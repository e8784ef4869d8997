"""Slack as an app sees it that many workspaces install: one address for all, OAuth, and a token for each."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from html import escape
from types import TracebackType
from urllib.parse import urlencode

from aiohttp import web

from deploy.workspace.app_link import RETRY_SECONDS
from deploy.workspace.errors import ApiError
from deploy.workspace.http_delivery import HttpDelivery
from deploy.workspace.server import APP_TOKEN, HOST, SIGNING_SECRET, Workspace
from deploy.workspace.socket_mode import SocketMode
from deploy.workspace.state import APP_ID, BOT_USER, JSON
from deploy.workspace.tokens import Token, Tokens
from deploy.workspace.web_api.call import read_arguments
from deploy.workspace.web_routes import WebRoutes, token_of

CLIENT_ID = "10.20"
CLIENT_SECRET = "local-client-secret"  # noqa: S105 - opens nothing but this process


class _Served(WebRoutes):
    """A workspace's Web API, whose token was looked at before."""

    def _check_token(self, name: str, token: str) -> None:
        return


class Slack:
    """Several workspaces behind one address. Each has its page, its people and its messages at its own `url` as well.

    An app is installed by a person who agrees at `{url}/oauth/v2/authorize`. With `enterprise` (E…) the workspaces are
    those of one organisation, which may install the app for all of them. `redirect` is where the app is configured to
    be told; it may also name the same address itself.
    """

    def __init__(
        self, workspaces: Sequence[Workspace], *, enterprise: str | None = None, tokens: Tokens | None = None
    ) -> None:
        self.workspaces = {workspace.state.team_id: workspace for workspace in workspaces}
        self.tokens = tokens or Tokens()
        self.redirect = ""
        self.url = ""
        self._enterprise = enterprise
        self._runner: web.AppRunner | None = None
        for workspace in workspaces:
            workspace.state.enterprise_id = enterprise

    @property
    def api_url(self) -> str:
        """What `AsyncWebClient(base_url=…)` wants."""
        return f"{self.url}/api/"

    def reach_by_http(self, events_url: str, *, retry_seconds: Sequence[float] = RETRY_SECONDS) -> None:
        """Bring all to the app by signed requests, instead of over its sockets."""
        for workspace in self.workspaces.values():
            workspace.core.app.delivery = HttpDelivery(SIGNING_SECRET, events_url, retry_seconds=retry_seconds)

    def uninstall(self, installed: str) -> None:
        """A person removes the app from a workspace (T…) or an organisation (E…): tokens end, then the app is told."""
        self.tokens.revoke(installed)
        state = self._first(installed).state
        link = self._first(installed).core.app
        link.event({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [BOT_USER]}})
        link.event({"type": "app_uninstalled"})
        state.installed_by_org = False

    def take_access(self, enterprise_workspace: str) -> None:
        """An organisation takes the app out of one of its workspaces."""
        link = next(w for t, w in self.workspaces.items() if t != enterprise_workspace).core.app
        link.event({"type": "team_access_revoked", "team_ids": [enterprise_workspace]})

    async def start(self) -> None:
        """Listen, with every workspace."""
        self._sockets = SocketMode()
        for workspace in self.workspaces.values():
            await workspace.start()
            workspace.core.app.delivery = self._sockets
        server = web.Application(client_max_size=64 * 1024 * 1024)
        server.add_routes(
            [
                web.route("*", "/api/{method}", self._api),
                web.get("/link/", self._sockets.handle),
                web.get("/oauth/v2/authorize", self._ask),
                web.post("/oauth/v2/authorize", self._agree),
            ]
        )
        self._runner = web.AppRunner(server, access_log=None, shutdown_timeout=2)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening, and close every workspace."""
        await self._sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()
        for workspace in self.workspaces.values():
            await workspace.stop()

    async def __aenter__(self) -> Slack:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        try:
            args = await read_arguments(request)
            given = token_of(request, args)
            if method == "oauth.v2.access":
                return web.json_response({"ok": True, **self._access(request, args)})
            if method == "apps.connections.open":
                return web.json_response({"ok": True, **self._connect(given)})
            token = self.tokens.check(given)
            if method in ("auth.revoke", "apps.uninstall"):
                self._give_back(method, token, args)
                return web.json_response({"ok": True, "revoked": True})
            workspace = self._served(token, args)
        except ApiError as refused:
            return web.json_response({"ok": False, "error": refused.error, **refused.details})
        return await _Served(workspace.core).api(request)

    def _served(self, token: Token, args: JSON) -> Workspace:
        if token.installed in self.workspaces:
            return self.workspaces[token.installed]
        found = self.workspaces.get(str(args.get("team_id") or ""))
        if found is None:
            raise ApiError("missing_argument", argument="team_id")
        return found

    def _connect(self, given: str) -> JSON:
        if not hmac.compare_digest(given.encode(), APP_TOKEN.encode()):
            raise ApiError("invalid_auth")
        address = self.url.replace("http://", "ws://", 1)
        return {"url": f"{address}/link/?ticket={self._sockets.ticket()}&app_id={APP_ID}"}

    def _give_back(self, method: str, token: Token, args: JSON) -> None:
        if method == "auth.revoke":
            self.tokens.revoke(token.installed)
            return
        if (args.get("client_id"), args.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            raise ApiError("bad_client_secret")
        self.uninstall(token.installed)

    def _access(self, request: web.Request, args: JSON) -> JSON:
        self._check_client(request, args)
        if args.get("grant_type") == "refresh_token":
            token, renewing = self.tokens.renew(str(args.get("refresh_token") or ""))
            return self._granted(token, renewing, "")
        if args.get("redirect_uri") and args["redirect_uri"] != self.redirect:
            raise ApiError("bad_redirect_uri")
        return self._granted(*self.tokens.exchange(str(args.get("code") or "")))

    def _check_client(self, request: web.Request, args: JSON) -> None:
        given = (args.get("client_id"), args.get("client_secret"))
        scheme, _, basic = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            login, _, password = base64.b64decode(basic).decode().partition(":")
            given = (login, password)
        if given[0] != CLIENT_ID:
            raise ApiError("invalid_client_id")
        if given[1] != CLIENT_SECRET:
            raise ApiError("bad_client_secret")

    def _granted(self, token: Token, renewing: str | None, user: str) -> JSON:
        whole = token.installed == self._enterprise
        for workspace in self.workspaces.values() if whole else [self.workspaces[token.installed]]:
            workspace.core.bot_token = token.text
            workspace.state.installed_by_org = whole
        first = self._first(token.installed)
        more: JSON = {"refresh_token": renewing, "expires_in": int(self.tokens.seconds)} if renewing else {}
        return {
            "access_token": token.text,
            "token_type": "bot",
            "scope": ",".join(first.core.scopes),
            "bot_user_id": BOT_USER,
            "app_id": APP_ID,
            "team": None if whole else {"id": token.installed, "name": first.state.team_name},
            "enterprise": {"id": self._enterprise, "name": "The organisation"} if self._enterprise else None,
            "is_enterprise_install": whole,
            "authed_user": {"id": user},
            **more,
        }

    def _first(self, installed: str) -> Workspace:
        return self.workspaces.get(installed) or next(iter(self.workspaces.values()))

    async def _ask(self, request: web.Request) -> web.Response:
        """The page on which a person agrees; everything is chosen there, as whoever is signed in everywhere could."""
        asked = request.query
        if asked.get("client_id") != CLIENT_ID:
            return web.Response(text="Invalid client_id parameter", status=400)
        if asked.get("redirect_uri") and asked["redirect_uri"] != self.redirect:
            return web.Response(text="redirect_uri did not match any configured URIs", status=400)
        places = [(team, each.state.team_name) for team, each in self.workspaces.items()]
        if self._enterprise:
            places.append((self._enterprise, "All workspaces of the organisation"))
        options = "".join(f'<option value="{escape(each)}">{escape(name)}</option>' for each, name in places)
        scopes = "".join(f"<li>{escape(scope)}</li>" for scope in asked.get("scope", "").split(","))
        hidden = f'<input type="hidden" name="state" value="{escape(asked.get("state", ""))}">'
        return web.Response(
            text='<!doctype html><html lang="en"><title>Install an app</title><h1>An app asks for access</h1>'
            f'<ul>{scopes}</ul><form method="post">{hidden}<label>Where <select name="installed">{options}</select>'
            '</label> <button name="answer" value="allow">Allow</button> '
            '<button name="answer" value="cancel">Cancel</button></form></html>',
            content_type="text/html",
        )

    async def _agree(self, request: web.Request) -> web.Response:
        form = await request.post()
        back = {"state": str(form.get("state", ""))}
        if form.get("answer") == "allow":
            installed = str(form.get("installed", ""))
            people = self._first(installed).state.people.values()
            back["code"] = self.tokens.code(installed, next(each.id for each in people if each.is_owner))
        else:
            back["error"] = "access_denied"
        return web.Response(status=302, headers={"Location": f"{self.redirect}?{urlencode(back)}"})
