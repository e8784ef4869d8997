"""/cost: what the models cost."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import cast, get_args

from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.costs.calls import GroupBy
from bot.costs.export import as_csv
from bot.costs.periods import PERIODS, Period, PeriodName
from bot.costs.summary import ahead as month_told
from bot.costs.summary import cost_summary, month_ahead, sentence
from handlers.blocks.report import cost_blocks
from handlers.commands.budget import BudgetCommand
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Deed, Roles

USAGE = (
    "You can write `/cost today`, `/cost week`, `/cost month` or `/cost last:7d`, with `by:model`, `by:channel`, "
    "`by:strategy`, `by:purpose` or `csv` after it; `/cost me` for your own questions; `/cost budget`."
)
LONGEST = 366
"""Days that `last:` may go back."""
_LAST = re.compile(r"last:(\d{1,4})d?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the words after `/cost` ask for. `last`: so many days; `own`: of one's own questions."""

    period: PeriodName = "week"
    last: int = 0
    by: GroupBy = "model"
    csv: bool = False
    own: bool = False


class CostCommand:
    """The command: for admins what everybody spent, for everybody what they did themselves."""

    def __init__(self, client: AsyncWebClient, core: Core, roles: Roles) -> None:
        self._client = client
        self._core = core
        self._roles = roles
        self._budget = BudgetCommand(client, core, roles)

    async def run(self, origin: Origin, text: str) -> None:
        """What follows `/cost`."""
        if await self._budget.run(origin, text):
            return
        line = origin.line(self._client)
        wanted = parse(text)
        if wanted is None:
            await line.say(f"I do not know “/cost {escape(text.strip())}”. {USAGE}")
            return
        own = wanted.own or (not text.strip() and not await self._roles.is_admin(origin.person))
        if not own:
            await self._roles.need(origin.person, Deed.SEE_COSTS)
        now, zone = self._core.clock(), self._core.settings.report.zone
        period = Period.last(wanted.last, now, zone) if wanted.last else Period.of(wanted.period, now, zone)
        person = origin.person if own else None
        summary = await cost_summary(self._core.ledger, period, zone, wanted.by, person=person)
        ahead = "" if own else month_told(await month_ahead(self._core.ledger, now, zone))
        await line.say(sentence(summary), cost_blocks(summary, ahead))
        if wanted.csv and not own:
            await self._send_csv(origin, period)
            await line.say("The rows are in our direct messages, as a CSV file.")

    async def _send_csv(self, origin: Origin, period: Period) -> None:
        rows = await self._core.ledger.rows(period.since, period.until)
        opened = await self._client.conversations_open(users=origin.person)
        first = period.since.astimezone(self._core.settings.report.zone).date()
        await self._client.files_upload_v2(
            channel=opened["channel"]["id"],
            filename=f"model-costs-from-{first}.csv",
            title=f"Model costs from {first}",
            content=as_csv(rows),
            initial_comment="Every model call, one line each. An empty cost is an unknown price.",
        )


def parse(text: str) -> Wanted | None:
    """The words as a wish, in any order; None where one of them means nothing here."""
    words = text.casefold().replace("by ", "by:").replace("last ", "last:").split()
    wanted = Wanted()
    for word in words:
        if word in PERIODS:
            wanted = replace(wanted, period=word, last=0)
        elif (days := _LAST.fullmatch(word)) and 1 <= int(days[1]) <= LONGEST:
            wanted = replace(wanted, last=int(days[1]))
        elif word == "csv":
            wanted = replace(wanted, csv=True)
        elif word in ("me", "by:me"):
            wanted = replace(wanted, own=True)
        elif word.startswith("by:") and word[3:] in get_args(GroupBy):
            wanted = replace(wanted, by=cast(GroupBy, word[3:]))
        else:
            return None
    return wanted
