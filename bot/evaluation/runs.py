"""Evaluations in SQL: runs, their questions and what each way made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.outcomes import UNBILLED
from bot.domain import StrategyName
from bot.errors import RunNotFound, UnusableGolden
from bot.evaluation.answers import storable
from bot.evaluation.golden import Golden
from bot.evaluation.judge import POSTPONED
from bot.evaluation.matrix import Cell, Matrix, Row, Way
from bot.evaluation.run import Run
from bot.storage.cost_tables import ledger
from bot.storage.evaluation_tables import evaluation_cells as cells
from bot.storage.evaluation_tables import evaluation_questions as questions
from bot.storage.evaluation_tables import evaluation_runs as runs
from bot.storage.upsert import insert

LAST = "last"
NOT_JUDGED = "not judged"
_AT_ONCE = 500
_SAME = tuple(name for name in Run.__slots__ if name != "index")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What was seen of a question before it was answered.

    `features`: the evidence as numbers; `chosen`, `expected`, `paid` and `tuned` as in `Row`; `left_out`: how many
    reviewed examples were passed over because they are the question itself. `milliseconds`: how long the choice took.
    `absent`: no document that it expects is known to its audience. `otherwise`: what is chosen for the question as
    it stands and in other words; empty where that was not looked at.
    """

    features: Mapping[str, float]
    chosen: Way | None
    expected: Mapping[Way, float]
    paid: Mapping[Way, float]
    tuned: Mapping[str, float]
    left_out: int
    milliseconds: float
    absent: bool
    otherwise: Mapping[str, Way | None]


@dataclass(frozen=True, slots=True)
class Kept:
    """A cell as it is kept: `detail` says why there is no answer, or no judgement."""

    cell: Cell
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A whole run: its matrix, the golden questions in its order, and what the matrix has no room for.

    `absent`: ids of the questions whose document is not known; `decision_ms`: milliseconds of each choice;
    `otherwise`: by id what is chosen for a question as it stands and in other words.
    """

    run: Run
    matrix: Matrix
    golden: tuple[Golden, ...]
    details: Mapping[tuple[str, Way], str] = field(default_factory=dict)
    left_out: int = 0
    absent: frozenset[str] = frozenset()
    decision_ms: tuple[float, ...] = ()
    otherwise: Mapping[str, Mapping[str, Way | None]] = field(default_factory=dict)


class Runs:
    """The runs that were kept."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def start(self, run: Run, ways: Sequence[Way], golden: Sequence[Golden]) -> None:
        """Keeps a run before its first call. Raises UnusableGolden where another run has its name."""
        values = {name: getattr(run, name) for name in _SAME} | {"index_version": run.index}
        values |= {"models": dict(run.models), "settings": dict(run.settings)}
        values |= {"ways": [[way.strategy.value, way.model] for way in ways]}
        rows = [
            {
                "run": run.id,
                "id": one.id,
                "position": position,
                "text": one.question,
                "grouping": one.group,
                "expected": _expected(one),
                "left_out": 0,
            }
            for position, one in enumerate(golden)
        ]
        try:
            async with self._engine.begin() as connection:
                await connection.execute(runs.insert().values(**values))
                for start in range(0, len(rows), _AT_ONCE):
                    await connection.execute(questions.insert(), rows[start : start + _AT_ONCE])
        except IntegrityError as error:
            raise UnusableGolden(f"There is a run called “{run.name}” already. Choose another --name.") from error

    async def finish(self, run_id: str, *, finished: datetime | None, budget: Decimal | None) -> Run:
        """Writes down how far a run has come and what its calls cost, by the ledger."""
        spent, unpriced = await self.spent(run_id)
        values = {"finished": finished, "spent": spent, "unpriced": unpriced, "budget": budget}
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(runs).where(runs.c.id == run_id).values(**values))
        return await self.find(run_id)

    async def spent(self, run_id: str) -> tuple[Decimal, int]:
        """US dollars of a run's calls so far, and how many calls have no known price. The ledger knows, also of calls
        that failed or were cut off by a kill."""
        # Every call of a run carries its id before a hyphen.
        query = sa.select(ledger.c.cost, ledger.c.outcome).where(
            ledger.c.question_id.startswith(f"{run_id}-", autoescape=True)
        )
        total, unpriced = Decimal(0), 0
        async with self._engine.connect() as connection:
            async for row in await connection.stream(query):
                total += row.cost or Decimal(0)
                unpriced += row.cost is None and row.outcome not in UNBILLED
        return total, unpriced

    async def all(self) -> list[Run]:
        """Every run, newest first."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(sa.select(runs).order_by(runs.c.started.desc(), runs.c.id))
            return [_run(row) for row in rows]

    async def find(self, name: str) -> Run:
        """The run of that id or name; "last" is the newest. Raises RunNotFound."""
        async with self._engine.connect() as connection:
            query = sa.select(runs).order_by(runs.c.started.desc(), runs.c.id).limit(1)
            if name != LAST:
                query = query.where(sa.or_(runs.c.id == name, runs.c.name == name))
            row = (await connection.execute(query)).first()
        if row is None:
            raise RunNotFound(f"There is no run “{name}”. `switchboard evaluate --list` shows those that were kept.")
        return _run(row)

    async def ways(self, run_id: str) -> tuple[Way, ...]:
        """The ways of a run, in the order of its columns."""
        async with self._engine.connect() as connection:
            found = (await connection.execute(sa.select(runs.c.ways).where(runs.c.id == run_id))).scalar_one()
        return tuple(Way(StrategyName(strategy), model) for strategy, model in found)

    async def keep_weighed(self, run_id: str, question_id: str, weighed: Weighed) -> None:
        """Keeps what was seen of a question before it was answered."""
        plain = {
            **_choice(weighed.chosen, weighed.expected),
            "paid": _by_way(weighed.paid),
            "tuned": dict(weighed.tuned),
            "milliseconds": weighed.milliseconds,
            "absent": weighed.absent,
            "otherwise": [[text, _pair(way)] for text, way in weighed.otherwise.items()],
        }
        values = {"features": dict(weighed.features), "weighed": plain, "left_out": weighed.left_out}
        statement = sa.update(questions).where(questions.c.run == run_id, questions.c.id == question_id)
        async with self._engine.begin() as connection:
            await connection.execute(statement.values(**values))

    async def choose_again(self, run_id: str, rows: Iterable[Row]) -> None:
        """Keeps what these rows expect and take in place of what was chosen when they were asked."""
        query = sa.select(questions.c.id, questions.c.weighed).where(questions.c.run == run_id)
        change = (
            sa.update(questions)
            .where(questions.c.run == run_id, questions.c.id == sa.bindparam("question"))
            .values(weighed=sa.bindparam("again"))
        )
        async with self._engine.begin() as connection:
            before = {row.id: row.weighed for row in await connection.execute(query)}
            values = [
                {"question": row.id, "again": {**before[row.id], **_choice(row.chosen, row.expected)}}
                for row in rows
                if before.get(row.id)
            ]
            for start in range(0, len(values), _AT_ONCE):
                await connection.execute(change, values[start : start + _AT_ONCE])

    async def keep(self, run_id: str, question_id: str, way: Way, kept: Kept) -> None:
        """Keeps a cell, in the place of what was there."""
        key = {"run": run_id, "question": question_id, "strategy": way.strategy.value, "model": way.model}
        values = asdict(kept.cell) | {"answer": storable(kept.cell.answer), "detail": storable(kept.detail)}
        async with self._engine.begin() as connection:
            statement = insert(connection, cells).values(**key, **values)
            await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))

    async def outcomes(self, run_id: str) -> dict[tuple[str, Way], str]:
        """How each cell that was kept ended; "not judged" where it has an answer that is still to be judged."""
        columns = (cells.c.question, cells.c.strategy, cells.c.model, cells.c.outcome, cells.c.detail)
        async with self._engine.connect() as connection:
            rows = await connection.execute(sa.select(*columns).where(cells.c.run == run_id))
            return {
                (row.question, Way(StrategyName(row.strategy), row.model)): (
                    NOT_JUDGED if row.detail.startswith(POSTPONED) else row.outcome
                )
                for row in rows
            }

    async def load(self, run_id: str) -> Record:
        """A whole run by its id. Raises RunNotFound."""
        run, ways = await self.find(run_id), await self.ways(run_id)
        rows: list[Row] = []
        golden: list[Golden] = []
        left_out = 0
        absent: set[str] = set()
        milliseconds: list[float] = []
        otherwise: dict[str, dict[str, Way | None]] = {}
        found: dict[tuple[str, Way], Cell] = {}
        details: dict[tuple[str, Way], str] = {}
        async with self._engine.connect() as connection:
            asked = sa.select(questions).where(questions.c.run == run_id).order_by(questions.c.position)
            async for row in await connection.stream(asked):
                rows.append(_row(row))
                golden.append(_golden(row))
                left_out += row.left_out
                weighed = row.weighed or {}
                absent |= {row.id} if weighed.get("absent") else set()
                milliseconds += [weighed["milliseconds"]] if "milliseconds" in weighed else []
                if texts := weighed.get("otherwise"):
                    otherwise[row.id] = {text: _way(pair) for text, pair in texts}
            async for row in await connection.stream(sa.select(cells).where(cells.c.run == run_id)):
                place = (row.question, Way(StrategyName(row.strategy), row.model))
                found[place] = _cell(row)
                if row.detail:
                    details[place] = row.detail
        matrix = Matrix(tuple(rows), ways, found)
        return Record(
            run=run,
            matrix=matrix,
            golden=tuple(golden),
            details=details,
            left_out=left_out,
            absent=frozenset(absent),
            decision_ms=tuple(milliseconds),
            otherwise=otherwise,
        )


def _run(row: Any) -> Run:
    values = {name: getattr(row, name) for name in _SAME} | {"index": row.index_version}
    return Run(**values | {"scorers": tuple(row.scorers), "audience": tuple(row.audience)})


def _expected(golden: Golden) -> dict[str, object]:
    return {
        "answers": golden.answers,
        "sources": golden.sources,
        "rubric": golden.rubric,
        "strategy": golden.strategy.value if golden.strategy else None,
    }


def _golden(row: Any) -> Golden:
    expected = row.expected
    return Golden(
        id=row.id,
        question=row.text,
        answers=tuple(expected["answers"]),
        sources=tuple(expected["sources"]),
        rubric=expected["rubric"],
        group=row.grouping,
        strategy=StrategyName(expected["strategy"]) if expected["strategy"] else None,
    )


def _row(row: Any) -> Row:
    weighed = row.weighed or {}
    return Row(
        id=row.id,
        text=row.text,
        group=row.grouping,
        features=row.features or {},
        chosen=_way(weighed.get("chosen")),
        expected=_of_ways(weighed.get("expected", ())),
        paid=_of_ways(weighed.get("paid", ())),
        tuned=weighed.get("tuned", {}),
    )


def _choice(chosen: Way | None, expected: Mapping[Way, float]) -> dict[str, object]:
    return {"chosen": _pair(chosen), "expected": _by_way(expected)}


def _pair(way: Way | None) -> list[str] | None:
    return None if way is None else [way.strategy.value, way.model]


def _way(pair: Sequence[str] | None) -> Way | None:
    return None if pair is None else Way(StrategyName(pair[0]), pair[1])


def _by_way(values: Mapping[Way, float]) -> list[list[object]]:
    return [[way.strategy.value, way.model, value] for way, value in values.items()]


def _of_ways(plain: Iterable[tuple[str, str, float]]) -> dict[Way, float]:
    return {Way(StrategyName(strategy), model): value for strategy, model, value in plain}


def _cell(row: Any) -> Cell:
    return Cell(
        quality=row.quality,
        scores=row.scores,
        cost=row.cost,
        seconds=row.seconds,
        outcome=row.outcome,
        answer=row.answer,
    )
