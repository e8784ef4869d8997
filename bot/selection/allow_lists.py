"""Allow-lists: which models admins let be used, in the whole workspace and in a channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Action, Change, record
from bot.errors import UnusableWords
from bot.models.cards import ModelCard
from bot.models.catalogue import OFFLINE, Catalogue
from bot.selection.pins import EVERYWHERE
from bot.storage.tables import allow_lists
from bot.storage.upsert import insert

Scope = Literal["workspace", "channel"]
FILTERS = "`provider:NAME`, `open:yes` or `open:no`"
_OPEN = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowList:
    """What one list lets be used. `entries`: names of models, "provider:NAME", "open:yes" or "open:no"; one that
    fits is enough. `by` and `at`: who set it and when; `why`: their reason, "" where they gave none."""

    scope: Scope
    entries: tuple[str, ...]
    by: str
    at: datetime
    why: str = ""

    def allows(self, card: ModelCard) -> bool:
        """Whether the model may be used. The offline model always may: it quotes, and no word leaves this machine."""
        return card.provider == OFFLINE or any(_fits(entry, card) for entry in self.entries)


def parsed(words: Sequence[str], catalogue: Catalogue) -> tuple[str, ...]:
    """The entries that a person typed, as they are kept.

    Raises UnknownModel with the nearest names, or UnusableWords with what can be written.
    """
    return tuple(dict.fromkeys(_parsed(word, catalogue) for word in words))


def _parsed(word: str, catalogue: Catalogue) -> str:
    name, colon, value = word.partition(":")
    match name.casefold() if colon else "":
        case "provider":
            providers = {provider.casefold(): provider for provider in catalogue.providers}
            if value.casefold() in providers:
                return f"provider:{providers[value.casefold()]}"
            near = get_close_matches(value.casefold(), providers, n=1)
            meant = f" Did you mean provider:{providers[near[0]]}?" if near else ""
            there = ", ".join(sorted(catalogue.providers))
            raise UnusableWords(f"There is no provider “{value}”.{meant} There are: {there}.")
        case "open":
            if value.casefold() not in _OPEN:
                raise UnusableWords(f"“{word}” says neither yes nor no. Write `open:yes` or `open:no`.")
            return f"open:{value.casefold()}"
        case _:
            # Names of local models may have a colon too ("llama3.2:3b"), so what is no filter is a name.
            return catalogue.get(word).name


def _fits(entry: str, card: ModelCard) -> bool:
    name, colon, value = entry.partition(":")
    if colon and name == "provider":
        return card.provider == value
    if colon and name == "open" and value in _OPEN:
        return card.openness.weights is _OPEN[value]
    return card.name == entry


class AllowLists:
    """The lists in SQL; where there is none, every model may be used."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock

    async def of(self, channel: str) -> tuple[AllowList, ...]:
        """The lists that hold in a channel, the workspace's first; a model has to be on each of them."""
        own = sa.and_(allow_lists.c.scope == "channel", allow_lists.c.key == channel)
        query = sa.select(allow_lists).where(sa.or_(allow_lists.c.scope == "workspace", own))
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query.order_by(allow_lists.c.scope.desc()))).all()
        return tuple(
            AllowList(scope=row.scope, entries=tuple(row.entries), by=row.set_by, at=row.set_at, why=row.reason or "")
            for row in rows
        )

    async def channels(self) -> frozenset[str]:
        """The ids of all channels that have a list of their own."""
        query = sa.select(allow_lists.c.key).where(allow_lists.c.scope == "channel")
        async with self._engine.connect() as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def set(self, scope: Scope, channel: str, entries: Sequence[str], *, by: str, reason: str = "") -> None:
        """Lets only these be used, in place of the list before. `channel` counts for the scope of that name."""
        values = {"entries": [*entries], "reason": reason or None, "set_by": by, "set_at": self._clock()}
        key = _key(scope, channel)
        async with self._engine.begin() as connection:
            before = (await connection.execute(_of(scope, key))).scalar() or ()
            statement = insert(connection, allow_lists).values(scope=scope, key=key, **values)
            await connection.execute(statement.on_conflict_do_update(index_elements=["scope", "key"], set_=values))
            change = _change(scope, key, before, entries, reason)
            await record(connection, change, by=by, at=self._clock())

    async def clear(self, scope: Scope, channel: str, *, by: str) -> bool:
        """Lets every model be used again as far as this list goes; False where there was none."""
        key = _key(scope, channel)
        async with self._engine.begin() as connection:
            before = (await connection.execute(_of(scope, key))).scalar()
            if before is None:
                return False
            query = sa.delete(allow_lists).where(allow_lists.c.scope == scope, allow_lists.c.key == key)
            await connection.execute(query)
            await record(connection, _change(scope, key, before, ("any",), ""), by=by, at=self._clock())
            return True


def _of(scope: Scope, key: str) -> sa.Select[Any]:
    return sa.select(allow_lists.c.entries).where(allow_lists.c.scope == scope, allow_lists.c.key == key)


def _change(scope: Scope, key: str, before: Sequence[str], after: Sequence[str], reason: str) -> Change:
    where = f"{scope} {key}" if key else "the workspace"
    was = ", ".join(before) or "any"
    return Change(action=Action.ALLOWED, subject=where, before=was, after=", ".join(after), reason=reason)


def _key(scope: Scope, channel: str) -> str:
    return channel if scope == "channel" else EVERYWHERE
