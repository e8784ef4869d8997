"""The way of an installation: the page with the button, Slack's own page, and back with a code."""

from __future__ import annotations

import hmac
from contextlib import suppress
from urllib.parse import urlencode, urljoin

import structlog
from aiohttp import ClientError, web
from slack_sdk.errors import SlackApiError

from bot.tenancy.oauth import NotGranted
from bot.tenancy.pages import install_page, installed_page, trouble_page
from bot.tenancy.registry import Grant
from bot.tenancy.states import MINUTES, States
from bot.tenancy.tenancy import Tenancy
from handlers.errors import new_reference

log = structlog.get_logger("bot.tenancy")

INSTALL = "/slack/install"
BEGIN = "/slack/install/begin"
BACK = "/slack/oauth_redirect"
_COOKIE = "switchboard_install"


class Installing:
    """GET /slack/install, /slack/install/begin and /slack/oauth_redirect."""

    def __init__(self, tenancy: Tenancy, states: States) -> None:
        self._tenancy = tenancy
        self._states = states

    def routes(self) -> list[web.RouteDef]:
        """What the server has to serve."""
        return [web.get(INSTALL, self.page), web.get(BEGIN, self.begin), web.get(BACK, self.back)]

    async def page(self, _request: web.Request) -> web.Response:
        """What is installed, with the button."""
        return install_page(list(self._tenancy.oauth.scopes), BEGIN)

    async def begin(self, request: web.Request) -> web.Response:
        """Off to Slack, with a state that this browser alone can bring back."""
        state = await self._states.new()
        answer = web.Response(status=302, headers={"Location": self._tenancy.oauth.address(state)})
        answer.headers["Cache-Control"] = "no-store"
        public = self._tenancy.settings.http.public_url
        answer.set_cookie(
            _COOKIE,
            state,
            max_age=MINUTES * 60,
            path=BACK,
            httponly=True,
            samesite="Lax",
            secure=public.startswith("https:") or request.headers.get("X-Forwarded-Proto") == "https",
        )
        return answer

    async def back(self, request: web.Request) -> web.Response:
        """Back from Slack. Whatever happens, the person sees what, and the log has the same reference."""
        reference = new_reference()
        with structlog.contextvars.bound_contextvars(reference=reference):
            try:
                answer = await self._back(request, reference)
            except (SlackApiError, ClientError, OSError, TimeoutError) as error:
                log.warning("installation_failed", problem=type(error).__name__)
                answer = trouble_page(
                    "Slack does not answer",
                    "Nothing was installed. Please try again in a minute.",
                    INSTALL,
                    reference,
                    status=502,
                )
            except Exception:  # the outermost door of this request
                log.exception("installation_failed")
                answer = trouble_page(
                    "Something went wrong on our side",
                    "The installation could not be kept. Please try again; whoever runs this bot finds the details in "
                    "its log.",
                    INSTALL,
                    reference,
                    status=500,
                )
        answer.del_cookie(_COOKIE, path=BACK)
        return answer

    async def _back(self, request: web.Request, reference: str) -> web.Response:
        asked, state = request.query, request.query.get("state", "")
        mine = request.cookies.get(_COOKIE, "")
        if not state or not hmac.compare_digest(state.encode(), mine.encode()) or not await self._states.use(state):
            log.info("installation_refused", problem="state")
            return trouble_page(
                "This installation cannot be finished",
                f"It was begun more than {MINUTES} minutes ago, in another browser, or it was finished before. Nothing "
                "was changed.",
                INSTALL,
                reference,
                status=400,
            )
        if error := asked.get("error"):
            return _not_agreed(error, reference)
        try:
            grant = await self._tenancy.oauth.granted(asked.get("code", ""))
        except NotGranted as refused:
            log.warning("installation_refused", problem=str(refused))
            return trouble_page(
                "Slack did not grant the installation",
                f"Slack said: {refused}. Nothing was installed; please start again.",
                INSTALL,
                reference,
                status=400,
            )
        if not self._may_install(grant):
            log.warning("installation_refused", problem="not among slack.installable", installation=grant.id)
            with suppress(SlackApiError, ClientError, OSError, TimeoutError):
                await self._tenancy.oauth.revoke(grant)
            return trouble_page(
                f"Switchboard is not offered to {grant.name}",
                "Whoever runs this bot has to allow your workspace first. Nothing was installed.",
                INSTALL,
                reference,
                status=403,
            )
        again = await self._tenancy.install(grant)
        return installed_page(grant.name, _slack(self._tenancy.oauth.base_url, grant), again=again)

    def _may_install(self, grant: Grant) -> bool:
        allowed = self._tenancy.settings.slack.installable
        return not allowed or grant.id in allowed or (grant.enterprise or "") in allowed


def _not_agreed(error: str, reference: str) -> web.Response:
    log.info("installation_refused", problem=error)
    if error == "access_denied":
        return trouble_page(
            "You cancelled the installation",
            "Nothing was installed and nothing was changed.",
            INSTALL,
            reference,
            status=200,
        )
    return trouble_page(
        "Slack did not grant the installation",
        f"Slack said: {error[:100]}. Nothing was installed; please start again.",
        INSTALL,
        reference,
        status=400,
    )


def _slack(base_url: str, grant: Grant) -> str:
    return f"{urljoin(base_url, '/app_redirect')}?{urlencode({'team': grant.id, 'channel': grant.bot_user})}"
