"""Who the bot itself is in Slack."""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient


@dataclass(frozen=True, slots=True)
class Bot:
    """The bot's user id and its workspace's id."""

    user: str
    team: str


class Identity:
    """Asks Slack once."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._bot: Bot | None = None

    async def bot(self) -> Bot:
        """Raises SlackApiError where the token is not accepted."""
        if self._bot is None:
            told = await self._client.auth_test()
            self._bot = Bot(user=str(told["user_id"]), team=str(told["team_id"]))
        return self._bot
