"""What the bot posts of its own accord: reports, and news for the channel of the reports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.costs.charts import cost_chart
from bot.costs.export import sums_as_csv
from bot.costs.posted import Claim, Part, PostedReports, ReportBusyError
from bot.costs.report import WeeklyReport
from bot.costs.report_words import as_text, headline, name_of
from bot.domain import PlaceKind
from handlers.blocks.report import report_blocks, report_blocks_with_image
from handlers.blocks.report_details import PERSONS, detail_blocks, detail_text
from handlers.errors import REFUSED_BLOCKS, code
from handlers.people import People
from handlers.shapes import JSON

log = structlog.get_logger(__name__)

EVENT = "switchboard_report"
"""The type of the metadata by which a report's message is found again."""
EARLIER = timedelta(minutes=10)
"""How far two machines' clocks may be apart."""
WAITED = 30
"""Seconds that another process is given to finish a part."""
MESSAGE, TABLE, CSV = "message", "table", "csv"


async def tell_channel(client: AsyncWebClient, channel: str, sentence: str) -> None:
    """Posts one sentence. Raises SlackApiError."""
    await client.chat_postMessage(channel=channel, text=sentence, unfurl_links=False, unfurl_media=False)


async def post_report(
    client: AsyncWebClient,
    channel: str,
    report: WeeklyReport,
    *,
    posted: PostedReports | None = None,
    now: datetime | None = None,
    due: datetime | None = None,
) -> None:
    """Posts the report, and in its thread what it is made of as a table and as CSV; with an image and plainer blocks
    where the workspace refuses the new ones.

    With `posted` each part comes once, whoever else posts it and whenever a process dies meanwhile; raises
    ReportBusyError where another one is at it. `now` and `due`: a report that comes late says so, and which week it is.
    Raises SlackApiError.
    """
    name = name_of(report.week, now)
    late = _late(now, due, report)
    shown = _Report(client, channel, report, name, late, posted)
    thread = await shown.once(MESSAGE, shown.post_message, shown.in_channel)
    if report.empty:
        return

    async def in_thread(claim: Claim) -> str:
        return await shown.in_thread(claim, thread)

    await shown.once(TABLE, lambda: shown.post_details(thread, claim_id(report, TABLE)), in_thread)
    await shown.once(CSV, lambda: shown.post_csv(thread), in_thread)


def claim_id(report: WeeklyReport, part: str) -> str:
    """What a part's message is known by."""
    return f"{report.week.id}:{part}"


def _late(now: datetime | None, due: datetime | None, report: WeeklyReport) -> str:
    if now is None or due is None or now - due < timedelta(hours=1):
        return ""
    when = due.astimezone(report.week.zone)
    return f"This report was due on {when:%A} {when.day} {when:%B} at {when:%H:%M}, when I could not post it."


@dataclass(frozen=True, slots=True)
class _Report:
    """A report on its way into a channel."""

    client: AsyncWebClient
    channel: str
    report: WeeklyReport
    name: str
    late: str
    posted: PostedReports | None

    async def once(self, part: str, post: Callable[[], Awaitable[str]], look: Callable[[Claim], Awaitable[str]]) -> str:
        """Posts a part unless it stands there already; gives where."""
        if self.posted is None:
            return await post()
        claim = await self.posted.claim(Part(report=self.report.week.id, channel=self.channel, name=part))
        if claim.ts:
            return claim.ts
        ts = await look(claim) if claim.since else ""
        if ts:
            log.info("report_was_posted", part=claim.part.id, channel=self.channel)
            await self.posted.confirm(claim, ts)
            return ts
        ts = await post()
        if await self.posted.confirm(claim, ts):
            return ts
        # This process slept for longer than the lease. The other one has found this part, or has posted its own.
        kept = await self._settled(claim.part)
        if kept != ts:
            await self._take_back(part, ts)
        return kept

    async def _settled(self, part: Part) -> str:
        """Where a part stands that another process is just posting. Raises ReportBusyError."""
        assert self.posted is not None
        for _ in range(WAITED):
            try:
                return (await self.posted.claim(part)).ts
            except ReportBusyError:
                await asyncio.sleep(1)
        return (await self.posted.claim(part)).ts

    async def _take_back(self, part: str, ts: str) -> None:
        log.warning("report_taken_back", part=part, channel=self.channel)
        if part == CSV:
            await self.client.files_delete(file=ts)
        else:
            await self.client.chat_delete(channel=self.channel, ts=ts)

    async def in_channel(self, claim: Claim) -> str:
        """Where the main message stands, "" where it does not."""
        assert claim.since is not None
        oldest = str((claim.since - EARLIER).timestamp())
        async for message in self._messages(lambda **more: self.client.conversations_history(oldest=oldest, **more)):
            if _id(message) == claim.part.id:
                return str(message["ts"])
        return ""

    async def in_thread(self, claim: Claim, thread: str) -> str:
        """Where a part stands in the thread, the file's id for a file; "" where it does not."""
        async for message in self._messages(lambda **more: self.client.conversations_replies(ts=thread, **more)):
            if _id(message) == claim.part.id:
                return str(message["ts"])
            for file in message.get("files") or ():
                if claim.part.name == CSV and file.get("name") == self._file_name:
                    return str(file["id"])
        return ""

    async def _messages(self, page: Callable[..., Awaitable[object]]) -> AsyncIterator[JSON]:
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            found: JSON = await page(channel=self.channel, include_all_metadata=True, limit=100, **more)  # type: ignore[assignment]
            for message in found["messages"]:
                yield message
            cursor = (found.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def post_message(self) -> str:
        """The report itself; gives its ts."""
        report, part = self.report, claim_id(self.report, MESSAGE)
        names = await self._names({topic.owner for topic in report.unanswered if topic.owner})
        shown = self._shown(headline(report, self.name), part)
        try:
            return await self._posted(**shown, blocks=report_blocks(report, self.name, self.late, names))
        except SlackApiError as error:
            if code(error) not in REFUSED_BLOCKS:
                raise
            log.info("native_chart_refused", channel=self.channel)
        image = await asyncio.to_thread(cost_chart, report)
        uploaded = await self.client.files_upload_v2(file=image, filename="model-costs.png", title="Model costs")
        file_id = str(uploaded["files"][0]["id"])
        try:
            blocks = report_blocks_with_image(report, file_id, self.name, self.late, names)
            return await self._posted(**shown, blocks=blocks)
        except SlackApiError as error:
            if code(error) not in REFUSED_BLOCKS:
                raise
            log.warning("report_as_text", channel=self.channel)
            text = "\n".join(part for part in (as_text(report, self.name), self.late) if part)
            return await self._posted(**{**shown, "text": text})

    async def post_details(self, thread: str, part: str) -> str:
        """What it is made of, in the thread; gives its ts."""
        links = await _permalinks(self.client, self.report)
        names = await self._names(person.key for person in self.report.by_person[:PERSONS])
        shown = {**self._shown("What it is made of", part), "thread_ts": thread}
        for data_table in (True, False):
            blocks = detail_blocks(self.report, links, names, data_table=data_table)
            try:
                return await self._posted(**shown, blocks=blocks)
            except SlackApiError as error:
                if code(error) not in REFUSED_BLOCKS:
                    raise
        return await self._posted(**{**shown, "text": detail_text(self.report)})

    async def post_csv(self, thread: str) -> str:
        """Its sums as a file in the thread; gives the file's id."""
        content = await asyncio.to_thread(sums_as_csv, self.report.cells, self.report.week.zone)
        uploaded = await self.client.files_upload_v2(
            channel=self.channel,
            thread_ts=thread,
            filename=self._file_name,
            title=f"Model costs, {self.report.week}",
            content=content,
        )
        return str(uploaded["files"][0]["id"])

    async def _names(self, persons: Iterable[str]) -> dict[str, str]:
        people = People(self.client)
        return {person: await people.name(person) or person for person in persons}

    @property
    def _file_name(self) -> str:
        return f"model-costs-{self.report.week.id}.csv"

    def _shown(self, text: str, part: str) -> JSON:
        metadata = {"event_type": EVENT, "event_payload": {"id": part}}
        return {
            "channel": self.channel,
            "text": text,
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": metadata,
        }

    async def _posted(self, **message: object) -> str:
        return str((await self.client.chat_postMessage(**message))["ts"])  # type: ignore[arg-type]


def _id(message: JSON) -> str:
    metadata = message.get("metadata") or {}
    return str((metadata.get("event_payload") or {}).get("id")) if metadata.get("event_type") == EVENT else ""


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
