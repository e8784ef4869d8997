"""What people are called, for texts that name somebody without calling them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain import AnswerEvent, Failed, Finished
from handlers.cache import Remembered
from handlers.errors import code
from handlers.permissions import FIVE_MINUTES

log = structlog.get_logger(__name__)


class People:
    """Names by user id, each asked for once in five minutes. A mention would ring somebody's phone; a name does not."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._names = Remembered(self._load, FIVE_MINUTES)

    async def name(self, person: str) -> str | None:
        """What the person is called; None where Slack does not say."""
        try:
            return await self._names.get(person) or None
        except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
            log.info("name_unknown", person=person, error=code(error) or type(error).__name__)
            return None

    async def named(self, events: AsyncGenerator[AnswerEvent, None]) -> AsyncGenerator[AnswerEvent, None]:
        """The same events, with the name of whoever may be asked in place of their id."""
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Finished) and event.answer.ask:
                    name = await self.name(event.answer.ask)
                    yield Finished(replace(event.answer, ask=name))
                elif isinstance(event, Failed) and event.ask:
                    yield replace(event, ask=await self.name(event.ask))
                else:
                    yield event

    async def _load(self, person: str) -> str:
        user = (await self._client.users_info(user=person))["user"]
        profile = user.get("profile") or {}
        names = (user.get("real_name"), profile.get("real_name"), profile.get("display_name"), user.get("name"))
        return next((" ".join(str(each).split()) for each in names if each), "")
