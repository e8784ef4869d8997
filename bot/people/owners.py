"""Who owns a channel or a source, and so is asked where a person is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Action, Change, record
from bot.storage.people_tables import owners
from bot.storage.upsert import insert

Scope = Literal["channel", "source"]


class Owners:
    """Owners in SQL. `configured`: of sources, by name, where nobody was set since."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime], configured: Mapping[str, str]) -> None:
        self._engine = engine
        self._clock = clock
        self._configured = configured

    async def of(self, scope: Scope, key: str) -> str | None:
        """The id of a channel's or a source's owner; None where it has none."""
        async with self._engine.connect() as connection:
            found: str | None = (await connection.execute(_person(scope, key))).scalar()
        if found is None and scope == "source":
            return self._configured.get(key) or None
        return found

    async def all(self) -> Mapping[tuple[Scope, str], str]:
        """The ids of all owners, by what they own."""
        found: dict[tuple[Scope, str], str] = {("source", key): who for key, who in self._configured.items() if who}
        async with self._engine.connect() as connection:
            for row in await connection.execute(sa.select(owners.c.scope, owners.c.key, owners.c.person)):
                found[row.scope, row.key] = row.person
        return found

    async def set(self, scope: Scope, key: str, person: str | None, by: str) -> None:
        """Makes somebody the owner; None: it has none any more, or the configured one."""
        async with self._engine.begin() as connection:
            before: str = (await connection.execute(_person(scope, key))).scalar() or ""
            if person is None:
                this = (owners.c.scope == scope) & (owners.c.key == key)
                await connection.execute(sa.delete(owners).where(this))
            else:
                values = {"person": person, "set_by": by, "set_at": self._clock()}
                statement = insert(connection, owners).values(scope=scope, key=key, **values)
                await connection.execute(statement.on_conflict_do_update(index_elements=["scope", "key"], set_=values))
            change = Change(action=Action.OWNER_SET, subject=f"{scope} {key}", before=before, after=person or "")
            await record(connection, change, by=by, at=self._clock())


def _person(scope: Scope, key: str) -> sa.Select[Any]:
    return sa.select(owners.c.person).where(owners.c.scope == scope, owners.c.key == key)
