"""Brings the notes on sources that changed into Slack, and asks again where somebody presses the button."""

from __future__ import annotations

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import Question
from bot.errors import NotAllowed
from bot.recall.notes import Recall
from bot.worker import Lease, work_under
from handlers.answering import Answering
from handlers.audience import SILENT, Places
from handlers.begun import Begun
from handlers.blocks import recall as blocks
from handlers.errors import GONE, REFUSED_BLOCKS, code
from handlers.origin import Origin
from handlers.shapes import JSON, pressed

log = structlog.get_logger(__name__)

FORGOTTEN = "I do not know that answer any more, so I cannot ask again. Please ask me directly."
_NOBODY_THERE = GONE | {
    "message_not_found",
    "cannot_dm_bot",
    "user_not_found",
    "user_disabled",
    "cannot_reply_to_message",
}


class Notes:
    """Tells what is to be told; a note that Slack refuses is tried again, and then told in the log."""

    def __init__(self, client: AsyncWebClient, core: Core, places: Places, begun: Begun) -> None:
        self._client = client
        self._core = core
        self._places = places
        self._begun = begun

    async def tell(self) -> None:
        """All that wait. What another process is telling is left to it."""
        recalls = self._core.recalls
        # An earlier process may have begun on any of them: what stands in Slack is looked for before it is said.
        work_under(Lease(self._core.inbox.worker, fresh=False))
        for one in await recalls.waiting():
            if not await recalls.claim(one.id):
                continue
            try:
                told = await self._tell(one)
            except SILENT as error:
                await self._refused(one, code(error) or type(error).__name__)
                continue
            if told:
                await recalls.drop(one.id, told)
                log.info("recall_not_told", recall=one.id, why=told)
            else:
                await recalls.told(one.id)
                log.info("recall_told", recall=one.id, question=one.question_id, others=len(one.others))

    async def _refused(self, one: Recall, why: str) -> None:
        if why in _NOBODY_THERE:
            await self._core.recalls.drop(one.id, why)
            log.info("recall_not_told", recall=one.id, why=why)
        elif await self._core.recalls.again(one, why):
            log.info("recall_tried_again", recall=one.id, why=why)
        else:
            log.error("recall_given_up", recall=one.id, question=one.question_id, why=why)

    async def _tell(self, one: Recall) -> str:
        """Why it is told to nobody, "" where it is told. Raises SlackApiError."""
        question = await self._core.assistant.asked(one.question_id)
        if question is None or not question.text:
            return "the question is gone"
        scopes = await self._scopes(question)
        if one.others:
            return await self._tell_many(one, question, scopes)
        shown = await self._core.showing.of(await self._core.recalls.leanings(one), scopes)
        if not shown:
            return "it stands again"
        text = blocks.headline(shown)
        if one.person is not None:
            opened = await self._client.conversations_open(users=one.person)
            note = blocks.note(shown, one.id, asked=question.text)
            await self._say(one, str(opened["channel"]["id"]), None, text, note)
            return ""
        if not await self._stands(question):
            return "the answer is gone"
        await self._say(one, question.place.channel, question.place.thread, text, blocks.note(shown, one.id))
        return ""

    async def _tell_many(self, one: Recall, question: Question, scopes: frozenset[str]) -> str:
        named: list[tuple[str, str, str]] = []
        for other in one.others:
            of = await self._core.recalls.get(other)
            about = await self._core.assistant.asked(of.question_id) if of is not None else None
            if of is None or about is None or not about.text:
                continue
            shown = await self._core.showing.of(await self._core.recalls.leanings(of), scopes)
            if shown:
                named.append((about.text, await self._link(about), shown[0].title))
        if not named:
            return "all stand again"
        text, many = blocks.counted(named, len(named))
        channel = question.place.channel
        if one.person is not None:
            channel = str((await self._client.conversations_open(users=one.person))["channel"]["id"])
        await self._say(one, channel, None, text, many)
        return ""

    async def _say(self, one: Recall, channel: str, thread: str | None, text: str, shown: list[JSON]) -> None:
        try:
            await self._begun.once(one.question_id, one.part, channel=channel, thread=thread, text=text, blocks=shown)
        except SlackApiError as error:
            if code(error) not in REFUSED_BLOCKS:
                raise
            await self._begun.once(one.question_id, one.part, channel=channel, thread=thread, text=text)
        await self._core.replies.settle(one.question_id)

    async def _scopes(self, question: Question) -> frozenset[str]:
        """What all may read who read the note."""
        place = question.place
        now = await self._places.place(place.workspace, place.channel, place.thread)
        return (await self._places.audience(now, question.asker, private=question.private)).scopes

    async def _stands(self, question: Question) -> bool:
        """Whether the thread is there still, with the answer in it."""
        ts = await self._core.assistant.answer_ts(question.id)
        thread = question.place.thread or ts
        if thread is None:
            return False
        found = await self._client.conversations_replies(
            channel=question.place.channel, ts=thread, oldest=ts, latest=ts, inclusive=True, limit=10
        )
        there = {str(message["ts"]) for message in found["messages"]}
        return (ts or thread) in there

    async def _link(self, question: Question) -> str:
        ts = await self._core.assistant.answer_ts(question.id)
        if ts is None or question.private:
            return ""
        try:
            told = await self._client.chat_getPermalink(channel=question.place.channel, message_ts=ts)
        except SlackApiError:
            return ""
        return str(told["permalink"])


class AskingAgain:
    """The button under a note. The first press counts."""

    KIND = "recalled"

    def __init__(self, client: AsyncWebClient, core: Core, places: Places, answering: Answering) -> None:
        self._client = client
        self._core = core
        self._places = places
        self._answering = answering

    async def run(self, reference: str, payload: JSON) -> None:
        """Answers anew where the first answer stands. Raises NotAllowed."""
        origin = Origin.of(payload)
        recall = await self._core.recalls.get(pressed(payload))
        question = await self._core.assistant.asked(recall.question_id) if recall is not None else None
        if question is None or not question.text:
            raise NotAllowed(FORGOTTEN)
        if not await self._places.may_read(origin.person, question):
            raise NotAllowed("That answer was given in a place that you cannot read.")
        message: JSON = payload.get("message") or {}
        if shown := message.get("blocks"):
            text = str(message.get("text") or "")
            await origin.replace(self._client, payload, text, blocks.asked_again(shown, origin.person))
        await self._answering.anew(reference, question, origin.person, origin.line(self._client))
