"""A backup that is made on one machine and restored on another."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import warm
from chroma_server import OwnChroma
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.config import Settings
from bot.errors import UnusableBackup
from bot.left_vectors import house_of
from bot.lock import DataFolderLock
from knowledge.chroma import ChromaServer
from knowledge.errors import IndexBroken
from knowledge.index import VectorIndex
from knowledge.server_home import ServerHome, of_house

QUESTION = "How do I roll back a release?"
DOCUMENT = "# Rolling back a release\nTo roll back a release, run `undo` and name the release that worked.\n"
RECORDS = '{"id": "1", "title": "Printers", "text": "The printer on the third floor is called Gutenberg."}\n'


def machine(folder: Path, models_dir: Path) -> Path:
    folder.mkdir()
    (folder / "switchboard.toml").write_text(f'models_dir = "{models_dir}"\n[[knowledge.folders]]\npath = "docs"\n')
    return folder


def switchboard(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False, input=typed)


def answers(*texts: str) -> list[object]:
    told = [json.loads(switchboard("ask", text, "--json").stdout) for text in texts]
    return [(one["text"], [(c["source"], c["title"], c["quote"]) for c in one["citations"]]) for one in told]


def test_a_backup_restored_on_another_machine_answers_the_same_questions(
    tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch, empty_postgres: str
) -> None:
    first, second = machine(tmp_path / "first", models_dir), machine(tmp_path / "second", models_dir)
    monkeypatch.chdir(first)
    (first / "docs").mkdir()
    (first / "docs" / "deploying.md").write_text(DOCUMENT)
    (first / "printers.jsonl").write_text(RECORDS)
    switchboard("knowledge", "import", "printers.jsonl")
    asked = (QUESTION, "What is the printer on the third floor called?")
    before = answers(*asked)
    assert "undo" in str(before[0])
    assert "Gutenberg" in str(before[1])
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_not-in-a-backup")
    lock = DataFolderLock(Settings().data_dir)
    lock.acquire()  # as a bot that runs
    told = switchboard("backup", "monday.zip").stdout
    assert "Backed up to monday.zip" in told
    lock.release()
    assert b"not-in-a-backup" not in (first / "monday.zip").read_bytes()

    monkeypatch.chdir(second)
    monkeypatch.setenv("SWITCHBOARD_STORAGE__URL", empty_postgres)
    assert "is whole" in switchboard("restore", str(first / "monday.zip")).stdout
    (first / "docs" / "deploying.md").unlink()
    (first / "printers.jsonl").unlink()
    assert answers(*asked) == before
    assert "backed up" not in switchboard("audit", "--json").stdout
    assert "restored" in switchboard("audit", "--json").stdout

    refused = warm.switchboard("restore", str(first / "monday.zip"), cwd=second)
    assert refused.status == 1
    assert "--replace" in refused.err
    with pytest.raises(UnusableBackup, match="Nothing was restored"):
        switchboard("restore", str(first / "monday.zip"), "--replace", typed="n\n")
    assert answers(QUESTION) == before[:1]
    assert "Restored." in switchboard("restore", str(first / "monday.zip"), "--replace", typed="y\n").stdout
    assert answers(QUESTION) == before[:1]


def test_the_vectors_of_a_replaced_database_go_from_the_chroma_server_or_it_is_said_where_they_are(
    tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch, chroma: OwnChroma
) -> None:
    place = machine(tmp_path / "here", models_dir)
    monkeypatch.chdir(place)
    monkeypatch.setenv("SWITCHBOARD_KNOWLEDGE__CHROMA", chroma.address)
    (place / "printers.jsonl").write_text(RECORDS)
    switchboard("knowledge", "import", "printers.jsonl")
    switchboard("backup", "monday.zip")
    house = asyncio.run(house_of(Settings()))
    home = ServerHome(ChromaServer(chroma.address), "a model")
    home.house = str(house)
    index = VectorIndex(home, 4)
    index.recreate()
    monkeypatch.setenv("SWITCHBOARD_KNOWLEDGE__CHROMA", "http://127.0.0.1:1")
    told = " ".join(switchboard("restore", "monday.zip", "--replace", "--yes").stdout.split())
    assert "Restored." in told
    assert "http://127.0.0.1:1 cannot be reached" in told
    assert f"begin with {of_house(home.house)}" in told
    assert index.count() == 0
    monkeypatch.setenv("SWITCHBOARD_KNOWLEDGE__CHROMA", chroma.address)
    home.house = str(asyncio.run(house_of(Settings())))
    left = VectorIndex(home, 4)
    left.recreate()
    assert "still there" not in switchboard("restore", "monday.zip", "--replace", "--yes").stdout
    assert index.count() == 0  # under a name that is no more
    with pytest.raises(IndexBroken, match="does not exist"):
        left.count()
    left.close()
    index.close()
