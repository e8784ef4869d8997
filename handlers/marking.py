"""“Mark as the answer” and ✅: whose message becomes a proposal, and when that is taken back."""

from __future__ import annotations

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import Question
from bot.errors import NotAllowed
from bot.learning.marks import Mark
from handlers.answer_cards import AnswerCards
from handlers.audience import SILENT, Places
from handlers.errors import code
from handlers.identity import Identity
from handlers.origin import Origin
from handlers.permissions import Deed, Roles
from handlers.shapes import JSON, is_spoken
from handlers.text import has_words, said

log = structlog.get_logger(__name__)

CHECKS = frozenset({"white_check_mark", "heavy_check_mark"})
NOTHING_ASKED = (
    "Nobody has asked me anything in this thread, so I do not know which question this answers. “Save as example” "
    "keeps any message with its question."
)
THE_QUESTION = "This is a question. Mark the message that answers it."
NOT_A_PERSONS = (
    "A program wrote this, and here I keep what people say. An answer of mine is kept with 👍 and “Save as example”."
)
NO_WORDS = "There are no words in this message that I could keep."
ELSEWHERE = "That was answered in a place that you cannot read."


class Marking:
    """Who may mark what. Raises NotAllowed and SlackApiError."""

    KIND = "mark"

    def __init__(
        self, client: AsyncWebClient, core: Core, roles: Roles, places: Places, identity: Identity, cards: AnswerCards
    ) -> None:
        self._client = client
        self._core = core
        self._roles = roles
        self._places = places
        self._identity = identity
        self._cards = cards

    async def chosen(self, _reference: str, payload: JSON) -> None:
        """The shortcut on a message."""
        origin = Origin.of(payload)
        mark = await self._mark(str(origin.channel), payload["message"], origin.person)
        await self._cards.post(mark)
        if mark.state == "kept":
            await origin.line(self._client).say(f"<@{mark.decided_by}> has kept this answer already.")
        elif mark.marked_by != origin.person:
            await origin.line(self._client).say(f"<@{mark.marked_by}> has marked it already: I ask in the thread.")

    async def reacted(self, _reference: str, body: JSON) -> None:
        """✅ on a message: where it can be no mark, nothing happens."""
        event: JSON = body["event"]
        channel, ts = _of_item(event)
        if event.get("reaction") not in CHECKS or not await self._core.marks.asked_in(channel):
            return
        try:
            message = await self._cards.message(channel, ts)
            if message is not None and _checked_by(message, str(event.get("user"))):
                await self._cards.post(await self._mark(channel, message, str(event.get("user"))))
        except NotAllowed as error:
            log.info("no_mark", channel=channel, ts=ts, why=str(error))
        except SILENT as error:
            log.warning("not_marked", channel=channel, ts=ts, error=code(error) or type(error).__name__)

    async def unreacted(self, _reference: str, body: JSON) -> None:
        """Who marked a message took ✅ away again."""
        event: JSON = body["event"]
        mark = await self._core.marks.of(*_of_item(event)) if event.get("reaction") in CHECKS else None
        if mark is not None and mark.marked_by == event.get("user"):
            await self._withdraw(mark)

    async def changed(self, _reference: str, body: JSON) -> None:
        """A message was edited or deleted: its card says what stands there now."""
        event: JSON = body["event"]
        if event.get("subtype") not in ("message_changed", "message_deleted"):
            return
        ts = event.get("deleted_ts") or (event.get("message") or {}).get("ts")
        mark = await self._core.marks.of(str(event["channel"]), str(ts))
        if mark is None or mark.state != "open":
            return
        if event["subtype"] == "message_deleted":
            await self._withdraw(mark)
        else:
            await self._cards.show(mark.id)

    async def _withdraw(self, mark: Mark) -> None:
        await self._core.marks.withdraw(mark.id)
        await self._cards.show(mark.id)
        log.info("mark_withdrawn", mark=mark.id)

    async def _mark(self, channel: str, message: JSON, person: str) -> Mark:
        """The mark of a message. Raises NotAllowed where it is no answer that this person may mark."""
        ts = str(message["ts"])
        thread = str(message.get("thread_ts") or ts)
        bot = (await self._identity.bot()).user
        if not is_spoken(message) or message.get("user") in (None, bot, "USLACKBOT"):
            raise NotAllowed(NOT_A_PERSONS)
        id = await self._core.marks.question_of(channel, thread, ts)
        question = await self._core.assistant.asked(id) if id is not None else None
        if question is None or not question.text:
            raise NotAllowed(NOTHING_ASKED)
        await self._may_mark(person, question)
        if thread == ts or await self._core.conversations.asks(channel, ts):
            raise NotAllowed(THE_QUESTION)
        if not has_words(said(str(message.get("text") or ""), bot)):
            raise NotAllowed(NO_WORDS)
        author = str(message["user"])
        return await self._core.marks.mark(
            channel, ts, thread=thread, question_id=question.id, author=author, by=person
        )

    async def _may_mark(self, person: str, question: Question) -> None:
        """Who asked, who was asked to help, and every full member who can read there. Raises NotAllowed."""
        handed = await self._core.hand_offs.get(question.id)
        if person != question.asker and (handed is None or person != handed.owner):
            await self._roles.need(person, Deed.MARK_ANSWER)
        if not await self._places.may_read(person, question):
            raise NotAllowed(ELSEWHERE)


def is_no_other_reaction(body: JSON) -> bool:
    """Whether an event is worth keeping: of all that people react with, ✅ alone is."""
    event: JSON = body.get("event") or {}
    return not str(event.get("type")).startswith("reaction_") or event.get("reaction") in CHECKS


def _of_item(event: JSON) -> tuple[str, str]:
    item: JSON = event.get("item") or {}
    return str(item.get("channel") or ""), str(item.get("ts") or "")


def _checked_by(message: JSON, person: str) -> bool:
    """Whether ✅ of a person still stands on a message; Slack names some of many who reacted."""
    for each in message.get("reactions") or ():
        users = each.get("users") or ()
        if each.get("name") in CHECKS and (person in users or len(users) < int(each.get("count") or 0)):
            return True
    return False
