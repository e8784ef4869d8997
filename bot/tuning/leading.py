"""Leads a run from its order to its end: money held before and settled after, one process at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.calls import Call
from bot.costs.ledger import Ledger
from bot.domain import Price, Usage
from bot.errors import ModelError, UnusableTraining
from bot.models.cards import ModelCard
from bot.storage.cost_tables import ledger as ledger_table
from bot.tuning.datasets import Datasets
from bot.tuning.report import training_price
from bot.tuning.runs import Run, Runs
from bot.tuning.tuner import ENDED, Look, Order, Tuner
from bot.worker import HEARTBEAT, LEASE, Worker

PURPOSE = "fine_tune"
WITHDRAWN = "Words that it was trained on were withdrawn, so it was cancelled. `switchboard tune data` makes new data."
_OUTCOMES = {"succeeded": "answered", "cancelled": "stopped"}


async def untracked(_run: str) -> None:
    """Nobody keeps track of runs elsewhere."""


class Leading:
    """One process that leads runs. `pause`: seconds between two looks, of which `tell` hears, and after each of which
    `track` gets the run's id; `patience`: for so many seconds the lead of another process is waited for, which may have
    been killed."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        runs: Runs,
        datasets: Datasets,
        ledger: Ledger,
        worker: Worker,
        clock: Callable[[], datetime],
        pause: float = 2.0,
        patience: float = LEASE + HEARTBEAT,
        tell: Callable[[Look], None] = lambda look: None,
        track: Callable[[str], Awaitable[None]] = untracked,
    ) -> None:
        self._engine = engine
        self._runs = runs
        self._datasets = datasets
        self._ledger = ledger
        self._worker = worker
        self._clock = clock
        self._pause = pause
        self._patience = patience
        self._tell = tell
        self._track = track

    async def lead(self, id: str, tuner: Tuner, card: ModelCard | None) -> Run:
        """Leads a run until it has ended; `card`: of its base, whose prices hold. One that ended is given as it is.

        Raises UnusableTraining where another process leads it, or where it cannot be begun (then it has failed), and
        OverBudget where a hard budget has no room (then it stays ordered).
        """
        run = await self._runs.find(id)
        if run.has_ended:
            return run
        await self._claim(run)
        row = await self._held(run, card)
        began = self._clock()
        try:
            folder = await self._datasets.files(run.dataset)
            order = self.order_of(run, card, folder)
            job = await tuner.begin(order, run.job)
            await self._runs.begun(run.id, job)
        except UnusableTraining as error:
            await self._end(run, Look(state="failed", problem=str(error)), row, card, began, billed=False)
            raise
        return await self._followed(run, tuner, order, job, row, card, began)

    @staticmethod
    def order_of(run: Run, card: ModelCard | None, data: Path) -> Order:
        """The run as a tuner takes it."""
        return Order(run=run.id, data=data, base=_asked_for(run, card), parameters=run.asked_with)

    async def _followed(
        self, run: Run, tuner: Tuner, order: Order, job: str, row: int, card: ModelCard | None, began: datetime
    ) -> Run:
        is_withdrawn = False
        while True:
            try:
                look = await tuner.look(order, job)
            except ModelError as error:  # the server is away: its job goes on
                look = Look(state="running", problem=str(error))
            await self._runs.keep(run.id, look)
            self._tell(look)
            await self._track(run.id)
            if look.state in ENDED:
                if is_withdrawn:
                    look = Look(state="cancelled", steps=look.steps, tokens=look.tokens, problem=WITHDRAWN)
                await self._end(run, look, row, card, began, billed=True)
                return await self._runs.find(run.id)
            if not is_withdrawn and (await self._datasets.find(run.dataset)).withdrawn_at is not None:
                is_withdrawn = True
                await tuner.cancel(order, job)
                continue
            await asyncio.sleep(self._pause)
            await self._claim(run)

    async def _claim(self, run: Run) -> None:
        """Takes the lead, or keeps it. One that was killed is taken for dead after a while, which is waited for."""
        waited = 0.0
        while not await self._runs.claim(run.id, self._worker):
            if (await self._runs.find(run.id)).has_ended:
                return
            if waited >= self._patience:
                raise UnusableTraining(f"Another process leads the run {run.id}: `switchboard tune show {run.id}`.")
            waited += 1.0
            await asyncio.sleep(1.0)

    async def _held(self, run: Run, card: ModelCard | None) -> int:
        """The ledger's row of a run: the one that is there, also of a process that was killed, or a new one."""
        query = sa.select(ledger_table.c.id).where(
            ledger_table.c.question_id == _name(run), ledger_table.c.purpose == PURPOSE
        )
        async with self._engine.connect() as connection:
            found: int | None = (await connection.execute(query.order_by(ledger_table.c.id).limit(1))).scalar()
        if found is not None:
            return found
        call = Call(
            question_id=_name(run),
            purpose=PURPOSE,
            attempt=1,
            provider=card.provider if card else "local",
            model=(card.name if card else run.base)[:200],
            strategy=None,
            channel=None,
            asker=None,
            started_at=self._clock(),
            reserved=run.held,
        )
        return await self._ledger.open(call)

    async def _end(
        self, run: Run, look: Look, row: int, card: ModelCard | None, began: datetime, *, billed: bool
    ) -> None:
        price = self._price(look, card) if billed else Price(amount=Decimal(0), version="not begun")
        usage = Usage(prompt_tokens=look.tokens, completion_tokens=0) if look.tokens is not None else None
        seconds = (self._clock() - began).total_seconds()
        outcome = _OUTCOMES.get(look.state, "failed")
        await self._ledger.settle(row, outcome=outcome, seconds=seconds, usage=usage, price=price)
        await self._runs.end(run.id, look, cost=price.amount, at=self._clock(), by="training")

    def _price(self, look: Look, card: ModelCard | None) -> Price:
        if card is None or card.training_rate is None:
            of = card.name if card else "the base"
            return Price(amount=None, version=None, why=f"`training_rate` of {of} is not stated.")
        if look.tokens is None:
            return Price(amount=None, version=None, why="Nobody said how many tokens were trained on.")
        return Price(amount=training_price(card, look.tokens), version="training_rate")


def estimated(card: ModelCard | None, tokens: int, epochs: int) -> Decimal | None:
    """US dollars that a run costs at most: tokens of an epoch × epochs × the card's `training_rate`."""
    price = training_price(card, tokens) if card is not None else None
    return None if price is None else price * epochs


def _name(run: Run) -> str:
    return f"tune-{run.id}"


def _asked_for(run: Run, card: ModelCard | None) -> str:
    return run.base if card is None else card.model_id
