"""The door that all workspaces come in by: each request goes to the house that it is for, and to no other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import structlog
from aiohttp import ClientError
from slack_bolt.logger import get_bolt_logger
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import NotInstalled
from bot.house import House
from bot.tenancy.tenancy import Tenancy
from bot.tenancy.whose import organisation, whose
from handlers.errors import new_reference

log = structlog.get_logger("bot.tenancy")

PATIENCE_SECONDS = 2.0
"""So long a request waits for its house to open: Slack waits three."""
OPENING = "I am just starting up for your workspace. Please try again in a few seconds."
UNOPENED = "I cannot start for your workspace now. An admin of the bot finds why in the log (reference {reference})."
NOBODYS = "Slack did not say which workspace this is for, so I cannot answer. Please try it in a channel of yours."


class FrontDoor:
    """Takes a request as Bolt does, which another door knows to be Slack's, and hands it on."""

    def __init__(self, tenancy: Tenancy) -> None:
        self.client = AsyncWebClient(base_url=tenancy.settings.slack.base_url, session=tenancy.oauth.session)
        self.logger = get_bolt_logger(FrontDoor)
        self._tenancy = tenancy

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """What Slack gets as an answer."""
        body: Mapping[str, Any] = req.body if isinstance(req.body, Mapping) else {}
        if body.get("type") == "url_verification":
            return BoltResponse(status=200, body={"challenge": str(body.get("challenge") or "")})
        if body.get("ssl_check"):
            return BoltResponse(status=200, body="")
        event = body.get("event")
        if body.get("type") == "event_callback" and isinstance(event, Mapping):
            answer = await self._life(body, event)
            if answer is not None:
                return answer
        return await self._hand_on(req, body)

    async def _hand_on(self, req: AsyncBoltRequest, body: Mapping[str, Any]) -> BoltResponse:
        named = whose(body)
        if named is None:
            log.warning("no_workspace_named", type=body.get("type"))
            return await self._refuse(body, NOBODYS)
        with structlog.contextvars.bound_contextvars(workspace=named.workspace):
            reference = new_reference()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    house: House = await self._tenancy.house(named)
            except NotInstalled as error:
                log.warning("not_installed", type=body.get("type"), enterprise=named.enterprise)
                return await self._refuse(body, str(error))
            except TimeoutError:
                return await self._later(body, OPENING)
            except Exception:  # the outermost door: the person hears of it, and Slack sends an event again
                log.exception("no_house", reference=reference)
                return await self._later(body, UNOPENED.format(reference=reference))
            answer: BoltResponse = await house.bolt.async_dispatch(req)
            return answer

    async def _life(self, body: Mapping[str, Any], event: Mapping[str, Any]) -> BoltResponse | None:
        """What is told of the installation itself; None where it is anything else."""
        kind, named, whole = event.get("type"), whose(body), organisation(body)
        try:
            if kind == "app_uninstalled" or (kind == "tokens_revoked" and _of_bots(event)):
                identifier = whole or (named.workspace if named is not None else None)
                if identifier is not None:
                    await self._tenancy.uninstalled(identifier, str(kind))
            elif kind == "team_access_revoked":
                for workspace in event.get("team_ids") or ():
                    await self._tenancy.access_taken(str(workspace))
            elif kind not in ("tokens_revoked", "team_access_granted"):
                return None
        except (SlackApiError, ClientError, OSError, TimeoutError) as error:
            log.warning("uninstall_not_sure", problem=type(error).__name__)
            return BoltResponse(status=503, body="")  # Slack tells of it again
        return BoltResponse(status=200, body="")

    async def _later(self, body: Mapping[str, Any], sentence: str) -> BoltResponse:
        """For a house that cannot be had now: an event comes again, a person is told to."""
        if body.get("type") == "event_callback":
            return BoltResponse(status=503, body="")
        return await self._refuse(body, sentence)

    async def _refuse(self, body: Mapping[str, Any], sentence: str) -> BoltResponse:
        """Takes what will not be worked on, so that Slack does not send it for ever, and tells whoever waits."""
        if body.get("type") == "event_callback":
            return BoltResponse(status=200, body="")
        if "command" in body:
            return BoltResponse(status=200, body={"response_type": "ephemeral", "text": sentence})
        if body.get("type") == "view_submission":
            return BoltResponse(status=200, body={"response_action": "update", "view": _modal(sentence)})
        if address := body.get("response_url"):
            await self._respond(str(address), sentence)
        return BoltResponse(status=200, body="")

    async def _respond(self, address: str, sentence: str) -> None:
        said = {"response_type": "ephemeral", "replace_original": False, "text": sentence}
        try:
            async with self._tenancy.oauth.session.post(address, data=json.dumps(said)) as response:
                await response.read()
        except (ClientError, OSError, TimeoutError, ValueError) as error:
            log.warning("person_not_told", problem=type(error).__name__)


def _of_bots(event: Mapping[str, Any]) -> bool:
    """Whether the bot's own token is among those that were revoked; people's tokens are none of ours."""
    tokens = event.get("tokens")
    return isinstance(tokens, Mapping) and bool(tokens.get("bot"))


def _modal(sentence: str) -> dict[str, Any]:
    text = {"type": "plain_text", "text": sentence}
    title = {"type": "plain_text", "text": "Switchboard"}
    return {"type": "modal", "title": title, "blocks": [{"type": "section", "text": text}]}
