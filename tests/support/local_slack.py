"""The local workspace in the same process: the bot's client calls its methods without HTTP between them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from deploy.workspace.core import Core
from deploy.workspace.errors import ApiError
from deploy.workspace.state import BOT_USER, JSON, Channel, Person, State
from deploy.workspace.web_api import METHODS
from deploy.workspace.web_api.call import Call
from deploy.workspace.web_api.scopes import EVERY_SCOPE

_TELLING = ("conversations.info", "conversations.members", "users.")


class Deliveries:
    """The app's end of the workspace's events. While `deaf`, they get lost."""

    def __init__(self) -> None:
        self.listener: Callable[[JSON], Awaitable[None]] | None = None
        self.deaf = False
        self.heard = 0

    async def event(self, payload: JSON) -> None:
        """Hands an event to whoever listens."""
        if not self.deaf and self.listener is not None:
            self.heard += 1
            await self.listener(payload)

    async def interaction(self, kind: str, payload: JSON) -> JSON | None:
        """Nothing of the page is clicked here."""
        return None

    async def close(self) -> None:
        """Holds nothing."""


class LocalSlack(AsyncWebClient):
    """A client whose calls the workspace answers at once. While `silent`, it does not tell who is where.

    `shown`: what the bot opened as modals, as (person, view), by the trigger's id being the person's.
    """

    def __init__(self, people: list[Person], channels: list[Channel], team: str = "T0LOCAL") -> None:
        super().__init__(token="local")
        bot = Person(BOT_USER, "switchboard", "Switchboard", is_bot=True)
        self.core = Core(
            State(team, "Acme", [*people, bot], channels),
            bot_token="local",
            app_token="local",
            signing_secret="local",
            scopes=EVERY_SCOPE,
            stream_seconds=300,
            ack_seconds=3,
            retry_seconds=(),
            trigger_seconds=60,
        )
        self.deliveries = Deliveries()
        self.core.app.delivery = self.deliveries
        self.silent = False
        self.shown: list[tuple[str, JSON]] = []

    async def api_call(self, api_method: str, **options: Any) -> AsyncSlackResponse:
        """The answer of the workspace's own method. Raises SlackApiError as the real client does."""
        given = {**(options.get("params") or {}), **(options.get("data") or {}), **(options.get("json") or {})}
        args = {name: value for name, value in given.items() if value is not None}
        if self.silent and api_method.startswith(_TELLING):
            raise aiohttp.ClientConnectionError("nobody answers")
        try:
            if api_method == "views.open":
                self.shown.append((str(args["trigger_id"]), args["view"]))
                answer: JSON = {}
            else:
                answer = await METHODS[api_method](Call(self.core, args))
            data = {"ok": True, **answer}
        except ApiError as refused:
            data = {"ok": False, "error": refused.error, **refused.details}
        response = AsyncSlackResponse(
            client=self,
            http_verb="POST",
            api_url=api_method,
            req_args={},
            data=data,
            headers={},
            status_code=200,
        )
        response.validate()  # type: ignore[no-untyped-call]
        return response
