"""Lists of saved threads that versions before this one kept on each machine's disk."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from words_embedder import WordsEmbedder

from bot.config import Settings
from bot.sources import SAVED, Sources
from bot.storage.direct import transaction
from bot.storage.revisions import KNOWLEDGE
from knowledge.knowledge_base import open_knowledge
from knowledge.schema import saved


async def started(engine: AsyncEngine, disk: Path) -> set[tuple[str, str, str]]:
    """The list once a process has started on this disk."""
    knowledge = await open_knowledge(engine=engine, data_dir=disk, embedder=WordsEmbedder(), sources=())
    sources = Sources(engine, knowledge, Settings(data_dir=disk), lambda: datetime(2026, 11, 21, tzinfo=UTC))
    try:
        await sources.open()
    finally:
        await sources.close()
        await knowledge.close()
    async with engine.connect() as connection:
        return {tuple(row) for row in await connection.execute(sa.select(saved))}


def listed(disk: Path, text: str) -> Path:
    file = disk / "sources" / "saved-from-Slack-d89796f0" / "saved.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


async def test_the_lists_of_all_machines_are_taken_in_once(engine: AsyncEngine, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    files = [
        listed(one, json.dumps(["C0ENG/1.000100", "C0ENG/files/F0PLAN"])),
        listed(two, json.dumps(["C0ENG/1.000100", "D0MAYA/2.000100"])),
    ]
    first = {
        (SAVED.name, "C0ENG/1.000100", "C0ENG"),
        (SAVED.name, "C0ENG/files/F0PLAN", "C0ENG"),
    }
    assert await started(engine, one) == first
    assert await started(engine, two) == first | {(SAVED.name, "D0MAYA/2.000100", "D0MAYA")}
    assert not any(file.exists() for file in files)
    async with engine.begin() as connection:
        await connection.execute(sa.delete(saved))
    assert await started(engine, one) == set()  # what was removed since stays away


async def test_a_list_that_cannot_be_read_stays_where_it_is(sqlite_engine: AsyncEngine, tmp_path: Path) -> None:
    file = listed(tmp_path, '["C0ENG/1.0001')
    assert await started(sqlite_engine, tmp_path) == set()
    assert file.exists()


def test_where_no_list_was_kept_the_documents_that_are_known_are_the_list(engine: AsyncEngine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    with transaction(url, "rebuild") as connection:
        KNOWLEDGE.downgrade(connection, "0008")
        for name, kind in ((SAVED.name, "slack"), ("eng", "slack"), ("docs", "folder")):
            put = "INSERT INTO knowledge_sources (name, kind) VALUES (:name, :kind)"
            connection.execute(sa.text(put), {"name": name, "kind": kind})
        known = [(SAVED.name, "C0ENG/1.000100"), ("eng", "1.000100"), ("eng", "files/F0PLAN"), ("docs", "a/b.md")]
        for number, (source, path) in enumerate(known):
            put = (
                "INSERT INTO knowledge_documents (id, source, path, version, title, readers, digest) "
                "VALUES (:id, :source, :path, '', '', '', '')"
            )
            connection.execute(sa.text(put), {"id": str(number), "source": source, "path": path})
        unread = "INSERT INTO knowledge_problems (source, path, version, sentence) VALUES (:source, :path, '', '')"
        for source, path in ((SAVED.name, "C0ENG/files/F0LOCKED"), (SAVED.name, ""), ("docs", "a/c.md")):
            connection.execute(sa.text(unread), {"source": source, "path": path})
        KNOWLEDGE.upgrade(connection)
        rows = {tuple(row) for row in connection.execute(sa.select(saved))}
    assert rows == {
        (SAVED.name, "C0ENG/1.000100", "C0ENG"),
        (SAVED.name, "C0ENG/files/F0LOCKED", "C0ENG"),
    }
