"""`switchboard audit` and `switchboard keys` as a person types them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app


@pytest.fixture
def folder(tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "switchboard.toml").write_text(f'models_dir = "{models_dir}"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def switchboard(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done.stdout


def test_what_is_changed_on_the_command_line_is_listed_and_tampering_shows(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    switchboard("budget", "set", "workspace", "200", "a", "month", "because", "the", "grant", "is", "small")
    switchboard("budget", "drop", "workspace")
    shown = switchboard("audit")
    assert "command line  budget dropped  the workspace  $200 a month, soft" in shown
    assert "the grant is small" in shown
    (entry,) = json.loads(switchboard("audit", "--what", "set", "--who", "command line", "--json"))["entries"]
    assert (entry["action"], entry["after"]) == ("budget set", "$200 a month, soft")
    assert "Nothing of that was changed yet." in switchboard("audit", "--since", "2999-01-01")
    monkeypatch.setenv("SWITCHBOARD_KEYS", switchboard("keys", "new").strip())
    assert switchboard("keys", "rotate").startswith("0 values are encrypted with the first key now")
    with sqlite3.connect(folder / "data" / "switchboard.db") as database:
        database.execute("DROP TRIGGER audit_log_update")
        database.execute("UPDATE audit_log SET who = 'U0LEO' WHERE id = 1")
    database.close()
    assert "Entry 1 was changed after it was written." in switchboard("audit", status=1)
    assert switchboard("audit", "drop", "--before", "2999-01-01").startswith("3 entries from before 2999-01-01")
    assert "audit log dropped" in switchboard("audit")
