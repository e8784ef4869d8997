"""Imported files, on two machines that share nothing but the database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from made_up_secrets import made_up
from service_server import look
from sqlalchemy.ext.asyncio import AsyncEngine
from words_embedder import WordsEmbedder

from bot.config import Settings
from bot.sources import Sources, imported, imports_of
from bot.storage.tables import added_sources
from knowledge import access
from knowledge.documents import document_id
from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.forgetting import forget_documents
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.schema import imports

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TOKEN = next(secret for kind, _, secret in made_up() if kind == "GitHub token")
VPN = {"id": "vpn", "title": "VPN", "text": "The VPN is reached at port 4711.", "tags": ["it", "net"]}
PAY = {"id": "pay", "text": f"Salaries are paid on Fridays with {TOKEN}.", "readers": ["channel:C0PAY"]}


@dataclass(frozen=True)
class Machine:
    """One process with a disk of its own."""

    sources: Sources
    knowledge: KnowledgeBase
    disk: Path

    async def bring(self, name: str, *records: Mapping[str, object] | str) -> None:
        """Imports a file, which is gone afterwards."""
        file = written(self.disk / f"{name}.jsonl", *records)
        spec = await imported(file, name, access.PUBLIC)
        if self.sources.is_taken(name):
            await self.sources.change(spec, by="console", file=file)
        else:
            await self.sources.add(spec, "console", file)
        file.unlink()

    async def found(self, text: str, *scopes: str) -> list[str]:
        found = await self.knowledge.search(text, scopes=access.PUBLIC | frozenset(scopes))
        return [passage.text for passage in found.passages]


def written(file: Path, *records: Mapping[str, object] | str) -> Path:
    lines = (each if isinstance(each, str) else json.dumps(each) for each in records)
    file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return file


@asynccontextmanager
async def machine(engine: AsyncEngine, disk: Path) -> AsyncIterator[Machine]:
    disk.mkdir(exist_ok=True)
    knowledge = await open_knowledge(engine=engine, data_dir=disk, embedder=WordsEmbedder(), sources=())
    sources = Sources(engine, knowledge, Settings(data_dir=disk), lambda: NOW)
    try:
        await sources.open()
        yield Machine(sources, knowledge, disk)
    finally:
        await sources.close()
        await knowledge.close()


async def kept(engine: AsyncEngine) -> list[sa.Row[tuple[str, str, str]]]:
    async with engine.connect() as connection:
        query = sa.select(imports.c.path, imports.c.record, imports.c.problem).order_by(imports.c.position)
        return list(await connection.execute(query))


async def test_what_one_machine_imports_another_one_reads_and_forgets(engine: AsyncEngine, tmp_path: Path) -> None:
    async with machine(engine, tmp_path / "one") as one, machine(engine, tmp_path / "two") as two:
        await one.bring("faq", VPN, PAY, '{"id": 3}', VPN)
        await two.sources.sync()
        (report,) = (await two.knowledge.refresh(["faq"])).sources
        assert [(problem.path, problem.sentence) for problem in report.problems] == [
            ("line 3", "Line 3 was not imported: it has no text."),
            ("line 4", "Line 4 was not imported: an earlier line has the id “vpn” too, and is the one that counts."),
        ]
        assert await two.found("VPN port") == ["The VPN is reached at port 4711."]
        assert "Salaries" not in str(await two.found("salaries"))
        salaries = "Salaries are paid on Fridays with [secret: GitHub token]."
        assert salaries in await two.found("salaries", "channel:C0PAY")
        assert TOKEN not in str(await kept(engine))

        (source,) = (each for each in two.knowledge.sources if each.name == "faq")
        before = await look(source)
        await one.bring("faq", VPN | {"text": "The VPN is reached at port 4712."}, PAY)
        with pytest.raises(SourceUnavailable, match="imported the file anew"):
            await look(source)
        with pytest.raises(DocumentUnreachable, match="imported anew"):
            await source.read(before.listings["vpn"])
        await two.sources.sync()
        (report,) = (await two.knowledge.refresh(["faq"])).sources
        assert (report.changed, report.unchanged, report.removed) == (1, 1, 0)
        assert await two.found("VPN port") == ["The VPN is reached at port 4712."]

        await forget_documents(engine, [document_id("faq", "vpn")], NOW, for_good=True)
        assert [row.path for row in await kept(engine)] == ["pay"]
        await two.sources.forget("faq", by="U0MAYA")
        assert await kept(engine) == []


async def test_a_file_that_holds_no_records_is_refused_and_what_was_imported_stays(
    sqlite_engine: AsyncEngine, tmp_path: Path
) -> None:
    async with machine(sqlite_engine, tmp_path / "one") as one:
        for broken, why in (
            (written(tmp_path / "a.jsonl", '{"id": 3}'), r"No line of a\.jsonl .* Line 1 was not imported"),
            (written(tmp_path / "b.csv", "id,text", 'vpn,"never closed'), "CSV up to line 2"),
            (written(tmp_path / "c.jsonl"), "holds no record"),
        ):
            with pytest.raises(SourceUnavailable, match=why):
                await one.sources.add(await imported(broken, "faq", access.PUBLIC), "console", broken)
            assert not one.sources.is_taken("faq")
        await one.bring("faq", VPN)
        file = tmp_path / "a.jsonl"
        spec = await imported(file, "faq", access.PUBLIC)
        with pytest.raises(SourceUnavailable, match=r"No line of a\.jsonl"):
            await one.sources.change(spec, by="console", file=file)
        await one.knowledge.refresh(["faq"])
        assert await one.found("VPN port") == ["The VPN is reached at port 4711."]
        with pytest.raises(SourceUnavailable, match=r"must end in one of \.jsonl"):
            await imported(tmp_path / "notes.docx", "faq", access.PUBLIC)
        with pytest.raises(SourceUnavailable, match=r"cannot be imported \(No such file or directory\)"):
            await imported(tmp_path / "gone.csv", "faq", access.PUBLIC)


async def test_a_file_that_an_older_version_kept_on_its_disk_is_taken_in_at_the_start(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    folder = imports_of(Settings(data_dir=tmp_path / "one"))
    folder.mkdir(parents=True)
    elsewhere = written(tmp_path / "elsewhere.jsonl", VPN | {"id": "elsewhere"})
    good, broken = written(folder / "faq-1.jsonl", VPN), written(folder / "old-2.jsonl", "{")
    row = {"kind": "import", "readers": "everyone", "added_by": "console", "added_at": NOW}
    rows = [{"name": file.stem, "options": {"path": str(file)}, **row} for file in (good, broken, elsewhere)]
    async with engine.begin() as connection:
        await connection.execute(sa.insert(added_sources), rows)
    async with machine(engine, tmp_path / "two") as two:  # whose disk has none of them
        assert await kept(engine) == []
        async with machine(engine, tmp_path / "one"):
            assert not good.exists()
            assert broken.exists()
            assert elsewhere.exists()
        await two.sources.sync()
        await two.knowledge.refresh()
        assert "The VPN is reached at port 4711." in await two.found("VPN port")
        await two.knowledge.forget("old-2")
    async with machine(engine, tmp_path / "one") as one:
        await one.sources.forget("old-2", by="console")
        assert not broken.exists()
