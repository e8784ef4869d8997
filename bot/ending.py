"""How the way of a question ends: with an answer, with what was searched instead, with a question, or with a reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError

from bot import tracing
from bot.declining import Declined, declined, told_of_search
from bot.domain import Answer, Clarify, Evidence, Failed, Finished, Receipt
from bot.errors import ModelError, OverBudget, SwitchboardError
from bot.learning.examples import Examples
from bot.selection import clarifying
from bot.selection.guards import OWN_AFFAIRS
from bot.selection.questions import Questions
from bot.storage.engine import reason
from bot.strategies.disarming import told
from bot.way import Way
from knowledge.errors import KnowledgeError
from knowledge.knowledge_base import KnowledgeBase

log = structlog.get_logger("bot.assistant")

STOPPED = "stopped"


class Ending:
    """Keeps the answer and its receipt, and says both."""

    def __init__(
        self, questions: Questions, knowledge: KnowledgeBase, examples: Examples, clock: Callable[[], datetime]
    ) -> None:
        self._questions = questions
        self._knowledge = knowledge
        self._examples = examples
        self._clock = clock

    async def finish(self, way: Way, text: str, outcome: str) -> Finished:
        """The answer is whole; something was chosen before."""
        receipt = self._receipt(way, outcome)
        assert receipt is not None
        if way.examples and way.purpose == "answer":
            await self._examples.used(way.question.id, way.examples)
        await self._questions.finish(way.question.id, text, receipt, way.cited)
        way.is_done = True
        log.info("question_done", question=way.question.id, outcome=outcome, seconds=round(receipt.seconds, 3))
        answer = Answer(
            question_id=way.question.id,
            text=text,
            citations=way.citations,
            receipt=receipt,
            note=" ".join(part for part in (way.note, way.question.audience.note) if part),
            about_files=(*way.about_files, *([way.about_secrets] if way.about_secrets else [])),
        )
        return Finished(answer)

    async def stop(self, way: Way) -> None:
        """The person pressed stop; what was shown is kept."""
        if way.choice is not None and not way.is_done:
            await self.finish(way, way.shown, STOPPED)

    async def fail(self, way: Way, error: SwitchboardError | KnowledgeError) -> Failed:
        """There is no answer; what was shown is kept."""
        question_id = way.question.id
        kind = error.kind if isinstance(error, ModelError) else "failed"
        log.warning("question_failed", question=question_id, kind=type(error).__name__, reason=str(error))
        receipt = self._receipt(way, kind)
        if receipt is not None:
            try:
                await self._questions.finish(question_id, way.shown or None, receipt, way.cited)
            except DBAPIError as unkept:  # the reason is told all the same
                log.warning("receipt_not_kept", question=question_id, problem=reason(unkept))
        ask = error.set_by if isinstance(error, OverBudget) else ""
        sentence = f"{error} (Reference {question_id})"
        if way.about_secrets:
            sentence = f"{sentence}\n\n{way.about_secrets}"
        return Failed(question_id, sentence, receipt, ask or None)

    async def decline(self, way: Way, evidence: Evidence) -> Finished:
        """No option can be taken: says what was searched and whom to ask."""
        assert way.choice is not None
        if OWN_AFFAIRS in way.choice.guards:
            way.choice = replace(way.choice, reasons=(*way.choice.reasons, OWN_AFFAIRS))
        sources, reading = await self._searched(way)
        return await self.declined(way, declined(way.question, way.searched, evidence, sources, reading=reading))

    async def declined(self, way: Way, said: Declined) -> Finished:
        """`said` stands under what was shown, or alone."""
        way.text.append(f"\n\n{said.text}")
        way.citations, way.cited = said.citations, ()  # what is named as the nearest holds no answer
        finished = await self.finish(way, way.shown.strip(), "nothing_found")
        return Finished(replace(finished.answer, ask=said.ask))

    async def told_of_search(self, way: Way, evidence: Evidence) -> Declined:
        """What is said under a model's own words that it found nothing."""
        sources, reading = await self._searched(way)
        return told_of_search(way.question, way.searched, evidence, sources, reading=reading)

    async def _searched(self, way: Way) -> tuple[tuple[str, ...], bool]:
        """The sources that the audience may read, and whether some are being read for the first time."""
        reading = any(one.refreshed is None and not one.problems for one in await self._knowledge.status())
        return await self._knowledge.sources_for(way.question.audience.scopes), reading

    async def ask_back(self, way: Way, offered: tuple[str, ...]) -> Clarify:
        """Asks which of the offered is meant."""
        assert way.choice is not None
        way.choice = replace(way.choice, reasons=(clarifying.of_asking(offered), *way.choice.reasons))
        sentence = told(clarifying.sentence(offered))
        await self.finish(way, sentence, "asked_back")
        return Clarify(way.question.id, sentence, offered)

    def _receipt(self, way: Way, outcome: str) -> Receipt | None:
        """None before anything was chosen."""
        if way.choice is None:
            return None
        return Receipt(
            question_id=way.question.id,
            choice=replace(way.choice, reasons=(*way.told, *way.choice.reasons)),
            citations=way.citations,
            usage=way.tab.usage,
            price=way.tab.price,
            seconds=time.monotonic() - way.started,
            outcome=outcome,
            created_at=self._clock(),
            attachments=way.question.attachments,
            trace=tracing.trace_id(),
        )
