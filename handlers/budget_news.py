"""Says in Slack that half of a budget, 80% or all of it is spent: where the reports go, and to those it is for."""

from __future__ import annotations

from datetime import datetime, tzinfo

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.costs.budget import Budget, Standing
from bot.costs.budget_orders import lasts, used
from bot.costs.crossings import Crossing
from handlers.errors import code
from handlers.posts import tell_channel

log = structlog.get_logger(__name__)

_SHARES = {50: "Half", 80: "80%", 100: "All"}
_READ = 200
"""Messages that are looked through for one that a process which ended may have posted."""


class BudgetNews:
    """`channel`: where the reports go; "" where there is none, and whoever set the budget is told. `zone`: whose days
    are told."""

    def __init__(self, client: AsyncWebClient, channel: str, zone: tzinfo) -> None:
        self._client = client
        self._channel = channel
        self._zone = zone

    async def tell(self, crossing: Crossing) -> bool:
        """Posts one sentence to everybody it is for; whether one of them can have read it, or there is nobody."""
        places = dict.fromkeys(self._places(crossing.standing.budget))
        heard = not places  # set on the command line, where no reports go: `/cost budget` shows it
        for place in places:
            try:
                await self._post(place, crossing)
                heard = True
            except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
                log.warning("budget_news_refused", place=place, error=code(error) or type(error).__name__)
        return heard

    def _places(self, budget: Budget) -> list[str]:
        setter = budget.set_by if budget.set_by[:1] in ("U", "W") else ""
        places = [self._channel or setter]
        places += [budget.key] if budget.scope in ("channel", "person") else []
        return [place for place in places if place]

    async def _post(self, place: str, crossing: Crossing) -> None:
        channel = place
        if place[:1] in ("U", "W"):
            channel = str((await self._client.conversations_open(users=place))["channel"]["id"])
        opening = _opening(crossing, place)
        if crossing.taken_over and await self._stands(channel, opening, crossing.standing.since):
            return
        state = f"{used(crossing.standing)}. {lasts(crossing.standing, crossing.at, self._zone)}"
        await tell_channel(self._client, channel, f"{opening}: {state} {_then(crossing.standing)}")

    async def _stands(self, channel: str, opening: str, since: datetime) -> bool:
        """Whether the process that claimed it before had posted it when it ended."""
        try:
            read = await self._client.conversations_history(
                channel=channel, oldest=f"{since.timestamp():.6f}", limit=_READ
            )
        except SlackApiError as error:
            log.info("history_unread", channel=channel, error=code(error))
            return False  # told twice rather than never
        return any(str(message.get("text", "")).startswith(opening) for message in read["messages"])


def _opening(crossing: Crossing, place: str) -> str:
    """What two messages on the same crossing have in common, whenever they were written."""
    budget = crossing.standing.budget
    whose = f"<#{budget.key}>"
    if budget.scope == "person":
        whose = "you" if place == budget.key else "one person"  # `/cost budget` tells whom, to those who may know
    return f"{_SHARES[crossing.share]} of {budget.named(whose)} is spent"


def _then(standing: Standing) -> str:
    if not standing.budget.hard:
        return "It is a soft one, so nothing is held up."
    if standing.left:
        return "It is a hard one: what may go beyond it is not asked."
    return "Until then nothing that costs is asked on it; an admin can raise it with `/cost budget`."
