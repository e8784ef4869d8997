"""How long each model took lately, from the ledger."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from statistics import median

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.tables import ledger

CALLS = 300
KEPT_SECONDS = 300.0


class Latencies:
    """Median seconds of each model's last answered calls, read anew every few minutes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._read_at: float | None = None
        self._medians: dict[tuple[str, str], float] = {}

    async def medians(self) -> Mapping[tuple[str, str], float]:
        """Seconds by provider and model name, as in the ledger; models that never answered are not there."""
        now = time.monotonic()
        if self._read_at is None or now - self._read_at > KEPT_SECONDS:
            self._medians, self._read_at = await self._read(), now
        return self._medians

    async def _read(self) -> dict[tuple[str, str], float]:
        query = (
            sa.select(ledger.c.provider, ledger.c.model, ledger.c.seconds)
            .where(
                ledger.c.outcome == "answered", ledger.c.purpose.in_(("answer", "draft")), ledger.c.seconds.is_not(None)
            )
            .order_by(ledger.c.id.desc())
            .limit(CALLS)
        )
        seconds: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        async with self._engine.connect() as connection:
            for provider, model, taken in await connection.execute(query):
                seconds[provider, model].append(taken)
        return {key: median(values) for key, values in seconds.items()}
