"""`switchboard models`: the list and its filters, one card, what servers say, and what doctor makes of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import warm
from model_server import ModelServer

CARDS = """
[[providers]]
name = "house"
title = "House"
base_url = "{url}"
[[models]]
name = "small"
provider = "house"
context_window = 8000
languages = ["nl"]
rates = {{ input = "0.20", output = "0.90" }}
[[models]]
name = "large"
provider = "house"
context_window = 200000
"""


@pytest.fixture
def folder(tmp_path: Path, models_dir: Path) -> Path:
    (tmp_path / "switchboard.toml").write_text(f'models_dir = "{models_dir}"\n[models]\ncards = "cards.toml"\n')
    return tmp_path


async def switchboard(folder: Path, *arguments: str) -> tuple[int, str]:
    done = await asyncio.to_thread(warm.switchboard, *arguments, cwd=folder, env={"COLUMNS": "200"})
    assert "Traceback" not in done.err
    return done.status, done.out + done.err


async def test_the_models_are_listed_narrowed_down_shown_and_asked_for(folder: Path) -> None:
    async with ModelServer(("small", "large", "new")) as server:
        (folder / "cards.toml").write_text(CARDS.format(url=server.url))
        status, said = await switchboard(folder, "models", "list", "languages:nl", "max_price:1", "task:text")
        assert status == 0
        assert [line.split()[0] for line in said.splitlines()[1:2]] == ["small"]
        assert "$0.20 / $0.90" in said
        assert "large" not in said
        assert "Left out because it is not known: the" in said
        status, said = await switchboard(folder, "models", "list", "provider:house", "--json")
        assert [card["name"] for card in json.loads(said)] == ["small", "large"]
        assert json.loads(said)[1]["rates"] is None
        status, said = await switchboard(folder, "models", "list", "task:txt")
        assert (status, "Did you mean “text”?" in said) == (1, True)
        status, said = await switchboard(folder, "models", "starcoder2-15b")
        assert status == 0
        for fact in (
            "Licence: BigCode OpenRAIL-M",
            "46.3 (2026-11-21, https://huggingface.co",
            "ollama pull starcoder2",
        ):
            assert fact in said

        status, said = await switchboard(folder, "models", "sync")
        assert status == 0
        assert "House  3 models, asked for the first time" in said
        assert "in no card: new" in said
        assert "No model of yours ends within 90 days." in said
        server.models, server.about = ("small",), {"small": {"shutdown_date": "2020-02-02"}}
        status, said = await switchboard(folder, "models", "sync", "--json")
        news = json.loads(said)
        assert (status, news["matters"]) == (1, True)
        assert {end["card"] for end in news["shutdowns"]} == {"small", "large"}
        assert next(one for one in news["endpoints"] if one["provider"] == "house")["gone"] == ["large", "new"]

        # What the server said holds in every command from then on.
        _, said = await switchboard(folder, "models", "small")
        assert "“small” was shut down on 02 February 2020" in said
        _, said = await switchboard(folder, "doctor", "--json")
        found = {finding["name"]: finding for finding in json.loads(said)}
        assert found["model: small"]["sentence"].startswith("It ended on 2020-02-02, as House said on ")
        assert found["model: small"]["way_out"] == "Choose another: `/model list` shows them."
        assert "missing from House's list" in found["model: large"]["sentence"]
        assert "model: gpt-4.1-mini" not in found  # nobody has a key for it
