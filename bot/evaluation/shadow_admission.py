"""Which questions may be answered once more in the shadow, as things stand now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import sqlalchemy as sa

from bot.core import Core
from bot.domain import Audience, PlaceKind, Question, Receipt
from bot.errors import NotAllowed
from bot.learning.experience import CONFIGURED
from bot.selection import receipts, wording
from bot.selection.questions import Questions
from bot.storage.tables import conversations, questions

AudienceNow = Callable[[Question], Awaitable[Audience]]
"""Who would read an answer to an earlier question now."""

PRIVATE = "asked in private"
GONE = "the message was deleted or changed"
AUDIENCE = "fewer may read now what could be read then"
RULES = "the channel's questions may not leave this machine"
PINNED = "a person had fixed the model or the strategy"
STEPPED_IN = "another model had stepped in"
FOLLOW_UP = "it leans on its thread"
FILES = "files came with it"
NO_OTHER = "no other option could be taken"
PRICE = "the others' prices are unknown"
BUDGET = "the week's budget had no room"

_ALONE = frozenset({PlaceKind.DM, PlaceKind.GROUP_DM})


class Skipped(Exception):
    """A question is not asked, or not judged; `str` says why, in one of the phrases above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A question with what was said before it, the answer that people saw, and its receipt."""

    question: Question
    answer: str
    receipt: Receipt


class Admission:
    """Looks at a question before it is answered in the shadow, and once more before that is judged."""

    def __init__(self, core: Core, audience: AudienceNow) -> None:
        self._core = core
        self._audience = audience

    async def is_answered(self, question_id: str) -> bool:
        """Whether the question was asked in Slack and got a whole answer; others are never drawn."""
        row = await self._row(question_id)
        if row is None or not row.receipt or not row.answer or row.place_kind == PlaceKind.CONSOLE:
            return False
        return bool(row.receipt.get("outcome") == "answered")

    async def admit(self, question_id: str, *, also_pinned: bool = False) -> Admitted:
        """The question. Raises Skipped where it may not be asked again, by anybody, now. `also_pinned`: a model that
        somebody had fixed keeps it from nothing."""
        row = await self._row(question_id)
        if row is None or not row.receipt or not row.answer:
            raise Skipped(GONE)
        receipt = receipts.from_json(row.receipt)
        question = await self._in_its_thread(Questions.made_of(row))
        alone = question.private or question.place.kind in _ALONE
        if alone and not self._core.settings.selection.shadow_private:
            raise Skipped(PRIVATE)
        choice = receipt.choice
        pinned = choice.policy == "person" or any(pin.scope != CONFIGURED for pin in choice.pins)
        if pinned and not also_pinned:
            raise Skipped(PINNED)
        if choice.policy == "fallback":
            raise Skipped(STEPPED_IN)
        # The search of a follow-up was written by a model, so another one would not be answered from the same evidence.
        if wording.leans(question):
            raise Skipped(FOLLOW_UP)
        if receipt.attachments:
            raise Skipped(FILES)
        now = (await self._audience(question)).scopes
        if not question.audience.scopes <= now or not await self._core.bases.answers_for([question.id], now):
            raise Skipped(AUDIENCE)
        try:
            await self._core.data_rules.check_search(question.place.channel, self._core.knowledge.embedder.name)
        except NotAllowed:
            raise Skipped(RULES) from None
        return Admitted(question=question, answer=row.answer, receipt=receipt)

    async def _in_its_thread(self, question: Question) -> Question:
        """The question with the turns before it. Raises Skipped where its message is gone or says something else."""
        if question.private or question.place.thread is None:
            return question
        query = sa.select(conversations.c.ts, conversations.c.text).where(
            conversations.c.question_id == question.id,
            conversations.c.role == "user",
            conversations.c.deleted.is_(False),
        )
        async with self._core.engine.connect() as connection:
            message = (await connection.execute(query)).first()
        if message is None or message.text != question.text:
            raise Skipped(GONE)
        place = question.place
        assert place.thread is not None
        scopes = question.audience.scopes
        turns = await self._core.conversations.turns(place.channel, place.thread, scopes, before=message.ts)
        return replace(question, history=turns)

    async def _row(self, question_id: str) -> sa.Row[tuple[object, ...]] | None:
        async with self._core.engine.connect() as connection:
            return (await connection.execute(sa.select(questions).where(questions.c.id == question_id))).first()
