"""Backups that are made while others write, each restored into a database of the other kind: nothing torn or lost.

Every write is a pair that belongs together (a question with the call that it cost, a document with its text), made and
taken away in one transaction. `make prove-backup ARGS="[--rows 100000] [--backups 5] [--writers 4] [--postgres]"`.
"""

from __future__ import annotations

import argparse
import resource
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import proof_result
import sqlalchemy as sa
from own_processes import own_database
from sqlalchemy.engine import Connection

from bot.archive.backup import back_up
from bot.archive.restore import restore
from bot.storage.cost_tables import ledger
from bot.storage.direct import transaction
from bot.storage.revisions import PACKAGES
from bot.storage.tables import questions
from knowledge.schema import chunks, documents, sources

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
_AT_ONCE = 2_000


@dataclass(slots=True)
class Findings:
    """Figures; `torn` says each pair of which a restored database has one half, `lost` what an earlier backup had and
    a later one lacks though nobody took it away."""

    backups: int = 0
    rows: list[int] = field(default_factory=list)
    writes_meanwhile: int = 0
    backup_seconds: list[float] = field(default_factory=list)
    restore_seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    memory_growth_mb: float = 0.0
    torn: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def prove(url: str, others: list[str], folder: Path, rows: int, writers: int) -> Findings:
    """Makes a backup for each of the `others`, and restores it there, while `writers` write to `url`."""
    with transaction(url, "rebuild") as connection:
        for package in PACKAGES:
            package.upgrade(connection)
    _fill(url, rows)
    found, stop = Findings(), threading.Event()
    written = [0] * writers
    threads = [threading.Thread(target=_write, args=(url, number, stop, written)) for number in range(writers)]
    for thread in threads:
        thread.start()
    try:
        greatest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number, other in enumerate(others):
            before, began = sum(written), time.monotonic()
            file = folder / f"{number}.zip"
            manifest = back_up(url, file, folder / "none", NOW)
            found.backup_seconds.append(round(time.monotonic() - began, 2))
            found.writes_meanwhile += sum(written) - before
            found.megabytes.append(round(file.stat().st_size / 1e6, 2))
            began = time.monotonic()
            restore(other, file, folder / "none")
            found.restore_seconds.append(round(time.monotonic() - began, 2))
            found.rows.append(manifest.rows)
            found.backups += 1
            _compare(other, number, rows, found)
        found.memory_growth_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - greatest) / 1024
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return found


def _fill(url: str, rows: int) -> None:
    with transaction(url, "write") as connection:
        connection.execute(sources.insert().values(name="docs", kind="folder"))
        for start in range(0, rows, _AT_ONCE):
            some = range(start, min(rows, start + _AT_ONCE))
            connection.execute(questions.insert(), [_question(f"kept-{number}") for number in some])
            connection.execute(ledger.insert(), [_call(f"kept-{number}", number) for number in some])


def _write(url: str, writer: int, stop: threading.Event, written: list[int]) -> None:
    number = 0
    while not stop.is_set():
        name = f"w{writer}-{number}"
        with transaction(url, "write") as connection:
            connection.execute(questions.insert().values(_question(name)))
            connection.execute(ledger.insert().values(_call(name, number)))
            connection.execute(documents.insert().values(_document(name)))
            chunk = {"document_id": name, "position": 0, "heading": [], "text": name, "digest": name, "own": name}
            connection.execute(chunks.insert().values(chunk))
            if number >= 50:  # as a refresh takes away what is gone
                connection.execute(documents.delete().where(documents.c.id == f"w{writer}-{number - 50}"))
        number += 1
        written[writer] = number


def _compare(url: str, backup: int, rows: int, found: Findings) -> None:
    with transaction(url, "read") as connection:
        for what, query in _HALVES.items():
            found.torn += [f"backup {backup}: {what} {one}" for one in connection.execute(query).scalars()]
        kept = connection.execute(
            sa.select(sa.func.count()).select_from(ledger).where(ledger.c.question_id.like("kept-%"))
        ).scalar_one()
        if kept != rows:
            found.lost.append(f"backup {backup}: {rows - kept} calls that were there before")
        _compare_amounts(connection, backup, found)


def _compare_amounts(connection: Connection, backup: int, found: Findings) -> None:
    query = sa.select(ledger.c.question_id, ledger.c.cost)
    for row in connection.execute(query, execution_options={"yield_per": _AT_ONCE}):
        number = int(row.question_id.rpartition("-")[2])
        if row.cost != _cost(number):
            found.torn.append(f"backup {backup}: {row.question_id} costs {row.cost}")


_HALVES = {
    "question without its call": sa.select(questions.c.id).where(
        ~sa.exists().where(ledger.c.question_id == questions.c.id)
    ),
    "call without its question": sa.select(ledger.c.question_id).where(
        ~sa.exists().where(questions.c.id == ledger.c.question_id)
    ),
    "document without its text": sa.select(documents.c.id).where(
        ~sa.exists().where(chunks.c.document_id == documents.c.id)
    ),
    "text without its document": sa.select(chunks.c.text).where(
        ~sa.exists().where(documents.c.id == chunks.c.document_id)
    ),
}


def _question(name: str) -> dict[str, object]:
    place = {"asker": "U1", "workspace": "T1", "channel": "C1", "place_kind": "channel", "scopes": ["everyone"]}
    return {"id": name, "text": f"What is {name}? Grüße", "private": False, "asked_at": NOW, **place}


def _call(name: str, number: int) -> dict[str, object]:
    call = {"purpose": "answer", "provider": "p", "model": "m", "outcome": "answered"}
    return {"question_id": name, "started_at": NOW - timedelta(seconds=number % 9000), "cost": _cost(number), **call}


def _cost(number: int) -> Decimal | None:
    return Decimal(number).scaleb(-12) if number % 7 else None


def _document(name: str) -> dict[str, object]:
    said = {"version": "1", "title": name, "readers": "everyone", "digest": name, "tags": []}
    return {"id": name, "source": "docs", "path": f"{name}.md", **said}


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Backups while others write, restored into the other kind of database.")
    known.add_argument("--rows", type=int, default=100_000, help="questions, each with a call, before the first backup")
    known.add_argument("--backups", type=int, default=5)
    known.add_argument("--writers", type=int, default=4)
    known.add_argument("--postgres", action="store_true", help="from PostgreSQL into SQLite; else the other way round")
    return proof_result.main("backup", known, _run)


def _run(size: argparse.Namespace, folder: Path) -> proof_result.Result:
    with own_database("postgresql", folder) as server:
        with sa.create_engine(server, isolation_level="AUTOCOMMIT").connect() as connection:
            for number in range(size.backups):
                connection.execute(sa.text(f"CREATE DATABASE other_{number}"))
        lite = f"sqlite+aiosqlite:///{folder}"
        if size.postgres:
            url, others = server, [f"{lite}/{number}.db" for number in range(size.backups)]
        else:
            url = f"{lite}/first.db"
            others = [server.replace("/postgres?", f"/other_{number}?") for number in range(size.backups)]
        found = prove(url, others, folder, size.rows, size.writers)
    return proof_result.Result(asdict(found), bool(found.writes_meanwhile) and not (found.torn or found.lost))


if __name__ == "__main__":
    sys.exit(main())
