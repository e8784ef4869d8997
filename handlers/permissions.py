"""Who may do what."""

from __future__ import annotations

from collections.abc import Collection

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import NotAllowed
from handlers.cache import Remembered
from handlers.errors import code

log = structlog.get_logger(__name__)

FIVE_MINUTES = 300.0


class Roles:
    """Admins: those whom the configuration names, and the workspace's own admins and owners."""

    def __init__(self, client: AsyncWebClient, admins: Collection[str]) -> None:
        self._client = client
        self._admins = frozenset(admins)
        self._in_slack = Remembered(self._load, FIVE_MINUTES)

    async def is_admin(self, person: str) -> bool:
        """Whether the person is an admin; Slack's word is remembered for five minutes."""
        if person in self._admins:
            return True
        try:
            return await self._in_slack.get(person)
        except SlackApiError as error:
            log.warning("role_unknown", person=person, error=code(error))
            return False

    async def need_admin(self, person: str, to_do: str) -> None:
        """Raises NotAllowed where the person is no admin. `to_do` completes "Only an admin can …"."""
        if not await self.is_admin(person):
            raise NotAllowed(f"Only an admin can {to_do}. Workspace admins and owners are, and those in slack.admins.")

    async def _load(self, person: str) -> bool:
        user = (await self._client.users_info(user=person))["user"]
        return bool(user.get("is_admin") or user.get("is_owner"))
