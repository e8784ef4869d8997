"""What an admin types to have somebody or something forgotten, and what is printed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import warm
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.lock import DataFolderLock
from bot.storage.direct import transaction
from bot.storage.tables import questions

SECRET = "The safe in the cellar opens with the numbers forty-two, seventeen and ninety-three, turned to the left."
QUESTION = "With which numbers does the safe in the cellar open?"


@pytest.fixture
def folder(tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "safe.md").write_text(f"# The safe\n{SECRET}\n")
    (tmp_path / "docs" / "undo.md").write_text("# Rolling back a release\nTo roll back a release, run `undo`.\n")
    (tmp_path / "switchboard.toml").write_text(f'models_dir = "{models_dir}"\n[[knowledge.folders]]\npath = "docs"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def switchboard(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def bytes_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted((folder / "data").rglob("*")) if file.is_file())


def test_a_document_is_forgotten_everywhere_and_stays_out(folder: Path) -> None:
    assert "forty-two" in switchboard("ask", QUESTION).stdout
    assert b"forty-two" in bytes_of(folder)
    switchboard("backup", "before.zip")
    there = bytes_of(folder)

    dry = switchboard("forget", "--document", "docs/safe.md", "--dry-run").stdout
    assert "would be removed" in dry
    assert "Nothing was changed." in dry
    assert "forty-two" in switchboard("ask", QUESTION).stdout
    assert len(there) > 0

    done = switchboard("forget", "--document", "docs/safe.md")
    assert b"forty-two" not in bytes_of(folder)
    assert "The document docs/safe.md is forgotten." in done.stdout
    assert str(folder / "before.zip") in done.stdout
    for row in ("documents (knowledge_documents)", "their texts (knowledge_chunks)", "questions with their answers"):
        assert row in done.stdout
    assert "forty-two" not in switchboard("search", QUESTION).stdout
    assert "forty-two" not in switchboard("ask", QUESTION).stdout  # which reads the folder again
    switchboard("refresh")
    assert "forty-two" not in switchboard("ask", QUESTION).stdout
    assert "undo" in switchboard("ask", "How do I roll back a release?").stdout
    (audited,) = json.loads(switchboard("audit", "--what", "forgotten", "--json").stdout)["entries"]
    assert "safe" not in str(audited)

    unknown = warm.switchboard("forget", "--document", "docs/safe.md", cwd=folder)
    assert unknown.status == 1
    assert "There is no document “docs/safe.md”" in unknown.err
    assert "the sources are: docs." in unknown.err


def test_a_person_is_forgotten_with_a_proof_for_programs_too(folder: Path) -> None:
    switchboard("ask", "How do I roll back a release?")
    with transaction(f"sqlite+aiosqlite:///{folder / 'data' / 'switchboard.db'}", "write") as connection:
        connection.execute(questions.update().values(asker="U0ANNA", text="Ask Anna Meyer about my Zeugnis."))
    told = switchboard("export", "maya.zip", "--user", "U0ANNA").stdout
    assert "1 × questions with their answers and receipts (questions)" in told
    with zipfile.ZipFile(folder / "maya.zip") as archive:
        assert b"Zeugnis" in archive.read("questions.jsonl")
    lock = DataFolderLock(folder / "data")
    lock.acquire()  # as a bot that runs
    proof = json.loads(switchboard("forget", "--user", "<@U0ANNA>", "--json").stdout)
    lock.release()
    assert proof["subject"] == "person U0ANNA"
    assert proof["left"] == 0
    (place,) = [place for place in proof["places"] if place["table"] == "questions"]
    assert (place["before"], place["changed"], place["after"]) == (1, 1, 0)
    again = switchboard("forget", "--user", "U0ANNA").stdout
    assert "What still names it in who changed what: It says who changed what" in again  # that it was exported
    assert b"Zeugnis" not in bytes_of(folder)
    assert "Nothing is stored on the person U0BOB." in switchboard("forget", "--user", "U0BOB").stdout
    assert switchboard("forget").exit_code == 2
