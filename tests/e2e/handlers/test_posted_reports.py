"""The weekly report as it is posted, also in a workspace that refuses parts of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot

from bot.costs.periods import Week
from bot.costs.report import WeeklyReport
from bot.costs.saving import Proposal
from bot.domain import PlaceKind
from bot.reporting import report_of
from deploy.workspace.driver import Driver
from handlers.posts import post_report, tell_channel

REPORTS = "C0REPORTS"


@pytest.fixture
async def report(bot: ConnectedBot, maya: Driver) -> WeeklyReport:
    """Of this week, as next week sees it: one question in public, one in #finance."""
    for channel in ("C0GENERAL", "G0FIN"):
        ts = await maya.post(channel, f"{SWITCHBOARD} what about deploys and the robot budget?")
        await maya.wait_for_reply(channel, ts)
    await bot.idle(maya)
    week = Week.before(datetime.now(UTC) + timedelta(days=7), UTC)
    return await report_of(bot.core, week)


async def test_the_report_is_short_and_its_thread_has_the_table_and_the_file(
    bot: ConnectedBot, maya: Driver, report: WeeklyReport
) -> None:
    await post_report(bot.client, REPORTS, report)
    message = await maya.wait_for_message(REPORTS)
    assert "data_visualization" in [block["type"] for block in message["blocks"]]
    parent, table, file = await maya.history(REPORTS, message["ts"])
    assert table["blocks"][0]["type"] == "data_table"
    shown = str(table["blocks"])
    assert "test-model" in shown
    assert "/archives/C0GENERAL/" in shown
    assert "/archives/G0FIN/" not in shown
    content = (await maya.file(file["files"][0])).decode()
    assert "test-model,house,C0GENERAL,zero_shot,answer,answered,1," in content
    for text in (str(parent), shown, content):
        assert "robot budget" not in text
        assert "U0MAYA" not in text


async def test_where_native_charts_and_tables_are_refused_there_is_a_picture_and_a_plain_table(
    bot: ConnectedBot, maya: Driver, report: WeeklyReport
) -> None:
    await maya.fault("chat.postMessage", "error", error="invalid_blocks", times=1)
    await post_report(bot.client, REPORTS, report)
    message = await maya.wait_for_message(REPORTS)
    assert "image" in [block["type"] for block in message["blocks"]]
    await maya.fault("chat.postMessage", "error", error="invalid_blocks", skip=1, times=1)
    await post_report(bot.client, REPORTS, report)
    (*_, again) = await maya.history(REPORTS)
    assert "data_visualization" in [block["type"] for block in again["blocks"]]
    (_, table, _) = await maya.history(REPORTS, again["ts"])
    assert table["blocks"][0]["type"] == "table"


async def test_where_all_blocks_are_refused_the_report_is_text(
    bot: ConnectedBot, maya: Driver, report: WeeklyReport
) -> None:
    await maya.fault("chat.postMessage", "error", error="invalid_blocks", times=2)
    await post_report(bot.client, REPORTS, report)
    message = await maya.wait_for_message(REPORTS)
    assert "By model: test-model" in message["text"]
    assert not message.get("blocks")


async def test_an_admin_accepts_a_saving_and_nobody_else_does(
    bot: ConnectedBot, maya: Driver, leo: Driver, report: WeeklyReport
) -> None:
    proposal = Proposal(
        channel="C0GENERAL", model="large", other="test-model", month=Decimal(31), gain=-0.004, low=-0.013,
        high=0.005, questions=40, source="shadow runs",
    )  # fmt: skip
    await post_report(bot.client, REPORTS, replace(report, proposals=(proposal,)))
    message = await maya.wait_for_message(REPORTS)
    await leo.click(message, "accept_saving")
    assert "Only an admin can do that" in (await leo.wait_for_ephemeral(REPORTS))["text"]
    await maya.click(message, "accept_saving")
    told = await maya.wait_for_reply(REPORTS, message["ts"], lambda m: "accepted it" in m["text"])
    assert "*test-model* answers in <#C0GENERAL>" in told["text"]
    assert "saving of about $31.00 a month" in told["text"]
    assert "`/model auto here`" in told["text"]
    question = await bot.core.assistant.asked(await _any_question(bot))
    assert question is not None
    place = replace(question.place, channel="C0GENERAL", kind=PlaceKind.CHANNEL, thread=None)
    pins = await bot.core.pins.of(replace(question, place=place))
    assert [(pin.scope, pin.model) for pin in pins] == [("channel", "test-model")]
    await maya.click(message, "accept_saving")
    assert "already" in (await maya.wait_for_ephemeral(REPORTS))["text"]


async def _any_question(bot: ConnectedBot) -> str:
    week = Week.before(datetime.now(UTC) + timedelta(days=7), UTC)
    rows = await bot.core.ledger.rows(week.since, week.until)
    return next(row.question_id for row in rows if row.question_id and row.channel == "C0GENERAL")


async def test_news_are_one_plain_message(bot: ConnectedBot, maya: Driver) -> None:
    await tell_channel(bot.client, REPORTS, "The folder docs is missing.")
    assert (await maya.wait_for_message(REPORTS))["text"] == "The folder docs is missing."
