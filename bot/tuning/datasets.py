"""Data sets: made from gathered rows, named by what is in them, kept in SQL with the lineage of each row."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Action, Change, record
from bot.errors import UnusableTraining
from bot.models.cards import ModelCard
from bot.storage.tuning_run_tables import tuning_runs
from bot.storage.tuning_tables import tuning_datasets, tuning_rows
from bot.storage.upsert import insert
from bot.tuning.cleaning import cleaned
from bot.tuning.gathering import Gathered
from bot.tuning.report import Report, measured, reported
from bot.tuning.row import FILES, PARTS, Part, Row, written
from bot.tuning.splitting import split, topics
from knowledge.embedding.base import Embedder

FOLDER = "tuning"
RUNS = "tuned"
"""The folder beside it, with one for each run that trains on this machine, which copies what it trains on."""
SHORT = 12
"""So much of a hash is shown and typed."""
SWEEPER = "training"
"""Who marks data sets in the audit log."""
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Made:
    """A data set that is not kept yet. `id`: SHA-256 of its files and of whom they are for."""

    id: str
    audience: tuple[str, ...]
    parts: dict[Part, tuple[Row, ...]]
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A data set as it was kept. `withdrawn_at`: when somebody's words were taken out of it, None where it is whole."""

    id: str
    made_at: datetime
    made_by: str
    audience: tuple[str, ...]
    rows: int
    report: dict[str, Any]
    withdrawn_at: datetime | None


async def made(
    gathered: Gathered,
    golden: Sequence[str],
    audience: Iterable[str],
    embedder: Embedder,
    model: ModelCard | None = None,
) -> Made:
    """Cleans, measures and splits. `golden`: questions that stay out; `model`: what is to be tuned."""
    done = await asyncio.to_thread(cleaned, gathered.rows, gathered.preferences, golden)
    lengths = await asyncio.to_thread(measured, done.rows, model)
    rows = lengths.rows
    topic = topics(await embedder.embed([row.question for row in rows])) if rows else []
    train, validation, by_topic = split(rows, topic) if rows else ([], [], False)
    held_out = {row.question for row in validation}
    done.preferences = [row for row in done.preferences if row.question not in held_out]
    report = reported(
        done,
        train=train,
        validation=validation,
        topic=topic,
        by_topic=by_topic,
        lengths=lengths,
        left_out=gathered.left_out,
        golden_questions=len(golden),
        model=model,
    )
    parts: dict[Part, tuple[Row, ...]] = {
        "train": tuple(train),
        "validation": tuple(validation),
        "preferences": tuple(done.preferences),
    }
    scopes = tuple(sorted(audience))
    digest = hashlib.sha256(" ".join(scopes).encode())
    for part in PARTS:
        digest.update(b"\0" + written(part, parts[part]).encode())
    return Made(digest.hexdigest(), scopes, parts, report)


class Datasets:
    """The data sets in SQL, and their files in `data_dir`, which are written anew from there whenever they lack."""

    def __init__(self, engine: AsyncEngine, data_dir: Path) -> None:
        self._engine = engine
        self._folder = data_dir / FOLDER
        self._runs = data_dir / RUNS

    async def keep(self, new: Made, *, by: str, at: datetime) -> Path:
        """Keeps a data set with its files; one with the same content is there once. Gives its folder.

        Raises UnusableTraining where it cannot be trained on.
        """
        if new.report.refused:
            raise UnusableTraining(new.report.refused)
        rows = [(part, row) for part in PARTS for row in new.parts[part]]
        values = [
            {"dataset": new.id, "position": place, "part": part, **asdict(row)}
            for place, (part, row) in enumerate(rows)
        ]
        async with self._engine.begin() as connection:
            kept = insert(connection, tuning_datasets).values(
                id=new.id,
                made_at=at,
                made_by=by,
                audience=list(new.audience),
                rows=len(rows),
                report=_plain(new.report),
                withdrawn_at=None,
            )
            first = await connection.execute(kept.on_conflict_do_nothing().returning(tuning_datasets.c.id))
            if first.first() is not None:
                for start in range(0, len(values), _AT_ONCE):
                    await connection.execute(tuning_rows.insert(), values[start : start + _AT_ONCE])
                change = Change(
                    action=Action.DATASET_MADE, subject=f"data set {new.id[:SHORT]}", after=f"{len(rows)} rows"
                )
                await record(connection, change, by=by, at=at)
        return await self.files(new.id)

    async def all(self) -> list[Dataset]:
        """Every one, newest first."""
        query = sa.select(tuning_datasets).order_by(tuning_datasets.c.made_at.desc(), tuning_datasets.c.id)
        async with self._engine.connect() as connection:
            return [_dataset(row) for row in await connection.execute(query)]

    async def find(self, typed: str) -> Dataset:
        """The one whose hash begins so; "last" is the newest. Raises UnusableTraining."""
        known = await self.all()
        found = known[:1] if typed == "last" else [one for one in known if typed and one.id.startswith(typed)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnusableTraining(f"{len(found)} data sets begin with “{typed}”. Write more of the hash.")
        names = ", ".join(one.id[:SHORT] for one in known[:5]) or "none yet; `switchboard tune data` makes one"
        raise UnusableTraining(f"There is no data set “{typed}”. There are: {names}.")

    async def rows(self, id: str) -> dict[Part, list[Row]]:
        """The rows by part, with their lineage."""
        query = sa.select(tuning_rows).where(tuning_rows.c.dataset == id).order_by(tuning_rows.c.position)
        found: dict[Part, list[Row]] = {part: [] for part in PARTS}
        async with self._engine.connect() as connection:
            for row in await connection.execute(query):
                found[row.part].append(Row(**{name: getattr(row, name) for name in Row.__slots__}))
        return found

    async def files(self, id: str) -> Path:
        """The folder with the files of a data set, written where they lack.

        Raises UnusableTraining where words were withdrawn from it: it is whole no more.
        """
        dataset = await self.find(id)
        if dataset.withdrawn_at is not None:
            raise UnusableTraining(
                f"The data set {id[:SHORT]} is whole no more: on {dataset.withdrawn_at:%Y-%m-%d} words of somebody who "
                "does not allow it were taken out. `switchboard tune data` makes a new one."
            )
        rows = await self.rows(id)
        return await asyncio.to_thread(_write, self._folder / id[:SHORT], rows)

    async def sweep(self, at: datetime) -> int:
        """Marks the data sets that lost rows (somebody was forgotten, a text grew too old), and removes the files of
        all that are whole no more; gives how many folders went."""
        count = sa.select(sa.func.count()).where(tuning_rows.c.dataset == tuning_datasets.c.id).scalar_subquery()
        lacking = tuning_datasets.c.withdrawn_at.is_(None) & (count < tuning_datasets.c.rows)
        async with self._engine.begin() as connection:
            marking = sa.update(tuning_datasets).where(lacking).values(withdrawn_at=at).returning(tuning_datasets.c.id)
            marked = (await connection.execute(marking)).scalars().all()
            gone = sa.select(tuning_datasets.c.id).where(tuning_datasets.c.withdrawn_at.is_not(None))
            trained = tuning_runs.c.withdrawn_at.is_(None) & tuning_runs.c.dataset.in_(gone)
            await connection.execute(sa.update(tuning_runs).where(trained).values(withdrawn_at=at))
            for id in sorted(marked):
                change = Change(action=Action.DATASET_EMPTIED, subject=f"data set {id[:SHORT]}", after="whole no more")
                await record(connection, change, by=SWEEPER, at=at)
        whole = {one.id[:SHORT] for one in await self.all() if one.withdrawn_at is None}
        withdrawn = sa.select(tuning_runs.c.id).where(tuning_runs.c.withdrawn_at.is_not(None))
        async with self._engine.connect() as connection:
            copies = [
                self._runs / run / file
                for run in (await connection.execute(withdrawn)).scalars()
                for file in FILES.values()
            ]
        return await asyncio.to_thread(_remove, self._folder, whole, copies)


def _write(folder: Path, rows: dict[Part, list[Row]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for part, file in FILES.items():
        text, target = written(part, rows[part]), folder / file
        if target.is_file() and target.read_text(encoding="utf-8") == text:
            continue
        half = folder / f"{file}.{os.getpid()}"
        half.write_text(text, encoding="utf-8")
        half.replace(target)
    return folder


def _remove(folder: Path, whole: set[str], copies: Iterable[Path]) -> int:
    for copy in copies:
        copy.unlink(missing_ok=True)
    gone = [one for one in folder.iterdir() if one.is_dir() and one.name not in whole] if folder.is_dir() else []
    for one in gone:
        shutil.rmtree(one, ignore_errors=True)
    return len(gone)


def _plain(report: Report) -> dict[str, Any]:
    """As JSON keeps it; the questions that contradict stay out: they are texts, and stand with their rows' sources."""
    values = asdict(report)
    values["contradictions"] = len(report.contradictions)
    values["price"] = None if report.price is None else str(report.price)
    return values


def _dataset(row: Any) -> Dataset:
    values = {name: getattr(row, name) for name in Dataset.__slots__}
    return Dataset(**values | {"audience": tuple(row.audience)})
