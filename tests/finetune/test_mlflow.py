"""Training runs in a real MLflow: one run there for each, whole after a kill and after a time without the server."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine
from training_house import plain_questions
from training_rows import NOW
from typer.testing import CliRunner

from bot.cli import app
from bot.config import load_settings
from bot.core import open_core
from bot.errors import TrackingFailed
from bot.tuning.datasets import Dataset
from bot.tuning.mlflow import Mlflow
from bot.tuning.runs import Runs
from bot.tuning.tuner import Step

ROOT = Path(__file__).parents[2]
MLFLOW = ROOT / "build" / "mlflow" / "bin" / "mlflow"
SECONDS = 120.0
# Tells a step, waits for a file, tells another one and leaves a model.
COMMAND = """
command:
  - sh
  - -c
  - |
    echo '{{"step": 1, "figures": {{"loss": 2.0, "eval_loss": 2.5}}}}' >> {events}
    while [ ! -e __FOLDER__/go ]; do sleep 0.05; done
    echo '{{"step": 2, "figures": {{"loss": 1.5}}}}' >> {events}
    mkdir -p {out}; touch {out}/config.json
"""

pytestmark = pytest.mark.skipif(not MLFLOW.is_file(), reason="there is no build/mlflow: `make test-finetune` makes it")


class Server:
    """An MLflow server over SQLite, which can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"

    def start(self) -> None:
        store, port = f"sqlite:///{self._folder}/mlflow.db", self.url.rpartition(":")[2]
        command = [str(MLFLOW), "server", "--backend-store-uri", store, "--host", "127.0.0.1", "--port", port]
        with (self._folder / "mlflow.log").open("ab") as log:
            self._running = subprocess.Popen(
                [*command, "--workers", "1"], cwd=self._folder, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=2).close()
                return
            except (urllib.error.URLError, OSError):
                assert time.monotonic() < deadline, (self._folder / "mlflow.log").read_text()
                time.sleep(0.1)

    def stop(self) -> None:
        if self._running is not None:
            self._running.terminate()
            self._running.wait()
            self._running = None

    def ask(self, path: str, **values: Any) -> dict[str, Any]:
        """A request as MLflow's own client makes it: reads are GET, the search is POST."""
        where = f"{self.url}/api/2.0/mlflow/{path}"
        if path == "runs/search":
            body = json.dumps(values).encode()
            request = urllib.request.Request(where, body, {"Content-Type": "application/json"})
        else:
            request = urllib.request.Request(f"{where}?{'&'.join(f'{name}={each}' for name, each in values.items())}")
        with urllib.request.urlopen(request) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def runs(self) -> list[dict[str, Any]]:
        """Those of the team's experiment; none before there is one."""
        try:
            experiment = self.ask("experiments/get-by-name", experiment_name="team")["experiment"]["experiment_id"]
        except urllib.error.HTTPError:
            return []
        found: list[dict[str, Any]] = self.ask("runs/search", experiment_ids=[experiment]).get("runs", [])
        return found

    def figures(self, run: dict[str, Any], name: str) -> list[tuple[int, float]]:
        found = self.ask("metrics/get-history", run_id=run["info"]["run_id"], metric_key=name)
        return [(one.get("step", 0), one["value"]) for one in found.get("metrics", [])]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "mlflow"
    folder.mkdir()
    one = Server(folder)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def folder(tmp_path: Path, models_dir: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "base").mkdir()
    (tmp_path / "train.yaml").write_text(COMMAND.replace("__FOLDER__", str(tmp_path)))
    (tmp_path / "switchboard.toml").write_text(
        f'models_dir = "{models_dir}"\n[tuning]\nconsent = "public"\nmlflow = "{server.url}"\nexperiment = "team"\n'
    )
    monkeypatch.chdir(tmp_path)

    async def fill() -> None:
        async with open_core(load_settings()) as core:
            for n, question in enumerate(plain_questions(20)):
                await core.examples.save(question, f"With tool number {n}.", ["everyone"], "U0BEN", author="U0BEN")

    asyncio.run(fill())
    switchboard("tune", "data")
    return tmp_path


def switchboard(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())


def begun(folder: Path) -> subprocess.Popen[bytes]:
    """`switchboard tune run` in a process of its own."""
    command = [sys.executable, "-m", "bot", "tune", "run", "--with", "command", "--command", "train.yaml"]
    with (folder / "run.log").open("wb") as log:
        return subprocess.Popen(
            [*command, "--base", "base", "--seed", "7"],
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            cwd=folder,
            stdout=log,
            stderr=log,
        )


def test_a_run_that_is_killed_and_gone_on_with_is_one_whole_run_there(folder: Path, server: Server) -> None:
    first = begun(folder)
    deadline = time.monotonic() + SECONDS
    while not (runs := server.runs()) or not server.figures(runs[0], "loss"):
        assert time.monotonic() < deadline, (folder / "run.log").read_text()
        time.sleep(0.05)
    assert runs[0]["info"]["status"] == "RUNNING"
    first.send_signal(signal.SIGKILL)
    first.wait()
    (folder / "go").touch()
    told = switchboard("tune", "resume", "last")
    assert "succeeded" in told
    assert "MLflow" not in told
    assert "succeeded" in switchboard("tune", "resume", "last")

    (run,) = server.runs()
    (kept,) = json.loads(CliRunner().invoke(app, ["tune", "runs", "--json"]).stdout)
    assert (run["info"]["run_name"], run["info"]["status"]) == (kept["id"], "FINISHED")
    assert server.figures(run, "loss") == [(1, 2.0), (2, 1.5)]
    assert server.figures(run, "eval_loss") == [(1, 2.5)]
    params = {one["key"]: one["value"] for one in run["data"]["params"]}
    wanted = {"seed": "7", "data": kept["dataset"], "base": "base", "tuner": "command", "rows.from.person": "20"}
    assert {name: params[name] for name in wanted} == wanted
    assert "restart" not in json.dumps(run), "no word of a question is there"


@asynccontextmanager
async def cutting(url: str) -> AsyncIterator[str]:
    """A way to the server on which the first answer to figures is lost: the server has taken them."""
    lost: list[str] = []

    async def pass_on(request: web.Request) -> web.Response:
        body = await request.read()
        where, kind = f"{url}{request.path_qs}", {"Content-Type": "application/json"}
        async with session.request(request.method, where, data=body, headers=kind) as answer:
            told = await answer.read()
        if b'"metrics"' in body and not lost:
            lost.append(request.path)
            assert request.transport is not None
            request.transport.close()
        return web.Response(body=told, status=answer.status, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", pass_on)
    runner = web.AppRunner(app)
    async with aiohttp.ClientSession() as session:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        await runner.cleanup()
        assert lost


async def test_figures_whose_arrival_was_not_heard_of_are_there_once(
    sqlite_engine: AsyncEngine, server: Server
) -> None:
    report = {"train": 2, "validation": 0, "preferences": 0, "by_origin": {}}
    made = {"made_at": NOW, "made_by": "ana", "audience": ("everyone",), "rows": 2, "withdrawn_at": None}
    data = Dataset(id="d1", report=report, **made)  # type: ignore[arg-type]
    values = {"tuner": "local", "dataset": data.id, "base": "tiny", "held": None, "by": "ana", "at": NOW}
    run = await Runs(sqlite_engine).order(parameters={}, **values)  # type: ignore[arg-type]
    steps = {number: Step({"loss": 1 / number}) for number in range(1, 4)}
    async with cutting(server.url) as way:
        mlflow = Mlflow(way, "team", {})
        with pytest.raises(TrackingFailed, match="cannot be reached"):
            await mlflow.send(run, steps, data)
        await mlflow.send(run, {**steps, 4: Step({"loss": 0.25})}, data)
        await mlflow.close()
    (there,) = server.runs()
    assert server.figures(there, "loss") == [(number, 1 / number) for number in range(1, 5)]


def test_what_came_while_the_server_was_away_is_sent_later(folder: Path, server: Server) -> None:
    server.stop()
    (folder / "go").touch()
    told = switchboard("tune", "run", "--with", "command", "--command", "train.yaml", "--base", "base")
    assert "cannot be reached (ClientConnectorError). Training goes on." in told
    assert "step 2: loss 1.5" in told
    assert "MLflow lacks some of the run" in told
    server.start()
    assert server.runs() == []
    assert "MLflow" not in switchboard("tune", "resume", "last")
    (run,) = server.runs()
    assert (run["info"]["status"], server.figures(run, "loss")) == ("FINISHED", [(1, 2.0), (2, 1.5)])
