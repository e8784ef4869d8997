"""Answers of models, each paid for once: kept by a digest of all that the model was asked."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.prices import PriceBook
from bot.domain import Prompt, Question
from bot.errors import ModelAnswerUnusable
from bot.evaluation.budget import Budget, most_cost
from bot.gate import Gate, Tab
from bot.models.base import Model
from bot.models.cards import ModelCard
from bot.selection.estimates import is_offline
from bot.storage.evaluation_tables import model_answers
from bot.storage.upsert import insert


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """What a model wrote, with what it cost (US dollars, None where unknown) and the seconds it took then."""

    text: str
    cost: Decimal | None
    seconds: float


def answer_key(card: ModelCard, prompt: Prompt, max_tokens: int) -> str:
    """The same where the same model would be asked the same with the same limits."""
    asked = {
        "provider": card.provider,
        "model": card.model_id,
        "limits": [max_tokens, card.thinking_tokens, card.max_output],
        "messages": [[message.role, message.content] for message in prompt.messages],
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def storable(text: str) -> str:
    """A model's text without what a database refuses: NUL and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


class Answers:
    """Asks models through the gate, and never twice the same. `fresh`: answers of before are not used.

    The offline model is always asked: it costs nothing, and its answers change with this program.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        gate: Gate,
        prices: PriceBook,
        budget: Budget,
        clock: Callable[[], datetime],
        *,
        fresh: bool = False,
    ) -> None:
        self._engine = engine
        self._gate = gate
        self._prices = prices
        self._budget = budget
        self._clock = clock
        self._fresh = fresh
        self.reused = 0

    async def ask(
        self, question: Question, model: Model, prompt: Prompt, *, max_tokens: int, purpose: str
    ) -> ModelAnswer | None:
        """The answer; None where the budget has no room for it. Raises the ModelError of the last try."""
        card = model.card
        key = answer_key(card, prompt, max_tokens)
        known = None if self._fresh or is_offline(card) else await self._kept(key)
        if known is not None:
            self.reused += 1
            return known
        most = most_cost(self._prices, card, prompt, max_tokens)
        if not await self._budget.reserve(most):
            return None
        tab = Tab()
        try:
            answer = await self._asked(question, model, prompt, max_tokens, purpose, tab)
        finally:
            await self._budget.settle(most, tab.amount)
        if not is_offline(card):
            await self._keep(key, card, answer)
        return answer

    async def _asked(
        self, question: Question, model: Model, prompt: Prompt, max_tokens: int, purpose: str, tab: Tab
    ) -> ModelAnswer:
        started = time.monotonic()
        stream = self._gate.stream(question, model, prompt, max_tokens=max_tokens, tab=tab, purpose=purpose)
        async with aclosing(stream) as pieces:
            text = "".join([piece async for piece in pieces])
        if not text.strip():
            raise ModelAnswerUnusable(f"“{model.card.name}” answered with nothing.")
        return ModelAnswer(text=text, cost=tab.amount, seconds=time.monotonic() - started)

    async def _kept(self, key: str) -> ModelAnswer | None:
        query = sa.select(model_answers).where(model_answers.c.key == key)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return ModelAnswer(text=row.text, cost=row.cost, seconds=row.seconds) if row else None

    async def _keep(self, key: str, card: ModelCard, answer: ModelAnswer) -> None:
        values: dict[str, object] = {
            "provider": card.provider,
            "model": card.name,
            "text": storable(answer.text),
            "cost": answer.cost,
            "seconds": answer.seconds,
            "answered_at": self._clock(),
        }
        async with self._engine.begin() as connection:
            statement = insert(connection, model_answers).values(key=key, **values)
            await connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))
