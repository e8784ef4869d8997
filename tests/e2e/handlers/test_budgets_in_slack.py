"""Budgets as people meet them: one gate at every door, `/cost budget`, and what is told when half is spent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot
from model_server import ModelServer

from bot.costs.calls import Call
from bot.costs.crossings import TAKEN_OVER, Crossings
from bot.domain import Price, Usage
from bot.jobs.budget_watch import tell_crossings
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON
from handlers.budget_news import BudgetNews

ONE_DOOR = pytest.mark.parametrize("bot", ["socket"], indirect=True)
HAIKU = "write a haiku about spring rain"
REFUSED = "has no room for it. A new one begins on"


async def told(person: Driver, words: str, channel: str = "C0GENERAL", after: str = "") -> JSON:
    """The ephemeral message that has these words."""
    return await person.wait_for_ephemeral(
        channel, lambda m: words in m["text"] or words in str(m.get("blocks")), after=after
    )


@ONE_DOOR
async def test_a_hard_budget_holds_at_every_door_and_says_until_when_and_who_can_raise_it(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    server.script("On Tuesdays and Thursdays. [1]")
    ts = await leo.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    first = await leo.wait_for_reply("C0GENERAL", ts, lambda m: "actions" in str(m))
    await maya.command("/cost", "budget set workspace $0 a day, hard because we try it out")
    said = await told(maya, "The whole workspace may now spend $0 a day, hard. What may go beyond it is not asked.")
    assert "100% used ($0.0" in said["text"]
    mention = await leo.post("C0GENERAL", f"{SWITCHBOARD} {HAIKU}")
    answer = await leo.wait_for_reply("C0GENERAL", mention, lambda m: REFUSED in str(m))
    assert "set this budget and can raise it" in str(answer["blocks"])
    assert "Maya" in str(answer["blocks"])
    assert "<@" not in str(answer["blocks"]) + answer["text"], "a name calls nobody"
    dm = await leo.post(leo.dm, HAIKU)
    await leo.wait_for_reply(leo.dm, dm, lambda m: REFUSED in str(m))
    await leo.command("/ask", HAIKU, channel="C0RANDOM")
    await told(leo, REFUSED, "C0RANDOM")
    await leo.shortcut("ask_about", await leo.wait_for_message("C0GENERAL", lambda m: m["ts"] == mention))
    view = await leo.wait_for_view(lambda view: view["callback_id"] == "ask_about")
    opened = len(leo.events)
    await leo.submit_view(view, {"question": HAIKU, "where": "alone"})
    await told(leo, REFUSED)
    await leo.click(first, "another_way")
    view = await leo.wait_for_view(lambda view: view["callback_id"] != "ask_about", after=opened)
    await leo.submit_view(view)
    quoted = await leo.wait_for_message(
        "C0GENERAL", lambda m: "“test-model” is pinned, but a budget has no room for it now." in str(m), thread=ts
    )
    assert "*offline*" in str(quoted["blocks"])
    assert len(server.chats) == 1, "nothing went out that was not paid for"
    await maya.command("/cost", "budget drop workspace")
    await told(maya, "The budget of $0 a day, hard is dropped: The whole workspace.")
    again = await leo.post("C0GENERAL", f"{SWITCHBOARD} {HAIKU}")
    await leo.wait_for_reply("C0GENERAL", again, lambda m: "*test-model*" in str(m.get("blocks")))


@ONE_DOOR
async def test_cost_budget_shows_everybody_their_own_and_admins_all_and_explains_what_is_typed_wrong(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    await maya.command("/cost", "budget")
    await told(maya, "No budget is set: nothing holds a question up.")
    for words in (
        "$2 a day <@U0LEO> hard",
        "soft workspace 40/month because R&D in #engineering is dear",
        "<#C0ENG> $3 weekly",
    ):
        await maya.command("/cost", f"budget set {words}")
    await told(maya, "<#C0ENG> may now spend $3.00 a week, soft.")
    await bot.idle(maya)
    await maya.command("/cost", "budgets")
    shown = str((await told(maya, "*<@U0LEO>* · $2.00 a day, hard"))["blocks"])
    assert "*The whole workspace* · $40.00 a month, soft" in shown
    assert "▱▱▱▱▱▱▱▱▱▱ 0% used ($0) · $40.00 left" in shown
    assert ": R&amp;D in #engineering is dear" in shown
    assert "*<#C0ENG>*" in shown
    await leo.command("/cost", "budget")
    own = str((await told(leo, "*<@U0LEO>*"))["blocks"])
    assert "The whole workspace" in own
    assert "C0ENG" not in own, "it is not here"
    await leo.command("/cost", "budget set workspace 1 day")
    await told(leo, "Only an admin can set a budget.")
    for typed, words in (
        ("budget set workspace", "How much may it be?"),
        ("budget set $5 a day", "Whose budget do you mean?"),
        ("budget set workspace $5 a fortnight", "I do not know “fortnight” here."),
        ("budget set @nobody $5", "Slack did not tell me which person “@nobody” is."),
        ("budget drop purpose judge", "There is no such budget, so nothing was dropped."),
        ("budget eat", "I do not know “/cost budget eat”."),
    ):
        await maya.command("/cost", typed)
        await told(maya, words)
    assert len(await bot.core.budgets.all()) == 3


async def spend(bot: ConnectedBot, cost: str) -> None:
    """A call of Leo's in #help."""
    call = Call(
        question_id=None,
        purpose="answer",
        attempt=1,
        provider="house",
        model="test-model",
        strategy="rag",
        channel="C0HELP",
        asker="U0LEO",
        started_at=bot.core.clock(),
        reserved=Decimal(cost),
    )
    usage, price = Usage(prompt_tokens=1, completion_tokens=1), Price(amount=Decimal(cost), version=None)
    row = await bot.core.ledger.open(call)
    await bot.core.ledger.settle(row, outcome="answered", seconds=1, usage=usage, price=price)


@ONE_DOOR
async def test_half_of_a_budget_is_told_once_where_it_belongs_also_by_a_process_that_takes_over(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    now, crossings = bot.core.clock(), Crossings(bot.core.engine, bot.core.budgets)
    news = BudgetNews(bot.client, "C0REPORTS", bot.core.budgets.zone)
    for scope, key, hard in (("workspace", "", True), ("channel", "C0HELP", False), ("person", "U0LEO", False)):
        await bot.core.budgets.set(scope, key, "month", Decimal(10), hard=hard, by="U0MAYA", at=now)  # type: ignore[arg-type]
    await spend(bot, "5.5")
    claimed = await crossings.claim(now)
    assert len(claimed) == 3
    for crossing in claimed:  # posted, and killed before it was confirmed
        assert await news.tell(crossing)
    await tell_crossings(crossings, news.tell, now + TAKEN_OVER + timedelta(seconds=1))
    reports = [message["text"] for message in await maya.history("C0REPORTS")]
    assert len(reports) == 3
    assert sorted(text.partition(" is spent")[0] for text in reports) == [
        "Half of the monthly budget of $10.00 for <#C0HELP>",
        "Half of the monthly budget of $10.00 for one person",
        "Half of the monthly budget of $10.00 for the whole workspace",
    ]
    assert all("55% used ($5.50)" in text and "A new one begins on" in text for text in reports)
    assert sum("It is a hard one" in text for text in reports) == 1
    (here,) = await leo.history("C0HELP")
    assert here["text"].startswith("Half of the monthly budget of $10.00 for <#C0HELP> is spent")
    (private,) = await leo.history(leo.dm)
    assert private["text"].startswith("Half of the monthly budget of $10.00 for you is spent")
    assert all(standing.told == 50 for standing in await bot.core.budgets.standing(now))
    await spend(bot, "4.5")
    await tell_crossings(crossings, BudgetNews(bot.client, "", bot.core.budgets.zone).tell, now)
    await bot.core.budgets.set("workspace", "", "day", Decimal(20), hard=False, by="console", at=now)
    dropped = next(b.id for b in await bot.core.budgets.all() if b.hard)
    await bot.core.budgets.drop(dropped, by="U0MAYA", at=bot.core.clock())
    await spend(bot, "7")
    (crossing,) = [one for one in await crossings.claim(now) if one.standing.budget.set_by == "console"]
    assert await BudgetNews(bot.client, "", bot.core.budgets.zone).tell(crossing), "there is nobody who waits for it"
    mine = [message["text"] for message in await maya.history(maya.dm)]
    assert len(mine) == 3, "where the reports go nowhere, whoever set it is told"
    assert any(
        "All of the monthly budget of $10.00 for the whole workspace is spent: 100% used" in text for text in mine
    )
