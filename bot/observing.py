"""Watches a question on its way: one span of its trace, and what the metrics count of it."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import tracing
from bot.domain import AnswerEvent, Clarify, Failed, Finished, Question, Receipt, TextDelta

if TYPE_CHECKING:
    from bot.costs.metrics import Metrics

ANSWER = "answer"
"""The purpose of what a person waits for; the metrics count nothing else."""


@dataclass(slots=True)
class _Seen:
    """What was seen of an answer. Whoever leaves before its end has stopped it."""

    outcome: str = "stopped"
    strategy: str = ""
    model: str = ""
    first: float | None = None

    def take(self, event: AnswerEvent, seconds: float) -> None:
        match event:
            case TextDelta():
                self.first = seconds if self.first is None else self.first
            case Finished(answer):
                self._of(answer.receipt)
            case Clarify():
                self.outcome = "asked_back"
            case Failed(receipt=receipt):
                self.outcome = "failed"
                if receipt is not None:
                    self._of(receipt)

    @property
    def attributes(self) -> dict[str, tracing.Value]:
        """What the span says of it."""
        known: dict[str, tracing.Value] = {"switchboard.outcome": self.outcome}
        if self.model:
            known |= {"switchboard.strategy": self.strategy, "switchboard.model": self.model}
        return known if self.first is None else {**known, "switchboard.first_word_seconds": self.first}

    def _of(self, receipt: Receipt) -> None:
        option = receipt.choice.option
        self.outcome, self.strategy, self.model = receipt.outcome, option.strategy.value, option.model


async def observed(
    events: AsyncGenerator[AnswerEvent, None], question: Question, purpose: str, metrics: Metrics | None
) -> AsyncGenerator[AnswerEvent, None]:
    """The same events."""
    started, seen = time.monotonic(), _Seen()
    asked = {"switchboard.question.id": question.id, "switchboard.purpose": purpose}
    with tracing.span("question", asked) as span:
        try:
            async with aclosing(events):
                async for event in events:
                    seen.take(event, time.monotonic() - started)
                    yield event
        finally:
            span.note(seen.attributes)
            if seen.outcome == "failed":
                span.failed(seen.outcome)
            if metrics is not None and purpose == ANSWER:
                seconds = time.monotonic() - started
                metrics.question_ended(
                    outcome=seen.outcome, strategy=seen.strategy or "none", first=seen.first, seconds=seconds
                )
