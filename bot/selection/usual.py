"""How long each model took lately and how long its answers were, from the ledger."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.cost_tables import ledger

CALLS = 300
KEPT_SECONDS = 300.0
LEAST_CALLS = 5
"""Fewer calls tell a median but no spread."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A median, and the tenth and the ninth decile around it; equal to it where they are not known."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        median = float(np.median(values))
        if len(values) < LEAST_CALLS:
            return cls(median, median, median)
        low, high = np.quantile(values, [0.1, 0.9])
        return cls(median, float(low), float(high))


@dataclass(frozen=True, slots=True)
class Usual:
    """What a model usually takes: `seconds` until an answer is whole, and the `tokens` that it writes."""

    seconds: Spread
    tokens: Spread | None = None


class RecentCalls:
    """What each model's last answered calls took, read anew every few minutes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._read_at: float | None = None
        self._usual: dict[tuple[str, str], Usual] = {}

    async def usual(self) -> Mapping[tuple[str, str], Usual]:
        """By provider and model name, as in the ledger; models that never answered are not there."""
        now = time.monotonic()
        if self._read_at is None or now - self._read_at > KEPT_SECONDS:
            self._usual, self._read_at = await self._read(), now
        return self._usual

    async def _read(self) -> dict[tuple[str, str], Usual]:
        query = (
            sa.select(ledger.c.provider, ledger.c.model, ledger.c.seconds, ledger.c.completion_tokens)
            .where(
                ledger.c.outcome == "answered", ledger.c.purpose.in_(("answer", "draft")), ledger.c.seconds.is_not(None)
            )
            .order_by(ledger.c.id.desc())
            .limit(CALLS)
        )
        seconds: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        tokens: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        async with self._engine.connect() as connection:
            for provider, model, taken, written in await connection.execute(query):
                seconds[provider, model].append(taken)
                if written is not None:
                    tokens[provider, model].append(written)
        return {
            key: Usual(Spread.of(values), Spread.of(tokens[key]) if tokens[key] else None)
            for key, values in seconds.items()
        }
