from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage import tables
from knowledge import schema

PACKAGES = pytest.mark.parametrize(
    ("package", "folder", "metadata"),
    [("bot.storage", "migrations", tables.metadata), ("knowledge", "migrations", schema.metadata)],
    ids=["bot", "knowledge"],
)
QUESTION = sa.text(
    "INSERT INTO questions (id, text, asker, workspace, channel, place_kind, scopes, private, asked_at) "
    "VALUES ('Q1', 'Where do I get a VPN?', 'U1', 'T1', 'C1', 'channel', '[]', false, '2026-03-01 09:00:00+00:00')"
)


@PACKAGES
async def test_every_migration_can_be_taken_back_and_made_again(
    engine: AsyncEngine, package: str, folder: str, metadata: sa.MetaData
) -> None:
    def back_and_forth(connection: Connection) -> None:
        config = migrations(connection, package, folder)
        newest_first = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
        for revision in newest_first[1:]:
            command.downgrade(config, revision)
            command.upgrade(config, "+1")
            command.downgrade(config, revision)
        command.downgrade(config, "base")
        assert not set(metadata.tables) & set(sa.inspect(connection).get_table_names())
        for revision in reversed(newest_first):
            command.upgrade(config, revision)
        assert differences(connection, metadata) == []

    async with engine.begin() as connection:
        await connection.run_sync(back_and_forth)


async def test_what_an_older_version_kept_is_there_after_each_step(engine: AsyncEngine) -> None:
    def back_and_forth(connection: Connection) -> None:
        config = migrations(connection, "bot.storage", "migrations")
        command.downgrade(config, "0001")
        connection.execute(QUESTION)
        command.upgrade(config, "head")
        command.downgrade(config, "0001")
        command.upgrade(config, "head")

    async with engine.begin() as connection:
        await connection.run_sync(back_and_forth)
        asked = (await connection.execute(sa.select(tables.questions.c.text, tables.questions.c.asked_at))).all()
    (question,) = asked
    assert question.text == "Where do I get a VPN?"
    assert question.asked_at == datetime(2026, 3, 1, 9, tzinfo=UTC)


def migrations(connection: Connection, package: str, folder: str) -> Config:
    """What alembic needs to run a package's migrations over this connection, as `bot.storage.engine` does."""
    config = Config()
    config.set_main_option("script_location", str(files(package) / folder))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["version_table"] = {"bot.storage": "bot_version", "knowledge": "knowledge_version"}[package]
    return config


def differences(connection: Connection, metadata: sa.MetaData) -> list[object]:
    def is_own(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name in metadata.tables

    return list(compare_metadata(MigrationContext.configure(connection, opts={"include_name": is_own}), metadata))
