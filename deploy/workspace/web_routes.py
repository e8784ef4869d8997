"""The addresses that the app calls: /api/…, uploads, private files and response URLs."""

from __future__ import annotations

import hmac

from aiohttp import web

from deploy.workspace.calls import Fault
from deploy.workspace.core import Core
from deploy.workspace.errors import ApiError
from deploy.workspace.state import JSON
from deploy.workspace.web_api import METHODS
from deploy.workspace.web_api.call import Call, read_arguments
from deploy.workspace.web_api.scopes import check_scope

_WITHOUT_TOKEN = frozenset({"api.test", "oauth.v2.access"})
_WITH_APP_TOKEN = frozenset({"apps.connections.open"})


class WebRoutes:
    """Slack's side of what an app sends."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def table(self) -> list[web.RouteDef]:
        return [
            web.post("/api/{method}", self.api),
            web.get("/api/{method}", self.api),
            web.get("/link/", self._core.sockets.handle),
            web.post("/upload/{file}", self.upload),
            web.get("/files-pri/{file}/{name}", self.private_file),
            web.post("/response/{key}", self.respond),
        ]

    async def api(self, request: web.Request) -> web.Response:
        """One Web API call: a fault that a test asked for, an error as Slack words it, or the method's answer."""
        name = request.match_info["method"]
        args: JSON = {}
        try:
            args = await read_arguments(request)
            fault = self._core.faults.take(name)
            if fault is not None:
                return await self._fail(name, args, fault)
            self._check_token(name, token_of(request, args))
            method = METHODS.get(name)
            if method is None:
                raise ApiError("unknown_method", req_method=name)
            check_scope(name, self._core.scopes)
            answer: JSON = {"ok": True, **await method(Call(self._core, args))}
        except ApiError as refused:
            answer = {"ok": False, "error": refused.error, **refused.details}
        await self._core.calls.add(name, args, answer)
        headers = {"x-oauth-scopes": ",".join(self._core.scopes)} if answer["ok"] else None
        return web.json_response(answer, headers=headers)

    async def upload(self, request: web.Request) -> web.Response:
        """The second step of an upload: the bytes, as the whole body or as one part of a form."""
        file = self._core.state.files.get(request.match_info["file"])
        if file is None or file.shared:
            return web.Response(status=404, text="This upload is unknown or was completed before.")
        if request.content_type == "multipart/form-data":
            parts = (await request.post()).values()
            file.content = next((part.file.read() for part in parts if isinstance(part, web.FileField)), b"")
        else:
            file.content = await request.read()
        file.size = len(file.content)
        return web.Response(text=f"OK - {file.size}", content_type="text/plain")

    async def private_file(self, request: web.Request) -> web.Response:
        file = self._core.state.files.get(request.match_info["file"])
        if not _same(token_of(request, {}), self._core.bot_token):
            raise web.HTTPFound("/")  # Slack sends those without a token to its sign-in page.
        if file is None:
            raise web.HTTPNotFound
        return web.Response(body=file.content, content_type=file.mimetype)

    async def respond(self, request: web.Request) -> web.Response:
        """A response URL: `ok` as plain text, or the error as Slack words it."""
        try:
            answer = await request.json()
            if not isinstance(answer, dict):
                raise ApiError("invalid_payload")
            origin = self._core.response_urls.use(request.match_info["key"])
            self._core.interactions.respond(origin, answer)
        except ValueError:
            return web.Response(status=400, text="invalid_payload")
        except ApiError as refused:
            await self._core.calls.add("response_url", {}, {"ok": False, "error": refused.error})
            status = 404 if refused.error in ("expired_url", "used_url") else 400
            return web.json_response({"ok": False, "error": refused.error}, status=status)
        await self._core.calls.add("response_url", answer, {"ok": True})
        return web.Response(text="ok")

    def _check_token(self, name: str, token: str) -> None:
        if name in _WITHOUT_TOKEN:
            return
        if not token:
            raise ApiError("not_authed")
        right, other = self._core.bot_token, self._core.app_token
        if name in _WITH_APP_TOKEN:
            right, other = other, right
        if _same(token, other):
            raise ApiError("not_allowed_token_type")
        if not _same(token, right):
            raise ApiError("invalid_auth")

    async def _fail(self, name: str, args: JSON, fault: Fault) -> web.Response:
        error, status, headers = fault.error, 200, {}
        if fault.kind == "rate_limited":
            error, status, headers = "ratelimited", 429, {"Retry-After": str(fault.retry_after)}
        elif fault.kind == "http_500":
            error, status = "internal_error", 500
        answer = {"ok": False, "error": error}
        await self._core.calls.add(name, args, answer)
        return web.json_response(answer, status=status, headers=headers)


def token_of(request: web.Request, args: JSON) -> str:
    """The token of a call, "" where it has none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else str(args.get("token") or "")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
