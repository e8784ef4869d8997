"""The review card of each marked answer: posted once, and always brought to how its mark stands."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import Question
from bot.learning.marks import Mark
from bot.learning.reviewed import Draft
from handlers.audience import Places
from handlers.begun import Begun
from handlers.blocks import marked
from handlers.errors import GONE, code
from handlers.identity import Identity
from handlers.shapes import JSON, is_spoken
from handlers.text import said, without_address

log = structlog.get_logger(__name__)

_NOT_THERE = GONE | {"message_not_found"}


@dataclass(frozen=True, slots=True)
class AnswerCards:
    """Every method raises SlackApiError where Slack does not do what is needed."""

    client: AsyncWebClient
    core: Core
    places: Places
    begun: Begun
    identity: Identity

    async def message(self, channel: str, ts: str, thread: str | None = None) -> JSON | None:
        """A message of a thread (None: whichever it is in) as it stands now; None where it is gone, or the bot may not
        read there."""
        try:
            found = await self.client.conversations_replies(
                channel=channel, ts=thread or ts, oldest=ts, latest=ts, inclusive=True, limit=10
            )
        except SlackApiError as error:
            if code(error) not in _NOT_THERE:
                raise
            return None
        messages: list[JSON] = found["messages"]  # the first message of the thread may come before it
        return next((each for each in messages if each["ts"] == ts), None)

    async def draft(self, mark: Mark, question: Question) -> Draft | None:
        """The question and the words of the message as they stand now; None where these are gone."""
        message = await self.message(mark.channel, mark.ts, mark.thread)
        if message is None or not is_spoken(message):
            return None
        words = without_address(str(message.get("text") or ""))
        return Draft.of(question.text, said(words, (await self.identity.bot()).user))

    async def post(self, mark: Mark) -> None:
        """Posts the card, once whoever else does; one that stands is brought to how the mark stands."""
        marks = self.core.marks
        if mark.card is None:
            if not await marks.claim(mark.id):
                return
            ts = None
            try:
                ts = await self._post(mark)
            finally:
                await marks.posted(mark.id, ts)
            await self.core.replies.settle(mark.question_id)
            now = await marks.get(mark.id)
            if now is None or now.state == mark.state:
                return
        await self.show(mark.id)

    async def show(self, id: str) -> None:
        """Brings a card to how its mark stands, also where that changes meanwhile."""
        while (mark := await self.core.marks.get(id)) is not None and mark.card is not None:
            text, blocks = await self._as_it_stands(mark)
            try:
                await self.client.chat_update(channel=mark.channel, ts=mark.card, text=text, blocks=blocks)
            except SlackApiError as error:
                if code(error) not in _NOT_THERE:
                    raise
                log.info("card_gone", mark=id, error=code(error))
            if await self.core.marks.get(id) == mark:
                return

    async def _post(self, mark: Mark) -> str:
        text, blocks = await self._as_it_stands(mark)
        place = {"channel": mark.channel, "thread": mark.thread}
        ts = await self.begun.once(mark.question_id, mark.part, **place, text=text, blocks=blocks, is_begun=True)
        log.info("answer_marked", mark=mark.id, question=mark.question_id, person=mark.marked_by)
        return ts

    async def _as_it_stands(self, mark: Mark) -> tuple[str, list[JSON]]:
        if mark.state != "open":
            return marked.decided(mark)
        question = await self.core.assistant.asked(mark.question_id)
        if question is None or not question.text:
            return marked.FORGOTTEN, []
        draft = await self.draft(mark, question)
        if draft is None:
            await self.core.marks.withdraw(mark.id)
            return marked.decided(mark)
        place = await self.places.place(question.place.workspace, mark.channel)
        return marked.proposed(mark, draft, place.kind)
