"""`switchboard tune data`, `check` and `consent` as a person types them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from training_house import asked, plain_questions
from typer.testing import CliRunner

from bot.cli import app
from bot.config import load_settings
from bot.core import open_core
from bot.errors import UnusableTraining


@pytest.fixture
def folder(tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "switchboard.toml").write_text(f'models_dir = "{models_dir}"\n[tuning]\nconsent = "public"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def switchboard(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done.stdout


def filled() -> None:
    async def fill() -> None:
        async with open_core(load_settings()) as core:
            for n, question in enumerate(plain_questions(40)):
                if n % 2:
                    await core.examples.save(question, f"With tool number {n}.", ["everyone"], "U0BEN", author="U0BEN")
                else:
                    await asked(core.engine, f"q{n}", question, f"With tool {n}. [1]", thumb=1, hours=n)

    asyncio.run(fill())


def test_data_is_made_listed_traced_and_taken_back(folder: Path) -> None:
    filled()
    (folder / "golden.jsonl").write_text(json.dumps({"question": "the VPN: how do we restart it", "answer": "x"}))
    told = " ".join(switchboard("tune", "data", "--golden", "golden.jsonl").split())
    assert "From 20 answers with 👍, 19 answers that people wrote." in told
    assert "Left out: 1 row that ask what a golden question asks." in told
    (made,) = (folder / "data" / "tuning").iterdir()
    assert f"Data set {made.name} lies in" in told
    assert len((made / "train.jsonl").read_text().splitlines()) > 30
    assert "All is well." in switchboard("tune", "check", str(made / "train.jsonl"))
    assert made.name in switchboard("tune", "data", "--list")
    traced = switchboard("tune", "data", "--lineage", "last")
    assert traced.count("U0ANA") == 20
    assert "example" in traced

    assert "20 rows of training data were theirs and are deleted." in switchboard("tune", "consent", "U0ANA", "off")
    assert not made.exists()
    assert "words were withdrawn" in switchboard("tune", "data", "--list")
    assert "U0ANA: off" in switchboard("tune", "consent")
    assert "U0ANA  –       off" in switchboard("audit", "--what", "training consent")


def test_the_files_go_with_whoever_is_forgotten(folder: Path) -> None:
    filled()
    switchboard("tune", "data")
    (made,) = (folder / "data" / "tuning").iterdir()
    switchboard("forget", "--user", "U0ANA")
    assert not made.exists()
    assert "words were withdrawn" in switchboard("tune", "data", "--list")


def test_without_consent_nothing_is_made_and_the_way_out_is_named(folder: Path) -> None:
    (folder / "switchboard.toml").write_text(f'models_dir = "{load_settings().models_dir}"\n')
    with pytest.raises(UnusableTraining, match=r"`tuning.consent` is off. Set it to “public”"):
        switchboard("tune", "data")


def test_too_few_rows_are_refused_after_the_report(folder: Path) -> None:
    with pytest.raises(UnusableTraining, match="0 rows cannot be trained on"):
        switchboard("tune", "data")
    assert not (folder / "data" / "tuning").exists()


def test_a_file_with_mistakes_ends_with_status_one(folder: Path) -> None:
    (folder / "rows.jsonl").write_text('{"messages": []}\n')
    told = switchboard("tune", "check", "rows.jsonl", status=1)
    assert "Line 1: it has no messages." in told
    assert "at least 10 are needed" in told
