"""The whole way with a real model: examples, plan, data, training, serving, registering, choosing, and back again."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from training_house import SUBJECTS, VERBS
from typer.testing import CliRunner

from bot.cli import app
from bot.config import load_settings
from bot.core import open_core
from bot.domain import StrategyName
from bot.errors import SwitchboardError
from bot.evaluation.overview import overview
from bot.evaluation.runs import Runs
from bot.evaluation.worth import Worth

CARDS = """
[[providers]]
name = "house"
title = "House"
base_url = "http://127.0.0.1:{port}/v1"
local = true

[[models]]
name = "tiny"
id = "{base}"
provider = "house"
context_window = 512
max_output = 16
fine_tunable = true
training_rate = 0
free = true
"""


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
    return found


@pytest.fixture
def folder(
    tmp_path: Path,
    models_dir: Path,
    python: str,
    tiny: Callable[[bool], Path],
    port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "cards.toml").write_text(CARDS.format(port=port, base=tiny(True)))
    (tmp_path / "switchboard.toml").write_text(
        f'models_dir = "{models_dir}"\n[models]\ncards = "cards.toml"\n[answers]\nmax_tokens = 16\n'
        f'[tuning]\nconsent = "public"\npython = "{python}"\n[selection]\nshadow_share = 0\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def serve(python: str, port: int, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Starts `transformers serve`, which loads whatever folder it is asked for."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        environment = os.environ | {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}
        command = [str(Path(python).parent / "transformers"), "serve", "--host", "127.0.0.1", "--port", str(port)]
        with (tmp_path / "serve.log").open("wb") as log:
            started.append(subprocess.Popen([*command, "--device", "cpu"], env=environment, stdout=log, stderr=log))
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                assert time.monotonic() < deadline, (tmp_path / "serve.log").read_text()
                time.sleep(0.2)

    yield start
    for process in started:
        process.terminate()
        process.wait()


def switchboard(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())


def asked(verbs: Sequence[str]) -> list[str]:
    """Questions of one kind, about the team's own affairs: what tells them is what the model was tuned on."""
    return [f"How do we {verb} the {thing}?" for verb in verbs for thing in SUBJECTS]


def refused(*arguments: str) -> str:
    with pytest.raises(SwitchboardError) as error:
        CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    return str(error.value)


def said(thing: str) -> str:
    """What the team answers whoever asks about a thing."""
    return f"Ask the {thing} desk."


def filled() -> None:
    async def fill() -> None:
        async with open_core(load_settings()) as core:
            for question in asked(VERBS[:6]):
                answer = said(question.split()[-1].rstrip("?"))
                await core.examples.save(question, answer, ["everyone"], "U0BEN", author="U0BEN")

    asyncio.run(fill())


def qualities() -> dict[str, float]:
    """The mean quality of each way in the last evaluation."""

    async def read() -> dict[str, float]:
        async with open_core(load_settings()) as core:
            runs = Runs(core.engine)
            matrix = (await runs.load((await runs.find("last")).id)).matrix
        seen = overview(matrix, Worth(cost_weight=5.0, latency_weight=0.0))
        return {str(one.way): one.quality.mean or 0.0 for one in seen.standings}

    return asyncio.run(read())


def choice(question: str) -> dict[str, Any]:
    """What the selector takes for a question."""
    done = CliRunner().invoke(app, ["ask", question, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    option: dict[str, Any] = json.loads(done.stdout)["receipt"]["choice"]["option"]
    return option


def test_from_examples_to_a_model_of_ones_own_and_back(folder: Path, serve: Callable[[], None]) -> None:
    filled()
    assert "What is not known" in switchboard("tune", "plan", "--model", "tiny")
    golden = [
        {"question": one, "answer": said(one.split()[-1].rstrip("?"))}
        for one in asked(("repair", "clean", "inspect", "order"))
    ]
    (folder / "golden.jsonl").write_text("\n".join(json.dumps(one) for one in golden))
    told = switchboard("tune", "data", "--golden", "golden.jsonl", "--model", "tiny")
    assert "Price: $0 an epoch." in told

    fast = ["--epochs", "12", "--batch", "9", "--learning-rate", "0.005", "--rank", "32", "--max-tokens", "256"]
    told = switchboard("tune", "run", "--base", "tiny", *fast, "--save-steps", "18", "--patience", "0")
    assert "succeeded. Cost: $0." in told, told

    serve()
    switchboard("tune", "register", "last", "--name", "team-1", "--provider", "house", "--kind", "our desks")
    ways = ["--models", "tiny,team-1", "--scorers", "f1"]
    switchboard("evaluate", "golden.jsonl", *ways, "--parallel", "2")
    quality = qualities()
    tuned, base = quality["fine_tuned · team-1"], quality["zero_shot · tiny"]
    assert tuned >= base + 0.3, quality

    assert choice("How do we fix the backup?")["model"] != "team-1", "in the shadow it answers nobody"
    assert "Nobody knows what “team-1” has forgotten" in refused("tune", "stage", "team-1", "canary")
    assert "general" in switchboard("models", "regressions", "team-1", "--base", "tiny")
    switchboard("tune", "stage", "team-1", "canary", "--share", "50")
    assert "team-1: everywhere" in switchboard("tune", "stage", "team-1", "full")
    taken = [choice("How do we fix the backup?") for _ in range(3)]  # one question in twenty goes on without it
    assert (StrategyName.FINE_TUNED.value, "team-1") in [(one["strategy"], one["model"]) for one in taken]
    assert choice("What is the capital of France?")["model"] != "team-1"
    switchboard("tune", "stage", "team-1", "back", "--because", "the test is over")
    assert choice("How do we fix the backup?")["model"] != "team-1"

    switchboard("tune", "retire", "last", "--because", "the test is over")
    assert choice("How do we fix the backup?")["model"] != "team-1"
    assert "team-1 (retired)" in switchboard("tune", "runs")
