"""/cost: what the models cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast, get_args

from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.costs.export import as_csv
from bot.costs.ledger import GroupBy
from bot.costs.periods import PERIODS, Period, PeriodName
from bot.costs.summary import cost_summary, sentence
from handlers.blocks.report import cost_blocks
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Roles

USAGE = "You can write `/cost today`, `/cost week` or `/cost month`, with `by model`, `by channel` or `csv` after it."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the words after `/cost` ask for."""

    period: PeriodName = "week"
    by: GroupBy = "model"
    csv: bool = False


class CostCommand:
    """The command, for admins."""

    def __init__(self, client: AsyncWebClient, core: Core, roles: Roles) -> None:
        self._client = client
        self._core = core
        self._roles = roles

    async def run(self, origin: Origin, text: str) -> None:
        """What follows `/cost`."""
        line = origin.line(self._client)
        wanted = parse(text)
        if wanted is None:
            await line.say(f"I do not know “/cost {escape(text.strip())}”. {USAGE}")
            return
        await self._roles.need_admin(origin.person, "see what the models cost")
        zone = self._core.settings.report.zone
        period = Period.of(wanted.period, self._core.clock(), zone)
        summary = await cost_summary(self._core.ledger, period, zone, wanted.by)
        await line.say(sentence(summary), cost_blocks(summary))
        if wanted.csv:
            await self._send_csv(origin, period)
            await line.say("The rows are in our direct messages, as a CSV file.")

    async def _send_csv(self, origin: Origin, period: Period) -> None:
        rows = await self._core.ledger.rows(period.since, period.until)
        opened = await self._client.conversations_open(users=origin.person)
        first = period.since.astimezone(self._core.settings.report.zone).date()
        await self._client.files_upload_v2(
            channel=opened["channel"]["id"],
            filename=f"model-costs-{period.name}-from-{first}.csv",
            title=f"Model costs from {first}",
            content=as_csv(rows),
            initial_comment="Every model call, one line each. An empty cost is an unknown price.",
        )


def parse(text: str) -> Wanted | None:
    """The words as a wish, in any order; None where one of them means nothing here."""
    words = text.casefold().split()
    wanted = Wanted()
    while words:
        word = words.pop(0)
        if word in PERIODS:
            wanted = Wanted(word, wanted.by, wanted.csv)
        elif word == "csv":
            wanted = Wanted(wanted.period, wanted.by, True)
        elif word == "by" and words and words[0] in get_args(GroupBy):
            wanted = Wanted(wanted.period, cast(GroupBy, words.pop(0)), wanted.csv)
        else:
            return None
    return wanted
