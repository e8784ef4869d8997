"""`switchboard tune stage` as a person types it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.errors import UnusableWords

CARDS = """
[[providers]]
name = "house"
base_url = "http://127.0.0.1:9/v1"
local = true

[[models]]
name = "small"
provider = "house"
context_window = 8192
free = true
"""


def typed(*words: str) -> str:
    done = CliRunner().invoke(app, ["tune", "stage", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())


def test_stages_are_moved_and_shown_on_the_command_line(
    tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "cards.toml").write_text(CARDS)
    (tmp_path / "switchboard.toml").write_text(f'models_dir = "{models_dir}"\n[models]\ncards = "cards.toml"\n')
    monkeypatch.chdir(tmp_path)
    assert typed() == "No model is being rolled out. `switchboard tune stage NAME shadow` begins."
    with pytest.raises(UnusableWords, match=r"“small” is not being rolled out. Begin with `switchboard tune stage"):
        typed("small", "full")
    told = typed("small", "shadow", "--because", "it is cheap")
    assert told.startswith("small: in the shadow, by command line (“it is cheap”). None of its shadow answers")
    with pytest.raises(UnusableWords, match=r"There is no stage “up”. There are shadow, canary, full, back, retire."):
        typed("small", "up")
    assert typed("small", "canary", "--share", "20", "--in", "C1").startswith("small: a canary, 20% of C1, by command")
    told = typed("small", "canary", "--share", "5")
    assert "20% of C1" in told
    assert "5% of all channels" in told
    assert typed("small", "full").startswith("small: everywhere, by command line. Too few to tell")
    assert typed() == typed("small")
    assert typed("small", "back") == "small: rolled back, by command line."
