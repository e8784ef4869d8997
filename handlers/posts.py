"""What the bot posts of its own accord: the weekly report, and news for the channel of the reports."""

from __future__ import annotations

import asyncio

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.costs.charts import cost_chart
from bot.costs.report import WeeklyReport, as_text, headline
from bot.domain import PlaceKind
from handlers.blocks.report import report_blocks, report_blocks_with_image
from handlers.errors import REFUSED_BLOCKS, code
from handlers.shapes import JSON

log = structlog.get_logger(__name__)


async def tell_channel(client: AsyncWebClient, channel: str, sentence: str) -> None:
    """Posts one sentence. Raises SlackApiError."""
    await client.chat_postMessage(channel=channel, text=sentence, unfurl_links=False, unfurl_media=False)


async def post_report(client: AsyncWebClient, channel: str, report: WeeklyReport) -> None:
    """Posts the report; with an image where the workspace refuses native charts. Raises SlackApiError."""
    links = await _permalinks(client, report)
    shown: JSON = {"channel": channel, "text": headline(report), "unfurl_links": False, "unfurl_media": False}
    try:
        await client.chat_postMessage(**shown, blocks=report_blocks(report, links))
        return
    except SlackApiError as error:
        if code(error) not in REFUSED_BLOCKS:
            raise
        log.info("native_chart_refused", channel=channel)
    image = await asyncio.to_thread(cost_chart, report)
    uploaded = await client.files_upload_v2(file=image, filename="model-costs.png", title="Model costs")
    file_id = str(uploaded["files"][0]["id"])
    try:
        await client.chat_postMessage(**shown, blocks=report_blocks_with_image(report, links, file_id))
    except SlackApiError as error:
        if code(error) not in REFUSED_BLOCKS:
            raise
        log.warning("report_as_text", channel=channel)
        await client.chat_postMessage(**{**shown, "text": as_text(report)})


async def _permalinks(client: AsyncWebClient, report: WeeklyReport) -> dict[str, str]:
    """Links to the dearest questions' answers; none into private places."""
    links: dict[str, str] = {}
    for question in report.dearest:
        if question.answer_ts is None or question.place_kind != PlaceKind.CHANNEL:
            continue
        try:
            told = await client.chat_getPermalink(channel=question.channel, message_ts=question.answer_ts)
        except SlackApiError as error:
            log.info("no_permalink", error=code(error), question=question.question_id)
        else:
            links[question.question_id] = str(told["permalink"])
    return links
