"""Who may do what."""

from __future__ import annotations

from collections.abc import Collection

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import NotAllowed
from handlers.cache import Remembered

FIVE_MINUTES = 300.0


class Roles:
    """Admins: those whom the configuration names, and the workspace's own admins and owners."""

    def __init__(self, client: AsyncWebClient, admins: Collection[str]) -> None:
        self._client = client
        self._admins = frozenset(admins)
        self._in_slack = Remembered(self._load, FIVE_MINUTES)

    async def is_admin(self, person: str) -> bool:
        """Whether the person is an admin; Slack's word is remembered for five minutes."""
        return person in self._admins or await self._in_slack.get(person)

    async def need_admin(self, person: str, to_do: str) -> None:
        """Raises NotAllowed where the person is no admin. `to_do` completes "Only an admin can …"."""
        if not await self.is_admin(person):
            raise NotAllowed(f"Only an admin can {to_do}. Workspace admins and owners are, and those in slack.admins.")

    async def _load(self, person: str) -> bool:
        try:
            user = (await self._client.users_info(user=person))["user"]
        except SlackApiError:
            return False
        return bool(user.get("is_admin") or user.get("is_owner"))
