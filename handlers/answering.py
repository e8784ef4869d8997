"""Asks the assistant and brings its answer to Slack, in the thread or to one person alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import AnswerEvent, Attachment, Place, Question, StrategyName, Turn
from bot.errors import UnusableQuestion
from handlers.asked_with import asked_with
from handlers.audience import Places
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


class Stoppable(Protocol):
    """An answer under way."""

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
        self._under_way: dict[tuple[str, str], list[Stoppable]] = {}

    async def in_thread(self, asked: Asked) -> None:
        """Answers in the thread, and keeps both sides of the conversation. Raises where Slack takes no answer, and
        what `Asked.understood` raises."""
        asked = asked.understood()
        if not await self._limiting.admits(asked.person, asked.channel, asked.thread, asked.reference):
            return
        thread = str(asked.thread)
        history = await self._history(asked)
        if asked.ts is not None:
            await self._core.conversations.record(
                asked.channel, thread, asked.ts, "user", asked.person, asked.text, asked.reference
            )
        place = await self._places.place(asked.workspace, asked.channel, thread)
        question = await self._question(asked, place, history)
        if not question.attachments:  # the same words about another file are another question
            await self._core.asked_again.note(question)
        await self._answer_in_thread(question)
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
        question = await self._question(asked, place, (), private=True)
        if not question.attachments:
            await self._core.asked_again.note(question)
        await PrivateReply(line, question, self._core.clock).write(self._answer(question))

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
            if await PrivateReply(line, question, self._core.clock).write(self._answer(question)):
                await line.say(*await self._comparison(question.id, first.id))
            return
        written = await self._answer_in_thread(question)
        if written.outcome == "answered":
            text, blocks = await self._comparison(question.id, first.id)
            thread = question.place.thread if written.channel == question.place.channel else None
            await self._client.chat_postMessage(
                channel=written.channel,
                thread_ts=thread,
                text=text,
                blocks=blocks,
                unfurl_links=False,
                unfurl_media=False,
            )

    async def clarified(self, reference: str, first: Question, person: str, meant: str) -> None:
        """Answers a question of which somebody has said what is meant; "" for none of what was offered."""
        if not await self._limiting.admits(person, first.place.channel, first.place.thread, reference):
            return
        await self._answer_in_thread(await self._once_more(reference, first, person, meant=meant))

    def stop(self, channel: str, thread: str | None) -> int:
        """Stops the answers under way in a thread (without one: in the whole channel); says how many."""
        keys = [key for key in self._under_way if key[0] == channel and thread in (None, key[1])]
        replies = [reply for key in keys for reply in self._under_way[key]]
        for reply in replies:
            reply.stop()
        return len(replies)

    def busy(self, channel: str, thread: str) -> bool:
        """Whether an answer is being written in the thread."""
        return (channel, thread) in self._under_way

    async def say(self, channel: str, thread: str | None, text: str, blocks: Sequence[JSON] | None = None) -> None:
        """Says something that is no answer, and keeps it, so that the thread counts as a conversation."""
        posted = await self._client.chat_postMessage(
            channel=channel, thread_ts=thread, text=text, blocks=blocks, unfurl_links=False, unfurl_media=False
        )
        if thread is not None:
            await self._core.conversations.record(channel, thread, str(posted["ts"]), "assistant", "", text)

    async def _once_more(self, reference: str, first: Question, person: str, **changed: Any) -> Question:
        """The same question, asked by somebody now, with what was said in the thread before it."""
        turns: tuple[Turn, ...] = ()
        if first.place.thread and not first.private:
            turns = await self._core.conversations.turns(first.place.channel, first.place.thread)
        asked_at = next((n for n, turn in enumerate(turns) if turn.text == first.text), 0)
        return replace(
            first,
            id=reference,
            asker=person,
            asked_at=self._core.clock(),
            audience=await self._places.audience(first.place, person, private=first.private),
            history=turns[:asked_at],
            **changed,
        )

    async def _comparison(self, second: str, first: str) -> tuple[str, list[JSON]]:
        receipts = [await self._core.assistant.receipt(one) for one in (first, second)]
        assert receipts[1] is not None, "an answer that was given has its receipt"
        return another_way.comparison(second, receipts[0], receipts[1])

    async def write(self, question: Question, events: AsyncGenerator[AnswerEvent, None], tail: Tail) -> Written:
        """Writes an answer that somebody else has asked for into its thread, with other blocks under it."""
        return await self._write(question, ThreadReply(self._client, question, self._core.clock, tail=tail), events)

    def _answer(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        return self._people.named(self._core.assistant.answer(question))

    async def _answer_in_thread(self, question: Question) -> Written:
        reply = ThreadReply(self._client, question, self._core.clock)
        return await self._write(question, reply, self._answer(question))

    async def _write(
        self, question: Question, reply: ThreadReply, events: AsyncGenerator[AnswerEvent, None]
    ) -> Written:
        channel, thread = question.place.channel, str(question.place.thread)
        under_way = self._under_way.setdefault((channel, thread), [])
        under_way.append(reply)
        try:
            written = await reply.write(events)
            # Recorded before the thread counts as quiet: a follow-up that comes at once is one of a conversation.
            await self._record(question, written)
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

    async def _question(
        self, asked: Asked, place: Place, history: tuple[Turn, ...], *, private: bool = False
    ) -> Question:
        return Question(
            id=asked.reference,
            text=asked.text,
            asker=asked.person,
            place=place,
            audience=await self._places.audience(place, asked.person, private=private),
            asked_at=self._core.clock(),
            attachments=asked.attachments,
            history=history,
            model=asked.model,
            strategy=asked.strategy,
            private=private,
        )

    async def _history(self, asked: Asked) -> tuple[Turn, ...]:
        thread = str(asked.thread)
        if asked.ts is None or thread == asked.ts:
            return ()
        if not await self._core.conversations.takes_part(asked.channel, thread):
            await self._read_thread(asked.channel, thread, asked.ts)
        return await self._core.conversations.turns(asked.channel, thread, before=asked.ts)

    async def _read_thread(self, channel: str, thread: str, before: str) -> None:
        """The bot is called into a thread that it did not follow: what was said there is the context."""
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
