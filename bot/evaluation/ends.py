"""Models that are shut down soon: whom that concerns, and which of it was told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from bot.core import Core
from bot.domain import Pin
from bot.models.cards import ModelCard
from bot.models.lifecycle import SOON, Shutdown
from bot.storage.cost_tables import ledger
from bot.storage.tables import told_ends
from bot.storage.upsert import insert

STAGES = (0, 7, 30, SOON.days)
"""Days before its end at which a model is told of, once each."""
LOOKED_BACK = timedelta(days=30)
UNCONFIRMED = timedelta(hours=1)
"""After so long a claim that nobody confirmed belongs to a process that died."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Concerned:
    """Who and what uses a model. `pins`: what people fixed, anywhere; `channels`: those with a trial of it; `settings`:
    keys of the configuration that name it; `fine_tunes`: cards tuned from it; `calls` in the last 30 days."""

    pins: tuple[Pin, ...] = ()
    channels: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    fine_tunes: tuple[str, ...] = ()
    calls: int = 0

    def __bool__(self) -> bool:
        return bool(self.pins or self.channels or self.settings or self.fine_tunes or self.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A model in use that ends. `successor`: what could take its place, None where nothing usable is known."""

    card: ModelCard
    end: Shutdown
    concerned: Concerned
    successor: ModelCard | None

    def stage(self, today: date) -> int | None:
        """The nearest of STAGES that is reached; None where it is not told yet."""
        days = (self.end.day - today).days
        return next((stage for stage in STAGES if days <= stage), None)


class Ends:
    """Which models in use end, and what was told of it."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def coming(self, now: datetime) -> tuple[Ending, ...]:
        """Those that end within 90 days or have ended, and that somebody uses, the nearest first."""
        catalogue, today = self._core.models.catalogue, now.date()
        ends = await self._core.lifecycle.shutdowns(catalogue)
        found = []
        for end in sorted(ends.values(), key=lambda one: (one.day, one.card)):
            if end.day - today > SOON:
                continue
            card = catalogue.get(end.card)
            if concerned := await self._concerned(card, now):
                found.append(Ending(card=card, end=end, concerned=concerned, successor=self._successor(card, end)))
        return tuple(found)

    async def claim(self, ending: Ending, stage: int, now: datetime) -> bool:
        """Whether it is this process that tells it; what another one claimed and did not confirm is taken over."""
        key = {"model": ending.card.name, "day": ending.end.day.isoformat(), "stage": stage}
        async with self._core.engine.begin() as connection:
            statement = insert(connection, told_ends).values(**key, claimed_at=now)
            stale = told_ends.c.told_at.is_(None) & (told_ends.c.claimed_at < now - UNCONFIRMED)
            claim = statement.on_conflict_do_update(
                index_elements=list(key), set_={"claimed_at": now}, where=stale
            ).returning(told_ends.c.model)
            return (await connection.execute(claim)).first() is not None

    async def confirm(self, ending: Ending, stage: int, now: datetime) -> None:
        """It stands in Slack, and with it what is farther from the end."""
        key = {"model": ending.card.name, "day": ending.end.day.isoformat()}
        async with self._core.engine.begin() as connection:
            for each in (each for each in STAGES if each >= stage):
                values = {**key, "stage": each, "claimed_at": now, "told_at": now}
                statement = insert(connection, told_ends).values(**values)
                await connection.execute(
                    statement.on_conflict_do_update(index_elements=[*key, "stage"], set_={"told_at": now})
                )

    async def _concerned(self, card: ModelCard, now: datetime) -> Concerned:
        trials = await self._core.trials.all_running()
        return Concerned(
            pins=await self._core.pins.on([card.name]),
            channels=tuple(trial.channel for trial in trials if trial.model == card.name),
            settings=tuple(self._settings(card)),
            fine_tunes=tuple(
                other.name
                for other in self._core.models.catalogue.cards
                if other.fine_tune is not None and other.name != card.name and card.model_id in other.model_id
            ),
            calls=await self._calls(card, now),
        )

    def _settings(self, card: ModelCard) -> Iterator[str]:
        settings, names = self._core.settings, {card.name, card.model_id}
        chains = {f"models.chains.{name}": chain for name, chain in dict(settings.models.chains).items()}
        one = {
            "models.default": settings.models.default,
            "selection.judge": settings.selection.judge,
            "knowledge.embedding": settings.knowledge.embedding,
        }
        yield from (key for key, value in one.items() if value in names)
        yield from (key for key, chain in chains.items() if names & set(chain))

    async def _calls(self, card: ModelCard, now: datetime) -> int:
        query = sa.select(sa.func.count()).where(
            ledger.c.model == card.name,
            ledger.c.provider == card.provider,
            ledger.c.started_at >= now - LOOKED_BACK,
            ledger.c.purpose != "evaluate",
        )
        async with self._core.engine.connect() as connection:
            return int((await connection.execute(query)).scalar_one())

    def _successor(self, card: ModelCard, end: Shutdown) -> ModelCard | None:
        """What is recommended where that can be called now; else the usable model of the same maker, or the first."""
        usable = [one for one in self._core.models.usable() if one.name != card.name and not one.free]
        named = next((one for one in usable if one.name == end.successor), None)
        same = next((one for one in usable if one.provider == card.provider), None)
        return named or same or next(iter(usable), None)
