"""When models end: what servers said and left out of their lists, kept in SQL, beside what the cards state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.models.cards import ModelCard
from bot.models.catalogue import Catalogue
from bot.storage.tables import endpoint_models
from bot.storage.upsert import insert

SOON = timedelta(days=90)
"""How long before its end a model is told of."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as its server lists it. `shutdown`: the day on which it says that it ends, None where it says none."""

    id: str
    shutdown: date | None = None


@dataclass(frozen=True, slots=True)
class Shutdown:
    """The end of a card's model. `source`: the card states it, the server told it, or its list has lacked it since.

    `sentence` says where the date comes from; `successor` is the card that is recommended instead, "" where none is.
    """

    card: str
    day: date
    source: Literal["card", "server", "list"]
    sentence: str
    successor: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a list says that the one before did not. `first`: there was none before, so nothing is new or gone."""

    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    first: bool = False


class Lifecycle:
    """The lists that servers gave last, and what follows from them for the cards."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def note(self, provider: str, listed: Sequence[Listed], now: datetime) -> Difference:
        """Keeps a whole list of a server in place of the last one, and says what is different."""
        async with self._engine.begin() as connection:
            before = await _rows(connection, provider)
            there = {row.model for row in before if row.gone_since is None}
            for one in listed:
                values = {"last_listed": now, "gone_since": None, "shutdown": one.shutdown}
                statement = insert(connection, endpoint_models).values(
                    provider=provider, model=one.id, first_listed=now, **values
                )
                await connection.execute(
                    statement.on_conflict_do_update(index_elements=["provider", "model"], set_=values)
                )
            names = {one.id for one in listed}
            gone = sorted(there - names)
            if gone:
                lost = endpoint_models.c.provider == provider, endpoint_models.c.model.in_(gone)
                await connection.execute(sa.update(endpoint_models).where(*lost).values(gone_since=now))
        if not before:
            return Difference(first=True)
        return Difference(tuple(one.id for one in listed if one.id not in there), tuple(gone))

    async def knows(self, provider: str) -> bool:
        """Whether the server ever gave a list."""
        async with self._engine.connect() as connection:
            return bool(await _rows(connection, provider))

    async def told(self, catalogue: Catalogue) -> dict[str, date]:
        """Card name → the day on which its own server said that the model ends."""
        found = await self._found(catalogue.cards)
        return {card.name: row.shutdown for card, row in found if row.shutdown is not None}

    async def shutdowns(self, catalogue: Catalogue) -> dict[str, Shutdown]:
        """Card name → when its model ends or ended, and where that is from, for every card of which it is known.

        What the server tells goes before what the card states; a model that its server lists no more ended, as far as
        one can see, on the day on which it was missed first.
        """
        ends = {
            card.name: Shutdown(card.name, card.shutdown, "card", "as its card states", card.successor)
            for card in catalogue.cards
            if card.shutdown is not None
        }
        for card, row in await self._found(catalogue.cards):
            server = catalogue.providers[card.provider].label
            if row.shutdown is not None:
                seen = f"as {server} said on {row.last_listed.date()}"
                seen += f", whose list lacks it since {row.gone_since.date()}" if row.gone_since else ""
                ends[card.name] = Shutdown(card.name, row.shutdown, "server", seen, card.successor)
            elif row.gone_since is not None:
                day = row.gone_since.astimezone(UTC).date()
                seen = f"missing from {server}'s list since then"
                ends.setdefault(card.name, Shutdown(card.name, day, "list", seen, card.successor))
        return ends

    async def _found(self, cards: Iterable[ModelCard]) -> list[tuple[ModelCard, sa.Row[Any]]]:
        """The cards with what their servers last said of them."""
        async with self._engine.connect() as connection:
            rows = {(row.provider, row.model): row for row in await _rows(connection)}
        pairs = ((card, rows.get((card.provider, name))) for card in cards for name in sorted(listed_names(card)))
        return [(card, row) for card, row in pairs if row is not None]


def listed_names(card: ModelCard) -> frozenset[str]:
    """The ids under which a server may list the card's model: routers leave out what follows the colon."""
    wanted = card.model_id
    names = {wanted, f"{wanted}:latest"}
    return frozenset(names | ({wanted.rpartition(":")[0]} if "/" in wanted and ":" in wanted else set()))


async def _rows(connection: AsyncConnection, provider: str | None = None) -> Sequence[sa.Row[Any]]:
    query = sa.select(endpoint_models)
    if provider is not None:
        query = query.where(endpoint_models.c.provider == provider)
    return (await connection.execute(query)).all()
