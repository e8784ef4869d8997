"""What a team's own golden questions made of the estimates: kept in SQL, read anew every few minutes."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.selection.weights import Weights
from bot.storage.tables import learned
from bot.storage.upsert import insert

NAME, VERSION = "estimates", 1
KEPT_SECONDS = 300.0

log = structlog.get_logger("bot.selection")


@dataclass(frozen=True, slots=True)
class Fit:
    """`weights`: the refitted estimates, None where the shipped ones hold. `proven`: fine-tuned models that beat the
    best of the others on golden questions of their kind. `at`: when it was made."""

    weights: Weights | None = None
    proven: frozenset[str] = frozenset()
    at: datetime | None = None


class Fits:
    """The newest fit. One that was made for other features, or is no fit, is passed over: the shipped ones hold."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._read_at: float | None = None
        self._fit = Fit()

    async def current(self) -> Fit:
        """The fit in use, minutes old."""
        now = time.monotonic()
        if self._read_at is None or now - self._read_at > KEPT_SECONDS:
            self._fit, self._read_at = await self._read(), now
        return self._fit

    async def put(self, fit: Fit, at: datetime) -> None:
        """Keeps a fit in place of the one before."""
        plain = {"weights": fit.weights.to_json() if fit.weights else None, "proven": sorted(fit.proven)}
        values = {"version": VERSION, "made_at": at, "value": plain}
        async with self._engine.begin() as connection:
            statement = insert(connection, learned).values(name=NAME, **values)
            await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
        self._fit, self._read_at = replace(fit, at=at), time.monotonic()

    async def _read(self) -> Fit:
        query = sa.select(learned.c.value, learned.c.made_at).where(
            learned.c.name == NAME, learned.c.version == VERSION
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return Fit()
        plain = row.value
        try:
            weights = Weights.from_json(plain["weights"]) if plain["weights"] else None
            return Fit(weights, frozenset(plain["proven"]), row.made_at)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("fit_unsound", problem=str(error), next="the shipped estimates choose")
            return Fit()
