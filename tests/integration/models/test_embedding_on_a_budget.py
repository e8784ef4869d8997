"""Knowledge that is searched with a paid model where a hard budget has no room for it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from model_server import ModelServer
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.budgets import Budgets
from bot.costs.ledger import Ledger
from bot.costs.prices import PriceBook
from bot.embedder import EndpointEmbedder
from bot.gate import Gate
from bot.models.catalogue import load_catalogue
from bot.models.registry import Models
from knowledge.embedding.minilm import MiniLM
from knowledge.knowledge_base import open_knowledge
from knowledge.sources.folder import FolderSource

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
CARDS = """
[[providers]]
name = "house"
base_url = "{url}"
local = true

[[models]]
name = "house-embed"
id = "embed-1"
provider = "house"
task = "embedding"
context_window = 8192
dimensions = 64
rates = {{ input = 1000, output = 0 }}
"""


async def test_documents_wait_whole_for_a_budget_that_has_room_and_words_are_searched_meanwhile(
    sqlite_engine: AsyncEngine, tmp_path: Path, models_dir: Path
) -> None:
    docs, cards, budgets = tmp_path / "docs", tmp_path / "cards.toml", Budgets(sqlite_engine)
    docs.mkdir()
    (docs / "deploying.md").write_text("# Deploying\n\nTo roll back a release, run make undo.\n")
    everyone = frozenset({"everyone"})

    async def hard(amount: int) -> None:
        await budgets.set("purpose", "embedding", "month", Decimal(amount), hard=True, by="U0ADA", at=NOON)

    async with ModelServer(("embed-1",)) as server:
        cards.write_text(CARDS.format(url=server.url))
        minilm = MiniLM(models_dir)
        models = Models(load_catalogue(cards), keys={}, embedder=minilm)
        gate = Gate(ledger=Ledger(sqlite_engine, lambda: NOON, budgets), prices=PriceBook(), clock=lambda: NOON)
        embedder = EndpointEmbedder(models.embedding("house-embed"), gate, minilm)
        source = FolderSource(name="docs", path=docs)
        knowledge = await open_knowledge(engine=sqlite_engine, data_dir=tmp_path, embedder=embedder, sources=[source])
        await hard(0)
        report = await knowledge.refresh()
        (problem,) = report.problems
        assert (
            "“house-embed” was not asked: the monthly budget of $0 for the purpose “embedding”" in problem[1].sentence
        )
        (status,) = await knowledge.status()
        assert (status.documents, status.chunks, server.embedded) == (0, 0, [])
        await hard(10)
        assert (await knowledge.refresh()).problems == ()
        (status,) = await knowledge.status()
        assert (status.documents, status.problems) == (1, ())
        paid = len(server.embedded)
        await hard(0)
        found = await knowledge.search("roll back a release", scopes=everyone, k=3)
        assert "make undo" in found.passages[0].text
        assert len(server.embedded) == paid, "found by its words alone"
        assert await budgets.verify(NOON) == ()
        await knowledge.close()
        await models.close()
        await minilm.close()
