"""`switchboard learning`, and what doctor and the report say of who chooses."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from judging import alike, answered, choice, telling
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.config import load_settings
from bot.core import Core, open_core
from bot.errors import UnknownEntry
from bot.learning.labels import Signal

WRITER = """
[[providers]]
name = "house"
title = "House"
base_url = "http://127.0.0.1:9/v1"

[[models]]
name = "writer"
provider = "house"
context_window = 8192
summary = "A model for tests."
"""


@pytest.fixture
def folder(tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "cards.toml").write_text(WRITER)
    (tmp_path / "switchboard.toml").write_text(
        f'models_dir = "{models_dir}"\n[models]\ncards = "cards.toml"\n[[knowledge.folders]]\npath = "docs"\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def switchboard(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


async def learn(core: Core) -> None:
    """Two evaluations, of which the second one shows no difference, and two labels."""
    at = core.clock()
    for number, signal in enumerate((Signal.UP, Signal.CORRECTED)):
        await answered(core.engine, f"q{number}", choice(), at=at - timedelta(minutes=1))
        await core.labels.add(f"q{number}", "U1", signal)
    await core.learning.take(telling())
    await core.learning.take(replace(alike(), at=at))


def prepared() -> None:
    async def prepare() -> None:
        async with open_core(load_settings()) as core:
            await learn(core)

    asyncio.run(prepare())


def findings() -> dict[str, dict[str, str]]:
    return {found["name"]: found for found in json.loads(switchboard("doctor", "--json").stdout)}


def test_before_anything_was_learned_every_place_says_so(folder: Path) -> None:
    told = switchboard("learning").stdout
    assert "Not yet measured on your questions: the shipped estimates choose. 0 of at least 30 golden" in told
    assert "Nobody has judged an answer yet." in told
    assert "Who chooses has never changed." in told
    found = findings()["learning"]
    assert found["state"] == "note"
    assert found["sentence"].startswith("Not yet measured on your questions")
    assert "docs/learning.md" in found["way_out"]


def test_labels_means_and_changes_are_listed_and_the_newest_is_undone(folder: Path) -> None:
    prepared()
    told = switchboard("learning").stdout
    assert told.startswith("No difference worth routing for: everything goes to rag · writer.")
    assert "Answers: 1 thumbs up, 1 corrected." in told
    assert "rag · writer: mean quality 0." in told
    lines = told.splitlines()
    (second,) = [line for line in lines if line.startswith("2  ")]
    (first,) = [line for line in lines if line.startswith("1  ")]
    assert second.endswith("best fixed (rag · writer), by evaluation")
    assert first.endswith("learned, by evaluation")
    assert lines.index(second) < lines.index(first)
    assert "at worst −" in lines[lines.index(second) + 1]
    assert "at least +0." in lines[lines.index(first) + 1]
    assert "`switchboard learning undo 2` undoes the newest." in told
    undone = switchboard("learning", "undo", "2").stdout
    assert "Entry 2 is undone; that is entry 3." in undone
    assert "Learning is used:" in undone
    told = switchboard("learning").stdout
    assert "Entry 2 was undone, which holds until there are new numbers." in told
    assert "Undone 20" in told


def test_what_cannot_be_undone_is_said_with_what_can(folder: Path) -> None:
    prepared()
    with pytest.raises(UnknownEntry, match=r"Entry 1 was followed by others.*`switchboard learning undo 2`"):
        switchboard("learning", "undo", "1")


def test_doctor_and_the_report_say_who_chooses(folder: Path) -> None:
    prepared()
    sentence = "No difference worth routing for: everything goes to rag · writer."
    found = findings()["learning"]
    assert (found["state"], found["sentence"]) == ("ok", sentence)
    with (folder / "switchboard.toml").open("a") as config:
        config.write("[selection]\nlearning = false\n")
    assert findings()["learning"]["sentence"].startswith("Learning is off (selection.learning)")


def test_where_the_best_fixed_ways_model_is_gone_the_sentence_says_so_and_who_chooses(folder: Path) -> None:
    prepared()
    (folder / "cards.toml").write_text(WRITER.replace('"writer"', '"other"'))
    sentence = (
        "No difference worth routing for, but “writer” of the best fixed way (rag · writer) cannot be called now: the "
        "shipped estimates choose. `switchboard evaluate` finds another one."
    )
    assert findings()["learning"]["sentence"] == sentence
    assert sentence in " ".join(switchboard("report").stdout.split())


def test_shadow_runs_are_told_with_what_they_may_cost_and_that_they_are_off(folder: Path) -> None:
    told = " ".join(switchboard("learning").stdout.split())
    assert (
        "Shadow runs: 2% of the questions are also answered another way, never shown; $0 of this week's $1.00 is "
        "spent or held; no model judges them (selection.judge)." in told
    )
    with (folder / "switchboard.toml").open("a") as config:
        config.write("[selection]\nshadow_share = 0\n")
    assert "Shadow runs are off (selection.shadow_share = 0)." in switchboard("learning").stdout
