"""Repositories and imported files in a knowledge base, from the first refresh on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from git_server import Repository

from knowledge.access import PUBLIC
from knowledge.knowledge_base import KnowledgeBase
from knowledge.sources.git.source import GitSource
from knowledge.sources.records.source import RecordsSource

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Place

Open = Callable[..., GitSource]


async def found(base: KnowledgeBase, question: str, scopes: frozenset[str] = PUBLIC) -> dict[str, str | None]:
    result = await base.search(question, scopes=scopes)
    return {passage.text: passage.url for passage in result.passages}


async def test_a_commit_changes_what_is_found_and_costs_what_it_changed(
    sqlite_place: Place, repository: Repository, opened: Open
) -> None:
    source = opened(repository.path, link_base="https://forge.example.org/app/blob/main")
    async with sqlite_place.open(source) as base:
        assert (await base.refresh()).sources[0].added == 2
        url = (await found(base, "When do deploys happen?"))["On Tuesdays."]
        assert url is not None
        assert url.startswith("https://forge.example.org/app/blob/main/docs/deploy.md")
        repository.commit({"docs/deploy.md": "# Deploys\n\nOn Mondays.", "README.md": None})
        report = (await base.refresh()).sources[0]
        assert (report.seen, report.changed, report.removed, report.problems) == (1, 1, 1, ())
        texts = await found(base, "When do deploys happen?")
        assert "On Mondays." in texts
        assert "On Tuesdays." not in texts
        assert "Read me first." not in texts


async def test_what_could_not_be_read_from_a_damaged_copy_is_read_by_the_next_refresh(
    sqlite_place: Place, repository: Repository, opened: Open, cache: Path
) -> None:
    source = opened(repository.path)
    read = source.read
    async with sqlite_place.open(source) as base:

        async def spoil_first(*arguments: object) -> object:
            for pack in cache.rglob("*.pack"):
                pack.chmod(0o600)
                pack.write_bytes(b"PACK rotten")
            return await read(*arguments)  # type: ignore[arg-type]

        source.read = spoil_first  # type: ignore[method-assign, assignment]
        report = (await base.refresh()).sources[0]
        assert len(report.problems) == 2
        source.read = read  # type: ignore[method-assign]
        report = (await base.refresh()).sources[0]
        assert (report.added, report.problems) == (2, ())


async def test_an_imported_record_is_found_by_its_readers_alone_and_an_import_again_follows(
    sqlite_place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "faq.jsonl"
    lines: list[dict[str, object]] = [
        {"id": "vpn", "text": "The VPN key is at the desk.", "url": "https://faq.example.org/vpn"},
        {"id": "pay", "text": "The payroll runs on the 25th.", "readers": ["channel:C0FIN"]},
    ]
    file.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    async with sqlite_place.open(RecordsSource("faq", file, PUBLIC)) as base:
        await base.refresh()
        assert await found(base, "Where is the VPN key?") == {
            "The VPN key is at the desk.": "https://faq.example.org/vpn"
        }
        assert "The payroll runs on the 25th." in await found(base, "When is payroll?", frozenset({"channel:C0FIN"}))
        lines[0]["text"] = "The VPN key is in the safe."
        file.write_text("\n".join(map(json.dumps, lines[:1])), "utf-8")
        report = (await base.refresh()).sources[0]
        assert (report.changed, report.removed) == (1, 1)
        assert list(await found(base, "Where is the VPN key?")) == ["The VPN key is in the safe."]
        assert await found(base, "When is payroll?", frozenset({"channel:C0FIN"})) == {}
