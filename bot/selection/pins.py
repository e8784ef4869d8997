"""Pins: what a person fixed for a thread, for themselves, for a channel or for the workspace."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Action, Change, record
from bot.domain import Pin, Question, StrategyName
from bot.storage.tables import pins
from bot.storage.upsert import insert

Scope = Literal["thread", "person", "channel", "workspace"]
EVERYWHERE = ""
"""The key of what holds in the whole workspace."""
_STRONGEST_FIRST: tuple[Scope, ...] = ("thread", "person", "channel", "workspace")


def thread_key(channel: str, thread: str) -> str:
    """The key of a thread's pin."""
    return f"{channel}:{thread}"


class Pins:
    """Pins by scope and key: "thread" by `thread_key`, "person" by user id, "channel" by channel id, "workspace" by
    `EVERYWHERE`."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock

    async def set(
        self,
        scope: Scope,
        key: str,
        *,
        model: str | None = None,
        strategy: StrategyName | None = None,
        by: str,
        reason: str = "",
    ) -> None:
        """Pins a model, a strategy or both; what is not named here stays as it was pinned before."""
        named = {"model": model, "strategy": strategy}
        changed: dict[str, object] = {column: value for column, value in named.items() if value is not None}
        stamp = {"set_by": by, "set_at": self._clock(), "reason": reason or None}
        async with self._engine.begin() as connection:
            before = (await connection.execute(_of(scope, key))).first()
            statement = insert(connection, pins).values(scope=scope, key=key, **named, **stamp)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["scope", "key"], set_={**changed, **stamp})
            )
            after = (await connection.execute(_of(scope, key))).first()
            change = Change(
                action=Action.PINNED,
                subject=_where(scope, key),
                before=_said(before),
                after=_said(after),
                reason=reason,
            )
            await record(connection, change, by=by, at=self._clock())

    async def move(self, old: str, new: str, *, by: str, reason: str) -> int:
        """Puts one model in place of another in every pin; says in how many."""
        stamp = {"model": new, "set_by": by, "set_at": self._clock(), "reason": reason}
        async with self._engine.begin() as connection:
            moved = await connection.execute(sa.update(pins).where(pins.c.model == old).values(**stamp))
            change = Change(
                action=Action.PINS_MOVED, subject=f"{moved.rowcount} pins", before=old, after=new, reason=reason
            )
            await record(connection, change, by=by, at=self._clock())
        return moved.rowcount

    async def clear(self, scope: Scope, key: str, *, by: str) -> None:
        """Back to automatic for this scope."""
        async with self._engine.begin() as connection:
            before = (await connection.execute(_of(scope, key))).first()
            if before is None:
                return
            await connection.execute(sa.delete(pins).where(pins.c.scope == scope, pins.c.key == key))
            change = Change(action=Action.UNPINNED, subject=_where(scope, key), before=_said(before))
            await record(connection, change, by=by, at=self._clock())

    async def get(self, scope: Scope, key: str) -> Pin | None:
        """What is pinned for one scope."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(_of(scope, key))).first()
        return None if row is None else _pin(row)

    async def on(self, models: Collection[str], channel: str | None = None) -> tuple[Pin, ...]:
        """All pins on these models, by scope and newest first. `channel`: only those that may hold there beside
        what people fixed for themselves: its own, its threads' and the workspace's."""
        query = sa.select(pins).where(pins.c.model.in_(models)).order_by(pins.c.scope, pins.c.set_at.desc())
        if channel is not None:
            own = sa.and_(pins.c.scope == "channel", pins.c.key == channel)
            threads = sa.and_(pins.c.scope == "thread", pins.c.key.startswith(thread_key(channel, ""), autoescape=True))
            query = query.where(sa.or_(own, threads, pins.c.scope == "workspace"))
        async with self._engine.connect() as connection:
            return tuple(_pin(row) for row in await connection.execute(query))

    async def of(self, question: Question) -> tuple[Pin, ...]:
        """The pins that bear on a question, strongest first: question, thread, person, channel, workspace."""
        keys = self._keys(question)
        wanted = [sa.and_(pins.c.scope == scope, pins.c.key == key) for scope, key in keys.items()]
        async with self._engine.connect() as connection:
            rows = (await connection.execute(sa.select(pins).where(sa.or_(*wanted)))).all()
        found = {row.scope: _pin(row) for row in rows}
        own = Pin(scope="question", model=question.model, strategy=question.strategy)
        first = (own,) if own.model or own.strategy else ()
        return first + tuple(found[scope] for scope in _STRONGEST_FIRST if scope in found)

    @staticmethod
    def _keys(question: Question) -> dict[Scope, str]:
        keys: dict[Scope, str] = {
            "person": question.asker,
            "channel": question.place.channel,
            "workspace": EVERYWHERE,
        }
        if question.place.thread:
            keys["thread"] = thread_key(question.place.channel, question.place.thread)
        return keys


def _of(scope: Scope, key: str) -> sa.Select[tuple[object, ...]]:
    return sa.select(pins).where(pins.c.scope == scope, pins.c.key == key)


def _where(scope: Scope, key: str) -> str:
    return f"{scope} {key}" if key else "the workspace"


def _said(row: sa.Row[tuple[object, ...]] | None) -> str:
    return "" if row is None else " by ".join(part for part in (row.model, row.strategy) if part)


def _pin(row: sa.Row[tuple[object, ...]]) -> Pin:
    return Pin(
        scope=row.scope,
        model=row.model,
        strategy=StrategyName(row.strategy) if row.strategy else None,
        by=row.set_by,
        at=row.set_at,
        why=row.reason or "",
    )
