"""`switchboard tune run` and its kin as a person types them, also killed half-way."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from training_house import plain_questions
from typer.testing import CliRunner

from bot.cli import app
from bot.config import load_settings
from bot.core import open_core
from bot.errors import UnusableTraining

ROOT = Path(__file__).parents[3]
CARDS = """
[[providers]]
name = "house"
title = "House"
base_url = "{url}"
local = true

[[models]]
name = "tunable"
provider = "house"
context_window = 8192
fine_tunable = true
training_rate = 8
free = true
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A server in a process of its own, which never answers the first creation."""
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "hold").touch()
    running = subprocess.Popen([sys.executable, str(ROOT / "tests" / "support" / "job_server.py"), str(folder)])
    until(folder / "url")
    yield (folder / "url").read_text()
    running.terminate()
    running.wait()


@pytest.fixture
def folder(tmp_path: Path, models_dir: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "cards.toml").write_text(CARDS.format(url=server))
    (tmp_path / "switchboard.toml").write_text(
        f'models_dir = "{models_dir}"\n[models]\ncards = "cards.toml"\n[tuning]\nconsent = "public"\n'
    )
    monkeypatch.chdir(tmp_path)

    async def fill() -> None:
        async with open_core(load_settings()) as core:
            for n, question in enumerate(plain_questions(40)):
                await core.examples.save(question, f"With tool number {n}.", ["everyone"], "U0BEN", author="U0BEN")

    asyncio.run(fill())
    switchboard("tune", "data")
    return tmp_path


def until(file: Path, seconds: float = 60.0) -> None:
    """Waits for a file that another process writes."""
    deadline = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} never came"
        time.sleep(0.02)


def switchboard(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == status, done.output
    return " ".join(done.stdout.split())


def jobs(server: str) -> list[dict[str, object]]:
    with urllib.request.urlopen(f"{server}/fine_tuning/jobs") as answer:
        found: list[dict[str, object]] = json.load(answer)["data"]
    return found


def test_a_run_that_is_killed_while_its_job_is_begun_is_gone_on_with_and_paid_once(folder: Path, server: str) -> None:
    command = [sys.executable, "-m", "bot", "tune", "run", "--with", "hosted", "--base", "tunable", "--epochs", "2"]
    first = subprocess.Popen(command, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, cwd=folder)
    until(folder / "server" / "created")
    first.send_signal(signal.SIGKILL)
    first.wait()
    (run,) = json.loads(CliRunner().invoke(app, ["tune", "runs", "--json"]).stdout)
    assert (run["state"], run["job"]) == ("ordered", None)

    told = switchboard("tune", "resume", run["id"])
    assert "step 7: train_loss 0.5" in told
    assert f"The run {run['id']} succeeded. Cost: $0.04. Result: ft:tunable:team:0001" in told
    assert len(jobs(server)) == 1
    assert "succeeded" in switchboard("tune", "resume", run["id"])
    assert len(jobs(server)) == 1
    assert "loss" in switchboard("tune", "show", "last")

    with pytest.raises(UnusableTraining, match="has ended already: succeeded"):
        switchboard("tune", "cancel", run["id"])
    told = switchboard("tune", "register", run["id"], "--name", "team-1", "--provider", "house", "--kind", "our tools")
    assert "“team-1” is in the catalogue, for questions about our tools; a running bot has it within seconds." in told
    card = json.loads(CliRunner().invoke(app, ["models", "show", "team-1", "--json"]).stdout)
    assert (card["id"], card["fine_tune"]["base"], card["fine_tune"]["run"]) == (
        "ft:tunable:team:0001",
        "tunable",
        run["id"],
    )
    assert len(card["fine_tune"]["prompts"]) == 20
    with pytest.raises(UnusableTraining, match="is registered already"):
        switchboard("tune", "register", run["id"], "--name", "x", "--provider", "house", "--kind", "x")

    switchboard("tune", "consent", "U0BEN", "off")
    told = switchboard("tune", "show", run["id"])
    assert "were withdrawn on 20" in told
    assert f"Retire it: `switchboard tune retire {run['id']}`." in told
    switchboard("tune", "retire", run["id"], "--because", "withdrawn")
    assert "team-1 (retired)" in switchboard("tune", "runs")
    assert CliRunner().invoke(app, ["models", "show", "team-1"]).exit_code == 1


def test_what_was_trained_elsewhere_is_taken_in_where_it_is_whole_and_compared(folder: Path) -> None:
    model = folder / "model"
    model.mkdir()
    with pytest.raises(UnusableTraining, match="holds no model: it has no config"):
        switchboard("tune", "import", "model", "--base", "tunable")
    (model / "adapter_config.json").write_text("{}")
    with pytest.raises(UnusableTraining, match="is an adapter without its base"):
        switchboard("tune", "import", "model", "--base", "tunable")
    (model / "config.json").write_text("{}")
    with pytest.raises(UnusableTraining, match="has no chat template"):
        switchboard("tune", "import", "model", "--base", "tunable")
    (model / "chat_template.jinja").write_text("{{ messages }}")
    switchboard("tune", "import", "model", "--base", "tunable")

    (folder / "train.yaml").write_text(
        'command: [sh, -c, "mkdir {out}; cp {train} {out}/config.json; echo \'{{\\"step\\": 3, \\"figures\\": '
        '{{\\"loss\\": 0.25}}}}\' >> {events}"]\n'
    )
    told = switchboard(
        "tune", "run", "--with", "command", "--command", "train.yaml", "--base", "tunable", "--seed", "7"
    )
    assert "step 3: loss 0.25" in told
    assert "succeeded. Cost: unknown." in told
    imported, trained = json.loads(CliRunner().invoke(app, ["tune", "runs", "--json"]).stdout)[::-1]
    told = switchboard("tune", "compare", imported["id"], trained["id"])
    assert "seed – 7" in told
    assert "loss – 0.25" in told
    assert "state succeeded succeeded" in told


def test_what_is_not_there_is_told_in_words(folder: Path) -> None:
    for arguments, says in (
        (["tune", "run", "--base", "nothing"], "neither a folder nor a model of the catalogue"),
        (["tune", "run", "--base", "tunable", "--data", "ffff"], "There is no data set “ffff”"),
        (["tune", "run", "--base", "tunable", "--with", "command"], "Name the file with the command"),
        (["tune", "show", "ffff"], "There is no training run “ffff”"),
    ):
        with pytest.raises(UnusableTraining, match=re.escape(says)):
            switchboard(*arguments)
    assert (
        "--with is one of local, hosted, command"
        in CliRunner().invoke(app, ["tune", "run", "--base", "x", "--with", "y"]).output
    )
