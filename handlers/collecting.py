"""Takes an answer's events as they come, so that Slack's pace never slows the model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from bot.domain import AnswerEvent, Clarify, Failed, Finished, Progress, TextDelta
from bot.strategies.disarming import uncalled
from handlers.errors import sentence
from handlers.shapes import JSON

log = structlog.get_logger(__name__)

STOP_PATIENCE = 1.5
"""Seconds that a stopped answer has to close by itself, so that its receipt is written."""
TITLES = {
    "open": "Opening the files",
    "search": "Searching the knowledge",
    "choose": "Choosing how to answer",
    "draft": "Drafting an answer",
    "read": "Reading the passages",
    "write": "Writing the answer",
}


class Collector:
    """What has come and was not shown yet: text, and tasks by their step. `end` is the last event, once it is there."""

    def __init__(self, events: AsyncGenerator[AnswerEvent, None], question_id: str) -> None:
        self.text = ""
        self.tasks: dict[str, JSON] = {}
        self.unfinished: dict[str, JSON] = {}
        self.end: Finished | Clarify | Failed | None = None
        self.news = asyncio.Event()
        self._spoke = asyncio.Event()
        self._question_id = question_id
        self._stopping = False
        self._work = asyncio.create_task(self._collect(events))

    @property
    def stopped(self) -> bool:
        """Whether a person stopped it before it came to an end."""
        return self._stopping and self.end is None

    def stop(self) -> None:
        """The person pressed stop: the answer is closed at its next event, or cancelled where none comes soon."""
        if not self._stopping:
            self._stopping = True
            asyncio.get_running_loop().call_later(STOP_PATIENCE, self._work.cancel)

    async def wait(self, seconds: float | None) -> bool:
        """Until all has come, for `seconds` at most; whether all has come."""
        await asyncio.wait({self._work}, timeout=seconds)
        return self._work.done()

    async def wait_for_words(self, seconds: float) -> bool:
        """The same, but no longer than until the first text has come."""
        words = asyncio.create_task(self._spoke.wait())
        try:
            await asyncio.wait({self._work, words}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            words.cancel()
        return self._work.done()

    async def close(self) -> None:
        """Ends the work, whatever state it is in."""
        self._work.cancel()
        await asyncio.wait({self._work})

    def take(self) -> tuple[str, list[JSON]]:
        """What was not shown yet; it counts as shown from now on."""
        text, tasks = uncalled(self.text), list(self.tasks.values())
        self.text, self.tasks = "", {}
        return text, tasks

    def give_back(self, text: str, tasks: list[JSON]) -> None:
        """What was taken could not be shown and is to be taken again."""
        self.text = text + self.text
        self.tasks = {task["id"]: task for task in tasks} | self.tasks

    async def _collect(self, events: AsyncGenerator[AnswerEvent, None]) -> None:
        try:
            async with aclosing(events):
                async for event in events:
                    self._take_in(event)
                    self.news.set()
                    if self._stopping:
                        break
        except Exception as error:  # the outermost door of an answer: the person gets a sentence, the log the rest
            log.exception("answer_failed", question=self._question_id)
            self.end = Failed(self._question_id, sentence(error, self._question_id))
        finally:
            self.news.set()

    def _take_in(self, event: AnswerEvent) -> None:
        match event:
            case TextDelta(text):
                self.text += text
                self._spoke.set()
            case Progress(step, state, detail):
                task: JSON = {
                    "type": "task_update",
                    "id": step,
                    "title": TITLES[step],
                    "status": "complete" if state == "done" else "in_progress",
                }
                self.tasks[step] = {**task, "details": detail} if detail else task
                if state == "done":
                    self.unfinished.pop(step, None)
                else:
                    self.unfinished[step] = task
            case Finished() | Clarify() | Failed():
                self.end = event
