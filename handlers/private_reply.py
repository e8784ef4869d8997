"""Writes an answer that one person alone reads."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime

from bot.domain import AnswerEvent, Clarify, Finished, Question
from bot.strategies.disarming import uncalled
from handlers import markdown
from handlers.blocks import answer as answer_blocks
from handlers.collecting import Collector
from handlers.private_line import PrivateLine


class PrivateReply:
    """Ephemeral messages cannot be streamed, so the answer comes when it is whole. `before` is called just before."""

    def __init__(
        self,
        line: PrivateLine,
        question: Question,
        clock: Callable[[], datetime],
        before: Callable[[], Awaitable[None]],
    ) -> None:
        self._line = line
        self._before = before
        self._question = question
        self._clock = clock

    async def write(self, events: AsyncGenerator[AnswerEvent, None]) -> bool:
        """Tells the person the answer, or why there is none; whether there was one."""
        collector = Collector(events, self._question.id)
        try:
            await collector.wait(None)
            await self._before()
            await self._tell(collector)
            return isinstance(collector.end, Finished)
        finally:
            await collector.close()

    async def _tell(self, collector: Collector) -> None:
        match collector.end:
            case Finished(answer):
                text, tail = answer.text, answer_blocks.tail(answer, self._clock())
            case None:
                text, tail = "I stopped before there was an answer.", []
            case Clarify(_, sentence):
                text, tail = sentence, []
            case failed:
                text, tail = failed.sentence, answer_blocks.failed_tail(failed, self._question.id)
        parts = markdown.split(uncalled(text)) or [uncalled(text)]
        for number, part in enumerate(parts):
            blocks = markdown.blocks(part) + (tail if number == len(parts) - 1 else [])
            await self._line.say(part, blocks)
