"""What people saved from Slack, in several processes on one database: one list for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.ext.asyncio import AsyncEngine
from words_embedder import WordsEmbedder

from deploy.workspace.driver import Driver
from knowledge.access import PUBLIC
from knowledge.database import Database
from knowledge.documents import document_id
from knowledge.forgetting import forget_documents
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.sources.slack import SavedSource
from knowledge.sources.slack.api import SlackApi
from knowledge.sources.slack.threads import when

ENG = "C0ENG"
SAVED = "saved from Slack"
MEMBERS = frozenset({f"channel:{ENG}"})
GATEWAY = "The gateway of the arm controller listens on port 8443"
SPARE = "The spare joints are in the second drawer on the left"


@dataclass(frozen=True)
class Process:
    """One process with a disk of its own."""

    source: SavedSource
    knowledge: KnowledgeBase

    async def save(self, path: str) -> None:
        await self.source.save([path])
        await self.knowledge.follow(SAVED, path)

    async def remove(self, path: str) -> None:
        await self.source.remove([path])
        await self.knowledge.follow(SAVED, path)

    async def titles(self, scopes: frozenset[str] = PUBLIC) -> list[str]:
        return sorted(title for title, _, _ in await self.knowledge.titles(scopes))


@dataclass(frozen=True)
class Machines:
    """Opens processes on one database."""

    engine: AsyncEngine
    client: AsyncWebClient
    folder: Path

    @asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[Process]:
        folder = self.folder / name
        source = SavedSource(SAVED, SlackApi(self.client), folder / "cache", Database(self.engine))
        knowledge = await open_knowledge(
            engine=self.engine, data_dir=folder, embedder=WordsEmbedder(), sources=[source]
        )
        try:
            yield Process(source, knowledge)
        finally:
            await knowledge.close()


@pytest.fixture
def machines(engine: AsyncEngine, client: AsyncWebClient, tmp_path: Path) -> Machines:
    return Machines(engine, client, tmp_path)


async def test_what_one_process_removes_no_other_one_finds(machines: Machines, maya: Driver) -> None:
    path = f"{ENG}/{await maya.post(ENG, GATEWAY)}"
    async with machines.open("one") as one, machines.open("two") as two:
        await one.save(path)
        await two.knowledge.refresh()
        assert await two.titles() == [GATEWAY]
        assert (await one.knowledge.search("gateway port", scopes=PUBLIC)).passages
        await one.remove(path)
        for _ in range(2):
            assert await two.titles() == []
            for each in (one, two):
                assert not (await each.knowledge.search("gateway port", scopes=PUBLIC)).passages
            await two.knowledge.refresh()
    async with machines.open("three") as three:  # nor one that starts later, whose disk is empty
        await three.knowledge.refresh()
        assert await three.titles() == []


async def test_an_edit_and_a_closed_channel_are_followed_whichever_process_hears_of_them(
    machines: Machines, maya: Driver
) -> None:
    ts = await maya.post(ENG, GATEWAY)
    path = f"{ENG}/{ts}"
    async with machines.open("one") as one, machines.open("two") as two:
        assert await two.source.saved() == frozenset()  # it had looked before
        await one.save(path)
        assert await two.source.saved(ENG) == {path}
        assert await two.source.saved("C0OTHER") == frozenset()
        await maya.edit({"channel": ENG, "ts": ts}, GATEWAY.replace("8443", "9443"))
        await two.knowledge.follow(SAVED, path)
        assert await one.titles() == [GATEWAY.replace("8443", "9443")]
        await maya.control("set_channel", channel=ENG, private=True)
        await two.knowledge.follow(SAVED, path)
        assert await one.titles() == []
        assert len(await one.titles(MEMBERS)) == 1
        await maya.delete({"channel": ENG, "ts": ts})
        await two.knowledge.follow(SAVED, path)
        assert await one.titles(MEMBERS) == []
        assert await one.source.saved() == frozenset()


async def test_a_refresh_of_a_third_process_drops_nothing_that_was_saved_since(
    machines: Machines, maya: Driver
) -> None:
    first, second, late = [f"{ENG}/{await maya.post(ENG, text)}" for text in (GATEWAY, SPARE, f"{SPARE}, too")]
    async with machines.open("one") as one, machines.open("two") as two, machines.open("three") as three:
        await one.save(first)
        await three.knowledge.refresh()
        await two.save(second)
        await three.knowledge.refresh()
        assert await one.titles() == [GATEWAY, SPARE]
        # Saved while the third already lists.
        listed, go_on = asyncio.Event(), asyncio.Event()
        look = three.source._look

        async def slowly(path: str, known: str | None) -> object:
            listed.set()
            await go_on.wait()
            return await look(path, known)

        three.source._look = slowly  # type: ignore[method-assign, assignment]
        running = asyncio.create_task(three.knowledge.refresh())
        await asyncio.wait_for(listed.wait(), 10)
        await one.save(late)
        go_on.set()
        await running
        assert await two.titles() == [GATEWAY, SPARE, f"{SPARE}, too"]


async def test_processes_that_save_and_remove_at_once_undo_nothing_of_each_other(machines: Machines) -> None:
    paths = [f"{ENG}/{number}.000100" for number in range(40)]
    async with machines.open("one") as one, machines.open("two") as two:
        await one.source.save(paths[:20])
        new = await asyncio.gather(one.source.save(paths[:30]), two.source.save(reversed(paths[20:])))
        assert sorted([*new[0], *new[1]]) == sorted(paths[20:])  # each was new to one of them
        await asyncio.gather(
            *(two.source.remove([path]) for path in paths[::2]), *(one.source.save([path]) for path in paths[1::2])
        )
        assert await one.source.saved() == await two.source.saved() == set(paths[1::2])


async def test_a_saved_thread_that_was_forgotten_is_on_the_list_no_more(machines: Machines, maya: Driver) -> None:
    kept, gone = [f"{ENG}/{await maya.post(ENG, text)}" for text in (GATEWAY, SPARE)]
    async with machines.open("one") as one:
        await one.save(kept)
        await one.save(gone)
        now = when(gone.rpartition("/")[2])
        await forget_documents(machines.engine, [document_id(SAVED, gone)], now, for_good=False)
        assert await one.source.saved() == {kept}
        await one.knowledge.refresh()
        assert await one.titles() == [GATEWAY]
