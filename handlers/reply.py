"""Writes an answer into a thread while it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Literal

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain import Answer, AnswerEvent, Clarify, Failed, Finished, Question
from bot.strategies.disarming import uncalled
from bot.worker import current, is_fresh
from handlers import markdown
from handlers.begun import Messages, Standing
from handlers.blocks import answer as answer_blocks
from handlers.blocks import clarify
from handlers.blocks.parts import context
from handlers.collecting import Collector
from handlers.cutting import take
from handlers.errors import GONE, code, sentence
from handlers.growing import Growing, Streamed, Updated
from handlers.shapes import JSON

log = structlog.get_logger(__name__)

PACE = 1.0
"""Seconds between two appends: appendStream is allowed about once a second for each stream."""
UPDATE_PACE = 2.0
"""Seconds between two updates: chat.update is allowed half as often."""
LIFETIME = 240.0
"""Seconds after which a stream is continued in a new message; Slack ends streams after about 300."""
LOADING = ("Searching the knowledge …", "Reading what was found …", "Choosing the cheapest good way …")
Tail = Callable[[Answer, datetime], list[JSON]]
"""The blocks under an answer, at a moment."""
_TROUBLE = frozenset({"", "ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})


@dataclass(frozen=True, slots=True)
class Written:
    """What now stands in Slack. `ts` is the last message's; `channel` is not the question's where that was closed."""

    channel: str
    ts: str | None
    text: str
    outcome: Literal["answered", "asked_back", "failed", "stopped"]


class ThreadReply:
    """One answer in one thread. Where nothing can be written there, it goes to the asker as a DM.

    `begun` knows where an earlier attempt's messages stand, and is told where this one's do; None: nobody is.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        question: Question,
        clock: Callable[[], datetime],
        *,
        pace: float = PACE,
        lifetime: float = LIFETIME,
        tail: Tail = answer_blocks.tail,
        begun: Messages | None = None,
    ) -> None:
        self._client = client
        self._begun = begun
        self._standing: list[Standing] = []  # messages of an earlier attempt, to be written into
        self._numbers = count()
        self._question = question
        self._clock = clock
        self._pace = pace
        self._lifetime = lifetime
        self._tail = tail
        self._channel = question.place.channel
        self._thread = question.place.thread
        self._messages: list[Growing] = []
        self._streaming = True
        self._doubtful = False  # a call failed and nobody knows whether Slack took it
        self._collector: Collector | None = None

    @property
    def question_id(self) -> str:
        """Which question it answers."""
        return self._question.id

    def stop(self) -> None:
        """The person pressed stop."""
        if self._collector is not None:
            self._collector.stop()

    async def write(self, events: AsyncGenerator[AnswerEvent, None]) -> Written:
        """Shows the answer as it comes and settles what stands there in the end.

        Raises SlackApiError where neither the thread nor a DM takes it.
        """
        collector = self._collector = Collector(events, self._question.id)
        try:
            await self._take_up()
            await self._status()
            while True:
                await collector.news.wait()
                collector.news.clear()
                if await collector.wait(0):
                    break
                await self._show(*collector.take())
                if await self._pause(collector):
                    break
            return await self._settle(collector)
        except asyncio.CancelledError:
            await self._interrupted()
            raise
        finally:
            await collector.close()

    async def _take_up(self) -> None:
        """What was begun before is written into once more, as it cannot be streamed any longer."""
        if self._begun is None or is_fresh():
            return
        self._standing = await self._begun.standing()
        if self._standing:
            self._channel, self._thread = self._standing[0].channel, self._standing[0].thread
            self._streaming = False
            self._numbers = count(max(each.number for each in self._standing) + 1)

    async def _pause(self, collector: Collector) -> bool:
        """Keeps Slack's pace, except that the first words are worth a call of their own; whether all has come."""
        seconds = self._pace if self._streaming else self._pace * UPDATE_PACE / PACE
        if self._messages and not self._shown and self._streaming:
            return await collector.wait_for_words(seconds)
        return await collector.wait(seconds)

    async def _status(self) -> None:
        """Says at once that the question was heard; it goes away with the first message."""
        try:
            await self._client.assistant_threads_setStatus(
                channel_id=self._channel,
                thread_ts=str(self._thread),
                status="is looking into it …",
                loading_messages=list(LOADING),
            )
        except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
            log.debug("status_refused", error=code(error) or type(error).__name__)

    async def _show(self, text: str, tasks: list[JSON]) -> None:
        while text or tasks:
            head, rest = take(self._shown, text, markdown.MESSAGE_LIMIT)
            try:
                await self._append(head, tasks)
            except (aiohttp.ClientError, TimeoutError, SlackApiError) as error:
                if code(error) not in _TROUBLE:
                    raise
                log.warning("append_failed", error=code(error) or type(error).__name__)
                self._doubtful = True
                if self._collector is not None:
                    self._collector.give_back(text, tasks)
                return
            text, tasks = rest, []
            if rest:
                await self._close_message()

    @property
    def _shown(self) -> str:
        return self._messages[-1].text if self._messages else ""

    async def _append(self, text: str, tasks: Sequence[JSON]) -> None:
        message = await self._current()
        try:
            await message.append(text, tasks)
        except SlackApiError as error:
            if code(error) in _TROUBLE:
                raise
            message = await self._otherwise(message, error)
            await message.append(text, tasks)

    async def _current(self) -> Growing:
        if not self._messages:
            self._messages.append(self._new_message())
        last = self._messages[-1]
        if isinstance(last, Streamed) and last.ts and last.age > self._lifetime:
            await self._close_message()
        return await self._found()

    async def _found(self) -> Growing:
        """The last message. Where the call to open it failed and Slack took it all the same, it is that one."""
        last = self._messages[-1]
        if self._doubtful and last.ts is None and self._begun is not None:
            ts = await self._begun.stray(last.number)
            if ts is not None:
                self._streaming = False
                self._messages[-1] = self._updated(last.number, ts=ts)
        return self._messages[-1]

    def _new_message(self) -> Growing:
        if self._streaming and self._thread is not None:
            person, team = self._question.asker, self._question.place.workspace
            return Streamed(
                self._client,
                self._channel,
                self._thread,
                team=team,
                person=person,
                number=next(self._numbers),
                notes=self._begun,
            )
        return self._next_updated()

    def _updated(self, number: int, *, ts: str | None = None, text: str = "") -> Updated:
        return Updated(self._client, self._channel, self._thread, ts=ts, text=text, number=number, notes=self._begun)

    async def _close_message(self) -> None:
        """The message stays as it is, and the next text begins a new one."""
        last = self._messages[-1]
        if isinstance(last, Streamed):
            await self._end_stream(last)
        self._messages.append(self._new_message())

    async def _otherwise(self, message: Growing, error: SlackApiError) -> Growing:
        """The way on after Slack refused: updates instead of a stream, or a DM instead of a closed place."""
        if code(error) in GONE and self._thread is not None:
            return await self._move_to_dm(error)
        if not isinstance(message, Streamed):
            raise error
        log.info("stream_refused", error=code(error), question=self._question.id)
        self._streaming = False
        return self._replace(message)

    def _replace(self, message: Growing) -> Updated:
        updated = self._updated(message.number, ts=message.ts, text=message.text)
        self._messages[self._messages.index(message)] = updated
        return updated

    async def _move_to_dm(self, error: SlackApiError) -> Growing:
        where, self._thread, self._streaming = self._channel, None, False
        log.warning("place_closed", error=code(error), channel=where, question=self._question.id)
        opened = await self._client.conversations_open(users=self._question.asker)
        self._channel = str(opened["channel"]["id"])
        reason = sentence(error, self._question.id)
        await self._client.chat_postMessage(
            channel=self._channel,
            text=f"You asked me something in <#{where}>, but I could not answer there. {reason} Here is the answer.",
            unfurl_links=False,
            unfurl_media=False,
        )
        shown = self._shown
        for out_of_reach in [*(message.ts for message in self._messages), *(each.ts for each in self._standing)]:
            if out_of_reach is not None and self._begun is not None:
                await self._begun.gone(out_of_reach)
        self._standing = []
        self._messages = [self._updated(next(self._numbers), text=shown)]
        return self._messages[0]

    async def _settle(self, collector: Collector) -> Written:
        rest, tasks = collector.take()
        so_far = "".join(message.text for message in self._messages) + rest
        outcome: Literal["answered", "asked_back", "failed", "stopped"] = "answered"
        match collector.end:
            case Finished(answer):
                text, tail = answer.text, self._tail(answer, self._clock())
            case Clarify(question_id, text, choices):
                outcome, tail = "asked_back", clarify.buttons(question_id, choices)
            case Failed() as failed:
                outcome = "failed"
                text = f"{so_far.rstrip()}\n\n{failed.sentence}".strip()
                tail = answer_blocks.failed_tail(failed, self._question.id)
            case None:
                outcome = "stopped"
                text = so_far.strip() or "I stopped before there was anything to show."
                tail = [context("You stopped this answer.")]
        text = uncalled(text)
        went_well = outcome in ("answered", "asked_back")
        state = "complete" if went_well else "error"
        left = {task["id"]: {**task, "status": state} for task in collector.unfinished.values()}
        steps = {task["id"]: task for task in tasks} | left
        if went_well and not self._messages:
            self._messages.append(self._new_message())
        last = await self._finish(text, rest, list(steps.values()), tail)
        await self._remove([self._updated(left.number, ts=left.ts) for left in self._standing])
        return Written(self._channel, last.ts, text, outcome)

    async def _finish(self, text: str, rest: str, steps: list[JSON], tail: list[JSON]) -> Growing:
        """Makes what stands in Slack the whole text, with the blocks under its last message."""
        parts = markdown.split(text) or [text]
        only = self._messages[0] if len(self._messages) == 1 and len(parts) == 1 else None
        exact = only is not None and (only.text + rest).strip() == text.strip() and not markdown.has_table(text)
        if isinstance(only, Streamed) and exact and not self._doubtful:
            try:
                if steps:
                    await only.append("", steps)
                await only.finish(rest, tail)
            except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
                log.info("stream_had_ended", error=code(error) or type(error).__name__)
                self._doubtful = code(error) in _TROUBLE
            else:
                return only
        return await self._rewrite(parts, steps, tail)

    async def _rewrite(self, parts: list[str], steps: list[JSON], tail: list[JSON]) -> Growing:
        last = await self._found() if self._messages else None
        if isinstance(last, Streamed) and last.ts:
            error = await self._end_stream(last, steps)
            if error is not None and code(error) in GONE:
                await self._move_to_dm(error)
        standing = [self._replace(message) for message in list(self._messages)]
        for number, part in enumerate(parts):
            if number == len(standing):
                standing.append(self._next_updated())
            try:
                await standing[number].rewrite(part, tail if number == len(parts) - 1 else [])
            except SlackApiError as error:
                if code(error) not in GONE or self._thread is None:
                    raise
                await self._move_to_dm(error)
                return await self._rewrite(parts, [], tail)
        await self._remove(standing[len(parts) :])
        return standing[len(parts) - 1]

    async def _remove(self, surplus: list[Updated]) -> None:
        """What an answer that became shorter needs no more."""
        for message in surplus:
            ts = message.ts
            await message.delete()
            if ts is not None and self._begun is not None:
                await self._begun.gone(ts)

    def _next_updated(self) -> Updated:
        if not self._standing:
            return self._updated(next(self._numbers))
        standing = self._standing.pop(0)
        return self._updated(standing.number, ts=standing.ts)

    async def _end_stream(self, message: Streamed, steps: Sequence[JSON] = ()) -> SlackApiError | None:
        """Closes a stream; gives Slack's error where it had ended or was not to be closed."""
        try:
            if steps:
                await message.append("", steps)
            await message.finish("", ())
        except SlackApiError as error:
            log.info("stream_had_ended", error=code(error))
            return error
        except (aiohttp.ClientError, TimeoutError) as error:
            log.info("stream_not_closed", error=type(error).__name__)
        return None

    async def _interrupted(self) -> None:
        """The bot is being shut down: it will answer again when it is back, and says so.

        Where the answer begins anew for another reason, or is another worker's now, nothing is said.
        """
        last = self._messages[-1] if self._messages else None
        lease = current()
        if last is None or last.ts is None or (lease is not None and (lease.over != "closing" or not lease.is_held)):
            return
        try:
            async with asyncio.timeout(2):
                await last.finish("\n\n_I was restarted here; the whole answer follows._", ())
        except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
            log.info("interruption_not_told", error=code(error) or type(error).__name__)
