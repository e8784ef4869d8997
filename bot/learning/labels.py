"""What people did with an answer: each signal says something about how good it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.tables import labels
from bot.storage.upsert import insert


class Signal(StrEnum):
    """What somebody did. Of two answers to one question, the one that is taken is kept and the other one dropped."""

    UP = "up"
    DOWN = "down"
    KEPT = "kept"
    DROPPED = "dropped"
    COPIED = "copied"
    ASKED_AGAIN = "asked_again"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class Worth:
    """What a signal says: how good the answer was (0 to 1), and how much that counts beside a thumb (1)."""

    value: float
    weight: float


SAID, SHOWN = 1.0, 0.5
"""What people say of an answer counts whole; what only shows in what they do counts half."""
WORTH: Mapping[Signal, Worth] = {
    Signal.UP: Worth(1, SAID),
    Signal.DOWN: Worth(0, SAID),
    Signal.KEPT: Worth(1, SAID),
    Signal.DROPPED: Worth(0, SAID),
    Signal.CORRECTED: Worth(0, SAID),
    Signal.COPIED: Worth(1, SHOWN),
    Signal.ASKED_AGAIN: Worth(0, SHOWN),
}

_OPPOSITES = {
    Signal.UP: Signal.DOWN,
    Signal.DOWN: Signal.UP,
    Signal.KEPT: Signal.DROPPED,
    Signal.DROPPED: Signal.KEPT,
}


class Labels:
    """One signal of each kind a person and question; a thumb up takes the thumb down back, and so on."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock

    async def add(self, question_id: str, person: str, signal: Signal) -> None:
        """Keeps what a person did with the answer to a question."""
        opposite = _OPPOSITES.get(signal)
        async with self._engine.begin() as connection:
            if opposite is not None:
                taken_back = labels.delete().where(
                    labels.c.question_id == question_id, labels.c.person == person, labels.c.signal == opposite.value
                )
                await connection.execute(taken_back)
            values = {"question_id": question_id, "person": person, "signal": signal.value}
            statement = insert(connection, labels).values(**values, given_at=self._clock())
            await connection.execute(
                statement.on_conflict_do_update(index_elements=list(values), set_={"given_at": self._clock()})
            )

    async def take_back(self, question_id: str, person: str, *signals: Signal) -> None:
        """Forgets that a person did these."""
        of_person = (labels.c.question_id == question_id, labels.c.person == person)
        async with self._engine.begin() as connection:
            await connection.execute(labels.delete().where(*of_person, labels.c.signal.in_(signals)))

    async def counts(self) -> dict[Signal, int]:
        """How many there are of each signal; what never came is 0."""
        query = sa.select(labels.c.signal, sa.func.count().label("number")).group_by(labels.c.signal)
        async with self._engine.connect() as connection:
            found = {row.signal: int(row.number) for row in await connection.execute(query)}
        return {signal: found.get(signal.value, 0) for signal in Signal}
