"""A model in use that is about to be shut down: told to admins with its successor, and switched with a button."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from connected_bot import SWITCHBOARD, ConnectedBot, connected_bot
from model_server import ModelServer, answer
from server_cards import card, cards

from bot.config import Models, Report, Settings
from bot.evaluation.ends import Ends
from bot.evaluation.succession import Replaying
from bot.jobs.retirement_job import retirement_job
from bot.selection.pins import EVERYWHERE
from bot.storage.cost_tables import ledger
from bot.storage.tables import told_ends
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from handlers.audience import Places
from handlers.retiring import post_ending

QUESTIONS = (
    "when do deploys run?",
    "on which days do deploys run?",
    "at what time do deploys run?",
    "do deploys run on Fridays?",
    "how many days of vacation are there?",
)


@pytest.fixture
async def bot(workspace: Workspace, settings: Settings, server: ModelServer, tmp_path: Path) -> AsyncIterator[Any]:
    server.models = ("old", "new")
    more = 'shutdown = 2027-01-14\nsuccessor = "new"\n'
    file = tmp_path / "ending.toml"
    file.write_text(cards(server.url, card("old", input="10", more=more), card("new", output="2")), encoding="utf-8")
    changed = {"models": Models(default="auto", cards=file), "report": Report(channel="C0REPORTS")}
    async with connected_bot(workspace, settings.model_copy(update=changed)) as running:
        yield running


async def test_admins_hear_once_a_stage_whom_it_concerns_and_what_the_successor_would_have_made_of_it(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    core = bot.core
    server.reply = answer("Deploys run on Tuesdays and Thursdays at 10:00. [1]")
    await core.pins.set("workspace", EVERYWHERE, model="old", by="U0MAYA", reason="we know it")
    for question in QUESTIONS:
        await maya.post("C0GENERAL", f"{SWITCHBOARD} {question}")
        await bot.idle(maya)

    async def tell(ending: Any, replay: Any) -> None:
        await post_ending(bot.client, core, "C0REPORTS", ending, replay)

    work = retirement_job(core, Replaying(core, Places(bot.client).audience_of), tell)
    await work(core.clock())
    await work(core.clock())
    (told,) = [m for m in await maya.history("C0REPORTS") if "old ends in" in m["text"]]
    shown = str(told["blocks"])
    assert "pinned for the whole workspace, set by <@U0MAYA>: “we know it”" in shown
    assert "5 calls in the last 30 days" in shown
    assert "*new* could take its place. On 5 recent questions:" in shown
    assert "an answer instead of" in shown
    assert "points by the share of sentences that the documents support, on 5 questions" in shown
    async with core.engine.connect() as connection:
        paid = sa.select(sa.func.count()).where(ledger.c.model == "new", ledger.c.purpose == "evaluate")
        assert (await connection.execute(paid)).scalar_one() == 5

    await leo.click(told, "switch_to_successor")
    await leo.wait_for_ephemeral("C0REPORTS", lambda m: "Only an admin" in m["text"])
    await maya.click(told, "switch_to_successor")
    await maya.wait_for_message("C0REPORTS", lambda m: "moved 1 pin from *old* to *new*" in str(m.get("blocks")))
    pin = await core.pins.get("workspace", EVERYWHERE)
    assert pin is not None
    assert (pin.model, pin.by, pin.why) == ("new", "U0MAYA", "old is shut down")


async def test_a_claim_that_nobody_confirmed_is_taken_over_and_a_nearer_end_is_told_again(
    bot: ConnectedBot, maya: Driver
) -> None:
    core, ends = bot.core, Ends(bot.core)
    await core.pins.set("channel", "C0GENERAL", model="old", by="U0MAYA")
    now = core.clock()
    (ending,) = await ends.coming(now)
    assert ending.successor is not None
    assert await ends.claim(ending, 90, now)
    assert not await ends.claim(ending, 90, now + timedelta(minutes=5))
    assert await ends.claim(ending, 90, now + timedelta(hours=2))
    await ends.confirm(ending, 90, now)
    assert not await ends.claim(ending, 90, now + timedelta(days=2))
    assert await ends.claim(ending, 30, now)
    async with core.engine.connect() as connection:
        assert (await connection.execute(sa.select(sa.func.count()).select_from(told_ends))).scalar_one() == 2
