"""`switchboard forget` and `switchboard export`: what is stored on a person, a channel or a document."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import COMMAND_LINE, Action, Audit, Change, noted
from bot.config import Settings
from bot.errors import AlreadyRunning
from bot.holdings.documents import documents_of, subject_of
from bot.holdings.forgetting import Forgetting, Place
from bot.holdings.handing_out import hand_out
from bot.holdings.registry import REGISTRY
from bot.holdings.search import counts
from bot.holdings.subject import Kind, Subject, slack_id
from bot.jobs.backup_job import nightly_backups
from bot.lock import DataFolderLock
from bot.printing import print_json, print_table, table_of
from bot.storage.direct import outside_transactions, transaction
from bot.storage.engine import open_existing
from bot.storage.whole import plain_tables
from bot.tuning.datasets import Datasets
from knowledge.forgetting import forget_documents
from knowledge.schema import chunks
from knowledge.serving import indexes_of


@dataclass(frozen=True, slots=True)
class Proof:
    """What was done. `documents`, `chunks`: of the knowledge; `backups`: files that were made before and hold it."""

    subject: str
    dry_run: bool
    documents: int
    chunks: int
    places: tuple[Place, ...]
    backups: tuple[str, ...]

    @property
    def left(self) -> int:
        """Rows that still name it, though nothing says why."""
        return sum(place.after for place in self.places if not place.why and not self.dry_run)


class _TakenBack(Exception):
    """Ends a transaction of which nothing is to stay."""


async def forget(
    settings: Settings, kind: Kind, typed: str, called: Sequence[str], dry_run: bool, out: Console, as_json: bool
) -> bool:
    """Forgets, beside a running bot too, and prints the proof; whether nothing is left. Raises UnknownSubject."""
    url = settings.database_url
    async with open_existing(url, "There is nothing to forget yet", "The database") as engine:
        proof = await _forgotten(engine, settings, kind, typed, tuple(called), dry_run)
        if not dry_run:
            await Datasets(engine, settings.data_dir).sweep(datetime.now(UTC))
            removed = sum(place.removed for place in proof.places) + proof.documents + proof.chunks
            changed = sum(place.changed for place in proof.places)
            after = f"{removed} rows removed, {changed} changed"  # whose stands nowhere any more
            change = Change(action=Action.FORGOTTEN, subject=f"a {kind}", after=after)
            await noted(engine, change, by=COMMAND_LINE, at=datetime.now(UTC))
    if as_json:
        print_json(out, {**dataclasses.asdict(proof), "left": proof.left})
    else:
        _print(proof, out)
    return not proof.left


async def _forgotten(
    engine: AsyncEngine, settings: Settings, kind: Kind, typed: str, called: tuple[str, ...], dry_run: bool
) -> Proof:
    url, now = settings.database_url, datetime.now(UTC)
    subject, before, documents, pieces = await asyncio.to_thread(_found, url, kind, typed, called)
    if documents and not dry_run:
        await forget_documents(engine, documents, now, for_good=kind == "document")
    places = await asyncio.to_thread(_rows_forgotten, url, subject, before, dry_run)
    if not dry_run:
        await asyncio.to_thread(_clean_up, settings, indexes=bool(documents))
    backups = await _backups(engine, settings)
    return Proof(subject.said, dry_run, len(documents), pieces, tuple(places), backups)


async def export(settings: Settings, typed: str, file: Path, out: Console) -> None:
    """Writes everything that is stored on a person into `file`. Raises UnknownSubject and UnusableBackup."""
    url, now = settings.database_url, datetime.now(UTC)
    subject = Subject("user", slack_id("user", typed))
    async with open_existing(url, "Nothing is stored yet", "The database") as engine:
        rows = await asyncio.to_thread(hand_out, url, subject, file, now)
        change = Change(action=Action.EXPORTED, subject=subject.said)
        await noted(engine, change, by=COMMAND_LINE, at=now)
    for name, count in rows.items():
        out.print(f"{count:,} × {REGISTRY[name].what} ({name})")
    if not rows:
        out.print(f"Nothing is stored on the {subject.said}.")
    out.print(f"Written to {escape(str(file))}, with a README in plain words. Only you can read it: send it safely.")


def _found(url: str, kind: Kind, typed: str, called: tuple[str, ...]) -> tuple[Subject, dict[str, int], list[str], int]:
    with transaction(url, "read") as connection:
        subject = subject_of(connection, kind, typed, called)
        documents = documents_of(connection, subject)
        count = sa.select(sa.func.count()).select_from(chunks)
        pieces = sum(connection.execute(count.where(chunks.c.document_id == one)).scalar_one() for one in documents)
        return subject, counts(connection, plain_tables(connection), subject), documents, pieces


def _rows_forgotten(url: str, subject: Subject, before: Mapping[str, int], dry_run: bool) -> list[Place]:
    places: list[Place] = []
    with suppress(_TakenBack), transaction(url, "write") as connection:
        places = Forgetting(connection, plain_tables(connection), subject).run(before)
        if dry_run:
            raise _TakenBack
    return places


def _clean_up(settings: Settings, *, indexes: bool) -> None:
    """Takes what was removed out of the files too. Where no bot runs, SQLite's file is written anew, and the indexes
    go, to be built anew at the next start; a running bot's indexes follow the database."""
    with suppress(DBAPIError), outside_transactions(settings.database_url) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("VACUUM"))
        else:
            connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))
    lock = DataFolderLock(settings.data_dir)
    with suppress(AlreadyRunning, DBAPIError):
        lock.acquire()
        try:
            if indexes:
                shutil.rmtree(indexes_of(settings.data_dir), ignore_errors=True)
            with outside_transactions(settings.database_url) as connection:
                if connection.dialect.name == "sqlite":
                    connection.execute(sa.text("VACUUM"))
                    connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))
        finally:
            lock.release()


async def _backups(engine: AsyncEngine, settings: Settings) -> tuple[str, ...]:
    made = [Path(entry.after) for entry in await Audit(engine).entries(what=Action.BACKED_UP.value)]
    nightly = nightly_backups(settings.storage.backups.absolute()) if settings.storage.backups else []
    return tuple(sorted({str(file) for file in (*made, *nightly) if file.is_file()}))


def _print(proof: Proof, out: Console) -> None:
    would = "would be " if proof.dry_run else ""
    if not proof.places and not proof.documents:
        out.print(f"Nothing is stored on the {escape(proof.subject)}.")
    else:
        table = table_of("where", "named it", f"{would}removed", f"{would}changed", "names it now")
        for row in _rows(proof):
            table.add_row(*row)
        print_table(out, table)
    for why in dict.fromkeys(place.why for place in proof.places if place.why and place.after):
        where = ", ".join(place.what for place in proof.places if place.why == why and place.after)
        out.print(f"\nWhat still names it in {where}: {why}")
    if proof.backups:
        out.print("\nBackups that were made before still hold it. Delete them, or let them run out:")
        for file in proof.backups:
            out.print(f"  {escape(file)}")
    if proof.dry_run:
        out.print("\nNothing was changed. Without --dry-run it is.")
    elif proof.left:
        rows = "1 row was" if proof.left == 1 else f"{proof.left} rows were"
        out.print(f"\n[red]{rows} written meanwhile and name it. Run the command again.[/]")
    else:
        out.print(f"\nThe {escape(proof.subject)} is forgotten. Messages in Slack are Slack's: delete them there.")


def _rows(proof: Proof) -> list[tuple[str, ...]]:
    rows = []
    for place in proof.places:
        removed = place.removed
        if place.table == "knowledge_documents":
            removed = proof.documents
        elif place.table == "knowledge_chunks":
            removed = proof.chunks
        elif place.table == "knowledge_saved":  # some go with their documents
            removed = place.before - place.after
        numbers = (place.before, removed, place.changed, place.after)
        rows.append((f"{place.what} ({place.table})", *(f"{number:,}" for number in numbers)))
    return rows
