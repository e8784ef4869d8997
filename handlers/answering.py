"""Asks the assistant and brings its answer to Slack, in the thread or to one person alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import Answer, AnswerEvent, Attachment, Audience, Finished, Place, Question, StrategyName, Turn
from bot.errors import UnusableQuestion
from bot.worker import current, is_fresh
from handlers.asked_with import asked_with
from handlers.audience import Places
from handlers.begun import Begun, just_before
from handlers.blocks import another_way
from handlers.identity import Identity
from handlers.limiting import Limiting
from handlers.people import People
from handlers.private_line import PrivateLine
from handlers.private_reply import PrivateReply
from handlers.reply import Tail, ThreadReply, Written
from handlers.shapes import JSON
from handlers.text import has_words, said

log = structlog.get_logger(__name__)

REPLIES_READ = 50
ANSWERED = ("answered", "nothing_found")
"""The outcomes of an answer that can be shown as it was kept."""
PRIVATE, COMPARISON, SAID = "private", "comparison", "said"
"""What is said once besides the messages of an answer."""
INTERRUPTED = (
    "I was interrupted while I brought you an answer that only you see. If it did not reach you, please ask again."
)


class Stoppable(Protocol):
    """An answer under way."""

    @property
    def question_id(self) -> str:
        """Which question it answers."""
        ...

    def stop(self) -> None:
        """The person pressed stop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asked and where. `ts` is their message's, None where there is none (a command)."""

    reference: str
    text: str
    person: str
    workspace: str
    channel: str
    thread: str | None
    ts: str | None = None
    attachments: tuple[Attachment, ...] = ()
    model: str | None = None
    strategy: StrategyName | None = None

    def understood(self) -> Asked:
        """The same with "model:NAME" and "strategy:NAME" before the question taken out of its words.

        Raises UnusableWords for a strategy that there is not, UnusableQuestion where nothing is asked.
        """
        found = asked_with(self.text)
        if found.text == self.text:
            return self
        if not has_words(found.text):
            raise UnusableQuestion(f"Write your question after it, for example “{self.text.strip()} how do I …?”")
        return replace(self, text=found.text, model=found.model, strategy=found.strategy)


class Answering:
    """Every door that takes a question leads here."""

    def __init__(self, client: AsyncWebClient, core: Core, places: Places, identity: Identity) -> None:
        self._client = client
        self._core = core
        self._places = places
        self._identity = identity
        self._people = People(client)
        self._limiting = Limiting(client, core.limits)
        self.begun = Begun(client, core.replies, identity)
        self._under_way: dict[tuple[str, str], list[Stoppable]] = {}

    async def in_thread(self, asked: Asked) -> None:
        """Answers in the thread, and keeps both sides of the conversation. Raises where Slack takes no answer, and
        what `Asked.understood` raises."""
        asked = asked.understood()
        if not await self._limiting.admits(asked.person, asked.channel, asked.thread, asked.reference):
            return
        thread = str(asked.thread)
        await self._read_thread(asked)
        if asked.ts is not None:
            await self._core.conversations.record(
                asked.channel, thread, asked.ts, "user", asked.person, asked.text, asked.reference
            )
        place = await self._places.place(asked.workspace, asked.channel, thread)
        question = await self._question(asked, place)
        question = replace(question, history=await self._history(asked, question.audience))
        if not question.attachments:  # the same words about another file are another question
            await self._core.asked_again.note(question)
        await self._answer_in_thread(question, asked.ts)
        heard = None if asked.text or asked.ts is None else await self._core.assistant.asked(question.id)
        if heard is not None and asked.ts is not None:
            # What was spoken stands in the conversation as it was written down: follow-ups lean on it.
            await self._core.conversations.edit(asked.channel, asked.ts, heard.text)

    async def privately(self, asked: Asked, line: PrivateLine) -> None:
        """Answers so that only the asker reads it. Raises what `Asked.understood` raises."""
        asked = asked.understood()
        if not await self._limiting.admits(asked.person, asked.channel, asked.thread, asked.reference, line):
            return
        place = await self._places.place(asked.workspace, asked.channel, asked.thread)
        question = await self._question(asked, place, private=True)
        if not question.attachments:
            await self._core.asked_again.note(question)
        await self._write_privately(question, line)

    async def again(
        self,
        reference: str,
        first: Question,
        person: str,
        line: PrivateLine,
        model: str | None,
        strategy: StrategyName | None,
    ) -> None:
        """Asks a question once more, another way; the answer comes where the first one stands.

        Under it the person is asked which of the two is better.
        """
        if not await self._limiting.admits(person, first.place.channel, first.place.thread, reference, line):
            return
        # Whoever asks for another way wants an answer, not a question.
        question = await self._once_more(reference, first, person, model=model, strategy=strategy, meant="")
        await self._core.alternatives.add(question.id, first.id, person)
        if question.private or question.place.thread is None:
            if await self._write_privately(question, line):
                await line.say(*await self._comparison(question.id, first.id))
            return
        written = await self._answer_in_thread(question)
        if written.outcome == "answered":
            text, blocks = await self._comparison(question.id, first.id)
            thread = question.place.thread if written.channel == question.place.channel else None
            await self.begun.once(
                question.id, COMPARISON, channel=written.channel, thread=thread, text=text, blocks=blocks
            )

    async def clarified(self, reference: str, first: Question, person: str, meant: str) -> None:
        """Answers a question of which somebody has said what is meant; "" for none of what was offered."""
        if not await self._limiting.admits(person, first.place.channel, first.place.thread, reference):
            return
        await self._answer_in_thread(await self._once_more(reference, first, person, meant=meant))

    async def anew(self, reference: str, first: Question, person: str, line: PrivateLine) -> None:
        """Answers a question again as if it came now, where its first answer stands."""
        if not await self._limiting.admits(person, first.place.channel, first.place.thread, reference, line):
            return
        question = await self._once_more(reference, first, person)
        if question.private or question.place.thread is None:
            await self._write_privately(question, line)
        else:
            await self._answer_in_thread(question)

    async def stop(self, channel: str, thread: str | None) -> int:
        """Stops the answers under way in a thread (without one: in the whole channel), those of other processes
        within a second; says how many are this one's."""
        keys = [key for key in self._under_way if key[0] == channel and thread in (None, key[1])]
        replies = [reply for key in keys for reply in self._under_way[key]]
        for reply in replies:
            reply.stop()
        await self._core.replies.stop(channel, thread)
        return len(replies)

    async def hear_stops(self) -> None:
        """Stops what a person stopped by an event that came to another process."""
        replies = {reply.question_id: reply for there in self._under_way.values() for reply in there}
        if replies:
            for question_id in await self._core.replies.stopped(replies):
                replies[question_id].stop()

    def busy(self, channel: str, thread: str) -> bool:
        """Whether an answer is being written in the thread."""
        return (channel, thread) in self._under_way

    async def say(
        self, reference: str, channel: str, thread: str | None, text: str, blocks: Sequence[JSON] | None = None
    ) -> None:
        """Says something that is no answer, and keeps it, so that the thread counts as a conversation."""
        ts = await self.begun.once(reference, SAID, channel=channel, thread=thread, text=text, blocks=blocks)
        if thread is not None:
            await self._core.conversations.record(channel, thread, ts, "assistant", "", text)

    async def _once_more(self, reference: str, first: Question, person: str, **changed: Any) -> Question:
        """The same question, asked by somebody now, with what was said in the thread before it."""
        turns: tuple[Turn, ...] = ()
        place = await self._places.place(first.place.workspace, first.place.channel, first.place.thread)
        audience = await self._places.audience(place, person, private=first.private)
        if place.thread and not first.private:
            turns = await self._core.conversations.turns(place.channel, place.thread, audience.scopes)
        asked_at = next((n for n, turn in enumerate(turns) if turn.text == first.text), 0)
        return replace(
            first,
            id=reference,
            asker=person,
            asked_at=self._core.clock(),
            place=place,
            audience=audience,
            history=turns[:asked_at],
            **changed,
        )

    async def _comparison(self, second: str, first: str) -> tuple[str, list[JSON]]:
        receipts = [await self._core.assistant.receipt(one) for one in (first, second)]
        assert receipts[1] is not None, "an answer that was given has its receipt"
        return another_way.comparison(second, receipts[0], receipts[1])

    async def write(self, question: Question, events: AsyncGenerator[AnswerEvent, None], tail: Tail) -> Written:
        """Writes an answer that somebody else has asked for into its thread, with other blocks under it."""
        if (standing := await self._standing(question.id)) is not None:
            await events.aclose()
            return standing
        begun = self.begun.reply(question.id, just_before())
        reply = ThreadReply(self._client, question, self._core.clock, tail=tail, begun=begun)
        return await self._write(question, reply, events)

    def _answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        return self._people.named(self._core.assistant.answer(question))

    async def _answer_in_thread(self, question: Question, asked_ts: str | None = None) -> Written:
        if (standing := await self._standing(question.id)) is not None:
            return standing
        begun = self.begun.reply(question.id, asked_ts or just_before())
        reply = ThreadReply(self._client, question, self._core.clock, begun=begun)
        return await self._write(question, reply, await self._kept(question) or self._answer(question))

    async def _standing(self, question_id: str) -> Written | None:
        """What an earlier attempt had finished when it ended; None where the answer is still owed."""
        if is_fresh():
            return None
        parts = [part for part in await self._core.replies.of(question_id) if part.is_answer]
        if not parts or not all(part.settled for part in parts):
            return None
        receipt = await self._core.assistant.receipt(question_id)
        answered = receipt is not None and receipt.outcome in ANSWERED
        text = await self._core.assistant.answered(question_id) or ""
        log.info("stands_already", question=question_id)
        return Written(parts[-1].channel, parts[-1].ts, text, "answered" if answered else "failed")

    async def _kept(self, question: Question) -> AsyncGenerator[AnswerEvent, None] | None:
        """The answer that an earlier attempt had made and not brought to Slack; None where it is to be made."""
        lease = current()
        if lease is None or lease.fresh or lease.changed or question.attachments:
            return None
        receipt = await self._core.assistant.receipt(question.id)
        text = await self._core.assistant.answered(question.id)
        if receipt is None or text is None or receipt.outcome not in ANSWERED:
            return None
        return _one(Finished(Answer(question_id=question.id, text=text, citations=receipt.citations, receipt=receipt)))

    async def _write_privately(self, question: Question, line: PrivateLine) -> bool:
        """Whether an answer was told. One that may have been told by an attempt that died is not told twice."""
        before = [] if is_fresh() else [p for p in await self._core.replies.of(question.id) if p.name == PRIVATE]
        if before and before[0].settled:
            return False
        note = partial(self._core.replies.intend, question.id, channel=question.place.channel, thread=None, after="")
        if before:
            await note(PRIVATE)
            await self._core.replies.settle(question.id)
            await line.direct(f"{INTERRUPTED} (reference {question.id})")
            return False
        reply = PrivateReply(line, question, self._core.clock, partial(note, PRIVATE))
        told = await reply.write(self._answer(question))
        await self._core.replies.settle(question.id)
        return told

    async def _write(
        self, question: Question, reply: ThreadReply, events: AsyncGenerator[AnswerEvent, None]
    ) -> Written:
        channel, thread = question.place.channel, str(question.place.thread)
        # Before Slack shows a status, and with it the button that stops: the press may come to another process.
        await self._core.replies.begin(question.id, channel, thread)
        under_way = self._under_way.setdefault((channel, thread), [])
        under_way.append(reply)
        try:
            written = await reply.write(events)
            # Recorded before the thread counts as quiet: a follow-up that comes at once is one of a conversation.
            await self._record(question, written)
            await self._core.replies.settle(question.id)
            return written
        finally:
            under_way.remove(reply)
            if not under_way:
                self._under_way.pop((channel, thread), None)

    async def _record(self, question: Question, written: Written) -> None:
        channel, thread = question.place.channel, str(question.place.thread)
        log.info("answered", question=question.id, outcome=written.outcome, channel=written.channel)
        if written.ts is None or written.channel != channel:
            return
        await self._core.conversations.record(channel, thread, written.ts, "assistant", "", written.text, question.id)
        if written.outcome == "answered":
            await self._core.assistant.note_answer_ts(question.id, written.ts)

    async def _question(self, asked: Asked, place: Place, *, private: bool = False) -> Question:
        return Question(
            id=asked.reference,
            text=asked.text,
            asker=asked.person,
            place=place,
            audience=await self._places.audience(place, asked.person, private=private),
            asked_at=self._core.clock(),
            attachments=asked.attachments,
            model=asked.model,
            strategy=asked.strategy,
            private=private,
        )

    async def _history(self, asked: Asked, audience: Audience) -> tuple[Turn, ...]:
        """What was said in the thread before, as far as all who read it may read it now."""
        if asked.ts is None or asked.thread == asked.ts:
            return ()
        conversations = self._core.conversations
        return await conversations.turns(asked.channel, str(asked.thread), audience.scopes, before=asked.ts)

    async def _read_thread(self, asked: Asked) -> None:
        """Where the bot is called into a thread that it did not follow, what was said there is the context."""
        channel, thread, before = asked.channel, str(asked.thread), asked.ts
        if before is None or thread == before or await self._core.conversations.takes_part(channel, thread):
            return
        try:
            replies = await self._client.conversations_replies(channel=channel, ts=thread, limit=REPLIES_READ)
        except SlackApiError as error:
            log.info("thread_unread", error=error.response.get("error"), channel=channel)
            return
        bot = (await self._identity.bot()).user
        for message in replies["messages"]:
            text = said(message.get("text", ""), bot)
            if message["ts"] < before and text and not message.get("bot_id"):
                await self._core.conversations.record(
                    channel, thread, message["ts"], "user", message.get("user", ""), text
                )


async def _one(event: AnswerEvent) -> AsyncGenerator[AnswerEvent, None]:
    yield event
