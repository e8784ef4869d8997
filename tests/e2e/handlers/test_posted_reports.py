"""The weekly report as it is posted, also in a workspace that refuses parts of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot

from bot.costs.periods import Week
from bot.costs.report import WeeklyReport, weekly_report
from deploy.workspace.driver import Driver
from handlers.posts import post_report, tell_channel


@pytest.fixture
async def report(bot: ConnectedBot, maya: Driver) -> WeeklyReport:
    """Of this week, as next week sees it: one question in public, one in #finance."""
    for channel in ("C0GENERAL", "G0FIN"):
        ts = await maya.post(channel, f"{SWITCHBOARD} what about deploys and the robot budget?")
        await maya.wait_for_reply(channel, ts)
    await bot.idle(maya)
    week = Week.before(datetime.now(UTC) + timedelta(days=7), UTC)
    return await weekly_report(bot.core.ledger, bot.core.feedback.counts, week)


async def test_the_report_shows_slacks_own_chart_and_links_public_questions_alone(
    bot: ConnectedBot, maya: Driver, report: WeeklyReport
) -> None:
    await post_report(bot.client, "C0REPORTS", report)
    message = await maya.wait_for_message("C0REPORTS")
    assert "data_visualization" in [block["type"] for block in message["blocks"]]
    shown = str(message["blocks"])
    assert "test-model" in shown
    assert "/archives/C0GENERAL/" in shown
    assert "/archives/G0FIN/" not in shown
    assert "robot budget" not in shown


async def test_where_native_charts_are_refused_the_chart_is_a_picture(
    bot: ConnectedBot, maya: Driver, report: WeeklyReport
) -> None:
    await maya.fault("chat.postMessage", "error", error="invalid_blocks", times=1)
    await post_report(bot.client, "C0REPORTS", report)
    message = await maya.wait_for_message("C0REPORTS")
    assert "image" in [block["type"] for block in message["blocks"]]


async def test_where_all_blocks_are_refused_the_report_is_text(
    bot: ConnectedBot, maya: Driver, report: WeeklyReport
) -> None:
    await maya.fault("chat.postMessage", "error", error="invalid_blocks", times=2)
    await post_report(bot.client, "C0REPORTS", report)
    message = await maya.wait_for_message("C0REPORTS")
    assert "By model: test-model" in message["text"]
    assert not message.get("blocks")


async def test_news_are_one_plain_message(bot: ConnectedBot, maya: Driver) -> None:
    await tell_channel(bot.client, "C0REPORTS", "The folder docs is missing.")
    assert (await maya.wait_for_message("C0REPORTS"))["text"] == "The folder docs is missing."
