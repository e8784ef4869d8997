from __future__ import annotations

import json
import os
import stat
import threading
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from filled_tables import contents, fill, tables_of
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.archive.backup import back_up
from bot.archive.restore import restore, rows_there
from bot.errors import NewerSchema, UnusableBackup
from bot.storage.cost_tables import ledger
from bot.storage.direct import transaction
from bot.storage.revisions import BOT, KNOWLEDGE, PACKAGES
from bot.storage.tables import added_sources
from bot.storage.whole import TABLES, plain_tables
from knowledge.schema import chunks

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def filled(engine: AsyncEngine, imports: Path) -> str:
    """The address of a database with rows in every table."""
    url = engine.url.render_as_string(hide_password=False)
    with transaction(url, "write") as connection:
        fill(connection)
        options = {"path": str(imports / "wiki.jsonl")}
        first = sa.select(added_sources.c.name).limit(1).scalar_subquery()
        connection.execute(added_sources.update().where(added_sources.c.name == first).values(options=options))
    return url


@pytest.fixture
def imports(tmp_path: Path) -> Path:
    folder = tmp_path / "old" / "imports"
    folder.mkdir(parents=True)
    (folder / "wiki.jsonl").write_bytes(b'{"id": "1"}\r\n\x00')
    return folder


@pytest.fixture(params=["sqlite", "postgres"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of either kind."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("empty_postgres")
        return url
    return f"sqlite+aiosqlite:///{tmp_path / 'other.db'}"


def held(url: str) -> dict[str, object]:
    with transaction(url, "read") as connection:
        return {**contents(connection, plain_tables(connection))}


def test_what_is_restored_into_either_kind_of_database_is_what_was_backed_up(
    filled: str, other: str, imports: Path, tmp_path: Path
) -> None:
    file, elsewhere = tmp_path / "monday.zip", tmp_path / "new" / "imports"
    before = held(filled)
    manifest = back_up(filled, file, imports, NOW)
    assert set(manifest.tables) == set(TABLES)
    assert all(table.rows >= 3 for table in manifest.tables.values())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert held(filled) == before

    restore(other, file, elsewhere)
    assert (elsewhere / "wiki.jsonl").read_bytes() == (imports / "wiki.jsonl").read_bytes()
    after = held(other)
    moved = str(after.pop("added_sources"))
    assert str(elsewhere / "wiki.jsonl") in moved
    assert str(imports) not in moved
    assert after == {name: rows for name, rows in before.items() if name != "added_sources"}
    with transaction(other, "write") as connection:
        assert BOT.found(connection) == BOT.known()[-1]
        newest = connection.execute(sa.select(sa.func.max(ledger.c.id))).scalar_one()
        row = {"purpose": "answer", "provider": "p", "model": "m", "started_at": NOW, "outcome": "answered"}
        assert connection.execute(ledger.insert().values(row)).inserted_primary_key[0] > newest  # type: ignore[index]
        changes = sa.text("SELECT count(*) FROM ledger_changes")
        marked = connection.execute(changes).scalar_one()
        connection.execute(ledger.update().values(note="The triggers are there again."))
        assert connection.execute(changes).scalar_one() > marked
    with transaction(other, "write") as connection, pytest.raises(sa.exc.DBAPIError, match="only added to"):
        connection.execute(sa.text("DELETE FROM audit_log"))


def test_a_number_that_was_given_away_is_not_given_again_after_a_restore(
    filled: str, other: str, imports: Path, tmp_path: Path
) -> None:
    with transaction(filled, "write") as connection:
        gone = connection.execute(sa.select(sa.func.max(chunks.c.key))).scalar_one()
        connection.execute(chunks.delete().where(chunks.c.key == gone))
        row = dict(connection.execute(sa.select(chunks).limit(1)).mappings().one())
    back_up(filled, tmp_path / "b.zip", imports, NOW)
    restore(other, tmp_path / "b.zip", imports)
    with transaction(other, "write") as connection:
        del row["key"]
        connection.execute(chunks.insert().values(row))
        key = connection.execute(sa.select(sa.func.max(chunks.c.key))).scalar_one()
    assert key > gone


def test_a_backup_of_an_older_schema_is_brought_up_to_date(other: str, tmp_path: Path) -> None:
    old = f"sqlite+aiosqlite:///{tmp_path / 'old.db'}"
    with transaction(old, "rebuild") as connection:
        BOT.upgrade(connection, "0007")
        KNOWLEDGE.upgrade(connection, "0001")
        fill(connection)
        costs = set(connection.execute(sa.text("SELECT cost FROM ledger WHERE cost IS NOT NULL")).scalars())
    back_up(old, tmp_path / "old.zip", tmp_path / "none", NOW)
    restore(other, tmp_path / "old.zip", tmp_path / "none")
    with transaction(other, "read") as connection:
        assert [package.found(connection) for package in PACKAGES] == [package.known()[-1] for package in PACKAGES]
        kept = connection.execute(sa.select(ledger.c.cost).where(ledger.c.cost.is_not(None))).scalars()
        assert {format(cost, "f") for cost in kept} == costs


def test_a_database_with_rows_is_refused_unless_they_are_to_be_replaced(
    filled: str, engine: AsyncEngine, imports: Path, tmp_path: Path
) -> None:
    file = tmp_path / "b.zip"
    back_up(filled, file, imports, NOW)
    with transaction(filled, "write") as connection:
        connection.execute(ledger.update().values(note="newer"))
    changed = held(filled)
    assert rows_there(filled)["ledger"] == 3
    with pytest.raises(UnusableBackup, match=r"rows already.*--replace"):
        restore(filled, file, imports)
    assert held(filled) == changed
    restore(filled, file, imports, replace=True)
    assert "newer" not in str(held(filled)["ledger"])


def _cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 0xFF
    file.write_bytes(data)


def _forged(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["tables/ledger.jsonl"] = entries["tables/ledger.jsonl"].replace(b"0", b"1", 1)
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def _of_the_future(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(entries["manifest.json"])
    manifest["revisions"]["alembic_version"] = "4711"
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in {**entries, "manifest.json": json.dumps(manifest).encode()}.items():
            archive.writestr(name, data)


def _text(file: Path) -> None:
    file.write_text("no backup")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_cut, "damaged"),
        (_flipped, "damaged"),
        (_forged, "the table ledger is not what was written"),
        (_of_the_future, "is 4711, and this version knows 0001"),
        (_text, "damaged"),
        (Path.unlink, "There is no file"),
    ],
)
def test_a_broken_backup_is_named_and_nothing_is_touched(
    sqlite_engine: AsyncEngine, imports: Path, tmp_path: Path, spoil: Callable[[Path], None], why: str
) -> None:
    url, file = sqlite_engine.url.render_as_string(hide_password=False), tmp_path / "b.zip"
    with transaction(url, "write") as connection:
        fill(connection)
    back_up(url, file, imports, NOW)
    before = held(url)
    spoil(file)
    with pytest.raises(UnusableBackup, match=why):
        restore(url, file, imports, replace=True)
    assert held(url) == before


def test_what_fails_half_way_leaves_what_was_there(
    engine: AsyncEngine, filled: str, imports: Path, tmp_path: Path
) -> None:
    file = tmp_path / "b.zip"
    back_up(filled, file, imports, NOW)
    before = held(filled)
    blocked = tmp_path / "no folder"
    blocked.touch()
    with pytest.raises(UnusableBackup, match="Nothing was changed"):  # at the very last step
        restore(filled, file, blocked, replace=True)
    assert held(filled) == before
    with transaction(filled, "read") as connection:
        assert set(TABLES) <= set(tables_of(connection).tables)


def test_a_backup_that_cannot_be_written_leaves_no_file(filled: str, imports: Path, tmp_path: Path) -> None:
    with pytest.raises(UnusableBackup, match="could not be written"):
        back_up(filled, tmp_path / "nowhere" / "b.zip", imports, NOW)
    full = Path("/dev/full")
    if full.exists():
        (tmp_path / "b.zip.part").symlink_to(full)
        with pytest.raises(UnusableBackup, match="No space left"):
            back_up(filled, tmp_path / "b.zip", imports, NOW)
    (tmp_path / "there.zip").write_text("mine")
    with pytest.raises(UnusableBackup, match="is there already"):
        back_up(filled, tmp_path / "there.zip", imports, NOW)
    assert (tmp_path / "there.zip").read_text() == "mine"
    assert not (tmp_path / "b.zip").exists()
    assert not list(tmp_path.glob("*.part"))


def test_the_backup_holds_one_moment_while_others_write(filled: str, imports: Path, tmp_path: Path) -> None:
    stop, wrote = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with transaction(filled, "write") as connection:
                for table in ("conversations", "questions", "knowledge_chunks"):
                    connection.execute(TABLES[table].update().values(text=f"state {number}"))
            wrote.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert wrote.wait(60)
        for number in range(3):
            back_up(filled, tmp_path / f"{number}.zip", imports, NOW)
            with zipfile.ZipFile(tmp_path / f"{number}.zip") as archive:
                names = ("conversations", "questions", "knowledge_chunks")
                lines = b"".join(archive.read(f"tables/{name}.jsonl") for name in names).decode()
            states = {word for word in lines.split('"') if word.startswith("state ")}
            assert len(states) == 1
    finally:
        stop.set()
        thread.join()


def test_a_database_of_a_newer_version_is_neither_backed_up_nor_replaced(
    filled: str, imports: Path, tmp_path: Path
) -> None:
    back_up(filled, tmp_path / "b.zip", imports, NOW)
    with transaction(filled, "write") as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '4711'"))
    with pytest.raises(NewerSchema, match="4711"):
        back_up(filled, tmp_path / "c.zip", imports, NOW)
    with pytest.raises(NewerSchema, match="4711"):
        restore(filled, tmp_path / "b.zip", imports, replace=True)
    assert not (tmp_path / "c.zip").exists()


def test_every_table_that_there_is_is_in_a_backup(engine: AsyncEngine) -> None:
    with transaction(engine.url.render_as_string(hide_password=False), "read") as connection:
        there = set(sa.inspect(connection).get_table_names())
    assert there - {package.table for package in PACKAGES} == set(TABLES)
