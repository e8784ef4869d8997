"""A bench to evaluate on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from evaluation_bench import DOCUMENTS, Bench
from model_server import ModelServer
from server_cards import JUDGE, SHORT_ANSWERS, UNPRICED, cards

from bot import evaluating
from bot.config import Folder, Knowledge, Models, Settings
from bot.models.retry import Patience


@pytest.fixture
async def bench(tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(evaluating, "PATIENCE", Patience(first_pause=0.0))
    (tmp_path / "docs").mkdir()
    for name, text in DOCUMENTS.items():
        (tmp_path / "docs" / name).write_text(text, "utf-8")
    async with ModelServer(("test-model", "judge", "unpriced")) as server:
        (tmp_path / "cards.toml").write_text(cards(server.url, SHORT_ANSWERS, JUDGE, UNPRICED), "utf-8")
        settings = Settings(
            data_dir=tmp_path / "data",
            models_dir=models_dir,
            knowledge=Knowledge(folders=(Folder(path=tmp_path / "docs", name="handbook"),)),
            models=Models(cards=tmp_path / "cards.toml"),
        )
        bench = Bench(tmp_path, settings, server)
        bench.golden()
        yield bench
