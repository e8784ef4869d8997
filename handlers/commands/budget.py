"""/cost budget: what may be spent, by whom, until when, and how far it is."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.costs.budget import Spender, Standing
from bot.costs.budget_orders import drop_budget, kind, lasts, set_budget, used
from bot.costs.budget_words import wish
from bot.errors import UnusableBudget
from handlers.blocks.budget import budget_blocks, whose
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Deed, Roles
from handlers.text import said

USAGE = (
    "`/cost budget` shows the budgets. Admins write `/cost budget set workspace $200 a month hard because …`, also for "
    "`#channel`, `@person` or `purpose NAME`, and `/cost budget drop workspace`."
)


class BudgetCommand:
    """Admins see and set all; everybody else sees those that their own questions are on."""

    def __init__(self, client: AsyncWebClient, core: Core, roles: Roles) -> None:
        self._client = client
        self._core = core
        self._roles = roles

    async def run(self, origin: Origin, text: str) -> bool:
        """Answers what follows `/cost` where it is about budgets; whether it was."""
        first, _, rest = text.strip().partition(" ")
        if first.casefold() not in ("budget", "budgets"):
            return False
        line = origin.line(self._client)
        verb, _, words = rest.strip().partition(" ")
        try:
            match verb.casefold():
                case "" | "list" | "show":
                    await self._show(origin)
                case "set" | "change" | "raise" | "lower":
                    await line.say(await self._set(origin, words))
                case "drop" | "remove" | "delete" | "clear":
                    await line.say(await self._drop(origin, words))
                case _:
                    await line.say(f"I do not know “/cost {escape(text.strip())}”. {USAGE}")
        except UnusableBudget as error:
            await line.say(f"{escape(unescape(str(error)))} Nothing was changed.")
        return True

    async def _show(self, origin: Origin) -> None:
        now, zone = self._core.clock(), self._core.budgets.zone
        standings = await self._visible(origin)
        is_admin = await self._roles.is_admin(origin.person)
        if standings:
            blocks = budget_blocks(standings, now, zone)
            lines = "; ".join(f"{kind(one.budget)}: {used(one)}" for one in standings)
            await origin.line(self._client).say(f"Budgets: {lines}", blocks)
        elif is_admin:
            await origin.line(self._client).say(f"No budget is set: nothing holds a question up. {USAGE}")
        else:
            await origin.line(self._client).say("No budget is set that your questions are on.")

    async def _visible(self, origin: Origin) -> tuple[Standing, ...]:
        now = self._core.clock()
        if await self._roles.is_admin(origin.person):
            return await self._core.budgets.standing(now)
        spender = Spender(channel=origin.channel, person=origin.person, purpose="answer")
        return await self._core.budgets.for_spender(spender, now)

    async def _set(self, origin: Origin, words: str) -> str:
        await self._roles.need(origin.person, Deed.SET_BUDGET)
        now, zone = self._core.clock(), self._core.budgets.zone
        typed = wish(words, me=origin.person, here=_here(origin))
        typed = replace(typed, reason=said(typed.reason, ""))
        standing = await set_budget(self._core.budgets, typed, by=origin.person, at=now)
        then = (
            "What may go beyond it is not asked"
            if standing.budget.hard
            else "I tell when half of it is used, 80% and all"
        )
        return (
            f"{whose(standing.budget)} may now spend {kind(standing.budget)}. {then}. So far: {used(standing)}. "
            f"{lasts(standing, now, zone)}"
        )

    async def _drop(self, origin: Origin, words: str) -> str:
        await self._roles.need(origin.person, Deed.DROP_BUDGET)
        typed = wish(words, me=origin.person, here=_here(origin))
        budget = await drop_budget(self._core.budgets, typed, by=origin.person, at=self._core.clock())
        return f"The budget of {kind(budget)} is dropped: {whose(budget)}. The ledger keeps what was spent."


def _here(origin: Origin) -> str:
    """The channel where it was typed; "" for a direct message, which has no budget of its own."""
    channel = origin.channel or ""
    return "" if channel.startswith("D") else channel
