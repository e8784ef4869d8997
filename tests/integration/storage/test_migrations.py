from __future__ import annotations

import asyncio
import shutil
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from filled_tables import ROWS, contents, fill, shape, tables_of
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.errors import NewerSchema, StorageError
from bot.storage.columns import metadata
from bot.storage.cost_tables import ledger
from bot.storage.direct import transaction
from bot.storage.engine import open_engine, upgrade
from bot.storage.revisions import BOT, KNOWLEDGE, Package
from knowledge import schema

PACKAGES = pytest.mark.parametrize(
    ("package", "metadata"), [(BOT, metadata), (KNOWLEDGE, schema.metadata)], ids=["bot", "knowledge"]
)

BROKEN = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "broken", "{newest}"

def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer, primary_key=True))
    op.execute(sa.text("UPDATE questions SET text = 'lost'"))
    with op.batch_alter_table("pins", recreate="always") as batch:
        batch.drop_column("model")
    op.execute(sa.text("INSERT INTO no_such_table VALUES (1)"))
"""


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables, once for each kind."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("empty_postgres")
        return url
    return f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"


@pytest.mark.proof
@PACKAGES
def test_what_any_released_schema_held_is_there_after_the_way_up_and_back(
    empty: str, package: Package, metadata: sa.MetaData
) -> None:
    revisions, held, forms = package.known(), {}, {}
    for time, revision in enumerate(revisions):
        with transaction(empty, "rebuild") as connection:
            package.upgrade(connection, revision)
            found = tables_of(connection)
            fill(connection, time, found)
            held[revision], forms[revision] = contents(connection, found), shape(found)
            assert all(len(rows) >= ROWS for rows in held[revision].values())
    with transaction(empty, "read") as connection:
        assert differences(connection, metadata) == []
    for revision in reversed(revisions):
        with transaction(empty, "rebuild") as connection:
            package.downgrade(connection, revision)
            found = tables_of(connection)
            assert shape(found) == forms[revision]
            now = contents(connection, found)
            for table, rows in held[revision].items():
                assert [row for row in rows if row not in now[table]] == [], table
                assert len(now[table]) == len(held[revisions[-1]].get(table, rows)), table
    with transaction(empty, "rebuild") as connection:
        package.downgrade(connection)
        assert not set(metadata.tables) & set(sa.inspect(connection).get_table_names())
        package.upgrade(connection)
        assert differences(connection, metadata) == []


async def test_money_of_the_first_ledger_is_the_same_amount_in_the_newest(empty: str) -> None:
    with transaction(empty, "rebuild") as connection:
        BOT.upgrade(connection, "0001")
        fill(connection)
        BOT.upgrade(connection)
        costs = set(connection.execute(sa.select(ledger.c.cost)).scalars())
    assert costs == {Decimal("0.000000000001"), None, Decimal("1234567.123456789012")}


async def test_a_migration_that_fails_half_way_leaves_the_database_as_it_was(
    engine: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "broken_schema" / "migrations"
    shutil.copytree(str(files("bot.storage") / "migrations"), folder)
    (tmp_path / "broken_schema" / "__init__.py").touch()
    newest = BOT.known()[-1]
    (folder / "versions" / "broken.py").write_text(BROKEN.format(newest=newest))
    monkeypatch.syspath_prepend(tmp_path)
    url = engine.url.render_as_string(hide_password=False)
    with transaction(url, "write") as connection:
        fill(connection)
    with transaction(url, "read") as connection:
        before, form = contents(connection), shape(tables_of(connection))
    with pytest.raises(StorageError, match="could not be brought up to date"):
        await upgrade(engine, "broken_schema:migrations", "alembic_version")
    with transaction(url, "read") as connection:
        assert contents(connection) == before
        assert shape(tables_of(connection)) == form
        assert BOT.found(connection) == newest


async def test_of_many_that_start_at_once_one_migrates(empty: str) -> None:
    engines = [open_engine(empty) for _ in range(4)]
    await asyncio.gather(*(upgrade(each, package.location, package.table) for each in engines for package in (BOT,)))
    with transaction(empty, "read") as connection:
        assert BOT.found(connection) == BOT.known()[-1]
        assert differences(connection, metadata) == []
    for each in engines:
        await each.dispose()


async def test_a_schema_that_is_newer_than_the_program_is_refused_with_the_way_out(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(sa.text("UPDATE knowledge_version SET version_num = '4711'"))
    with pytest.raises(NewerSchema) as caught:
        await upgrade(engine, KNOWLEDGE.location, KNOWLEDGE.table)
    for word in ("knowledge is 4711", f"0001 to {KNOWLEDGE.known()[-1]}", "newer version", "switchboard restore"):
        assert word in str(caught.value)
    async with engine.connect() as connection:
        kept = (await connection.execute(sa.text("SELECT version_num FROM knowledge_version"))).scalar_one()
    assert kept == "4711"


def differences(connection: Connection, metadata: sa.MetaData) -> list[object]:
    def is_own(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name in metadata.tables

    return list(compare_metadata(MigrationContext.configure(connection, opts={"include_name": is_own}), metadata))
