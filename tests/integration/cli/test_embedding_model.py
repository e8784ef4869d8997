"""Knowledge searched with a model behind an endpoint: filled beside the local one, priced, and left again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import warm
from model_server import ModelServer, unauthorized

CARDS = """
[[providers]]
name = "house"
title = "House"
base_url = "{url}"
api_key_env = "HOUSE_API_KEY"

[[models]]
name = "house-embed"
id = "embed-1"
provider = "house"
task = "embedding"
context_window = 8192
dimensions = 64
rates = {{ input = 1000, output = 0 }}
"""


@pytest.fixture
def folder(tmp_path: Path, models_dir: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deploying.md").write_text("# Deploying\n\nTo roll back a release, run make undo.\n")
    (tmp_path / "docs" / "parking.md").write_text("# Parking\n\nBicycles are parked in the yard.\n")
    (tmp_path / "switchboard.toml").write_text(
        f'models_dir = "{models_dir}"\n[models]\ncards = "cards.toml"\n[[knowledge.folders]]\npath = "docs"\n'
    )
    return tmp_path


async def called(folder: Path, *arguments: str, model: str = "local") -> warm.Ended:
    env = {"SWITCHBOARD_KNOWLEDGE__EMBEDDING": model, "HOUSE_API_KEY": "sk-house-secret-key"}
    return await asyncio.to_thread(warm.switchboard, *arguments, cwd=folder, env=env)


async def switchboard(folder: Path, *arguments: str, model: str = "local") -> tuple[int, str]:
    done = await called(folder, *arguments, model=model)
    return done.status, done.out + done.err


async def best(folder: Path, model: str) -> str:
    done = await called(folder, "search", "roll back a release", "--k", "1", "--json", model=model)
    assert done.status == 0
    assert "index_rebuilt" not in done.err  # it was whole when the refresh ended
    path: str = json.loads(done.out)[0]["path"]
    return path


async def test_another_model_is_filled_beside_switched_to_and_left_again(folder: Path) -> None:
    async with ModelServer(("embed-1",)) as server:
        (folder / "cards.toml").write_text(CARDS.format(url=server.url))
        await switchboard(folder, "refresh")
        assert await best(folder, "house-embed") == "deploying.md"  # the local model answers on
        assert server.embedded == []
        _, said = await switchboard(folder, "refresh", model="house-embed")
        assert "searched with house/embed-1/64 now" in said
        assert len(server.embedded) == 2
        assert await best(folder, "house-embed") == "deploying.md"
        assert server.embedded[2:] == ["roll back a release"]
        _, said = await switchboard(folder, "report", "--weeks-ago", "0", "--csv")
        rows = [line for line in said.splitlines() if "embedding" in line]
        assert len(rows) == 2
        assert "sk-house-secret-key" not in said
        _, said = await switchboard(folder, "refresh")
        assert "all-MiniLM-L6-v2" in said
        assert await best(folder, "local") == "deploying.md"


async def test_an_endpoint_that_refuses_ends_in_a_sentence_and_words_are_searched_on(folder: Path) -> None:
    async with ModelServer(("embed-1",)) as server:
        (folder / "cards.toml").write_text(CARDS.format(url=server.url))
        await switchboard(folder, "refresh", model="house-embed")
        server.script_embeddings(*[unauthorized()] * 4)
        assert await best(folder, "house-embed") == "deploying.md"
        (folder / "docs" / "new.md").write_text("# New\n\nWords that nobody has embedded.\n")
        _, said = await switchboard(folder, "refresh", model="house-embed")
        assert "HOUSE_API_KEY" in said
        assert "Traceback" not in said
        assert "sk-house-secret-key" not in said


async def test_doctor_asks_the_endpoint(folder: Path) -> None:
    async with ModelServer(("embed-1",)) as server:
        (folder / "cards.toml").write_text(CARDS.format(url=server.url))
        await switchboard(folder, "refresh")
        _, said = await switchboard(folder, "doctor", model="house-embed")
        assert "house/embed-1/64 answers, and has not read everything yet" in said
        server.script_embeddings(*[unauthorized()] * 4)
        status, said = await switchboard(folder, "doctor", model="house-embed")
        assert status == 1
        assert "HOUSE_API_KEY" in said
        assert "sk-house-secret-key" not in said
