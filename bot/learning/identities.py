"""Which model stands behind a card's name, and since when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.models.cards import ModelCard
from bot.storage.tables import model_identities
from bot.storage.upsert import insert


class Identities:
    """The models behind the names, in SQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def note(self, cards: Iterable[ModelCard], now: datetime) -> tuple[str, ...]:
        """Writes down what the cards name now; gives the names behind which another model stands than before."""
        changed = []
        async with self._engine.begin() as connection:
            known = {row.name: row.identity for row in await connection.execute(sa.select(model_identities))}
            for card in cards:
                identity = f"{card.provider}/{card.model_id}"[:300]
                if known.get(card.name) == identity:
                    continue
                since = now if card.name in known else None
                changed += [card.name] if since else []
                values = {"identity": identity, "since": since}
                statement = insert(connection, model_identities).values(name=card.name, **values)
                await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
        return tuple(changed)

    async def since(self) -> dict[str, datetime]:
        """For the names whose model changed the moment at which that was seen."""
        query = sa.select(model_identities.c.name, model_identities.c.since).where(
            model_identities.c.since.is_not(None)
        )
        async with self._engine.connect() as connection:
            return {row.name: row.since for row in await connection.execute(query)}
