"""`switchboard budget` as a person types it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
import warm
from typer.testing import CliRunner

from bot.cli import app


@pytest.fixture
def folder(tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "switchboard.toml").write_text(f'models_dir = "{models_dir}"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def switchboard(*arguments: str) -> str:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False).stdout


def test_budgets_are_set_seen_counted_anew_and_dropped(folder: Path) -> None:
    assert "No budget is set." in switchboard("budget", "list")
    words = ("workspace", "200", "a", "month", "hard", "because", "the", "grant", "is", "small")
    said = switchboard("budget", "set", *words)
    assert said.startswith(
        "The whole workspace may now spend $200.00 a month, hard. So far: 0% used ($0) · $200.00 left."
    )
    switchboard("budget", "set", "U0LEO", "$2", "daily")
    shown = switchboard("budget", "list")
    assert "The whole workspace  $200.00 a month, hard" in shown
    assert "the grant is small" in shown
    assert "Person U0LEO         $2.00 a day, soft" in shown
    (person, workspace) = json.loads(switchboard("budget", "list", "--json"))
    assert (person["key"], workspace["amount"], workspace["spent"], workspace["set_by"]) == (
        "U0LEO",
        "200",
        "0",
        "console",
    )
    findings = {each["name"]: each for each in json.loads(switchboard("doctor", "--json"))}
    assert findings["budgets"]["sentence"] == "2 budgets are set, counted as the ledger has it."
    with sqlite3.connect(folder / "data" / "switchboard.db") as database:
        database.execute("UPDATE budget_use SET spent = 500000000000")
    findings = {each["name"]: each for each in json.loads(switchboard("doctor", "--json"))}
    assert findings["budgets"]["state"] == "failed"
    assert (
        "are counted $0.50 spent and $0 held; the ledger's rows come to $0 and $0." in findings["budgets"]["sentence"]
    )
    assert "is dropped: Person U0LEO." in switchboard("budget", "drop", "U0LEO")


def test_what_is_typed_wrong_is_one_sentence_and_status_1(folder: Path) -> None:
    for words, said in (
        ("set workspace", "How much may it be?"),
        ("set workspace 5 fortnightly", "I do not know “fortnightly” here."),
        ("drop workspace", "There is no such budget"),
    ):
        done = warm.switchboard("budget", *words.split(), cwd=folder)
        assert (done.status, said in done.err, "Traceback" in done.err) == (1, True, False)
