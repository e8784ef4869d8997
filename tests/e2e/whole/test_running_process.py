"""`switchboard run` as a process of its own: started, killed, started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
from house import MANIFEST, TEST_MODEL, free_port
from model_server import ModelServer, answer
from server_cards import cards

from deploy.workspace.driver import Driver
from deploy.workspace.server import APP_TOKEN, BOT_TOKEN, Workspace

QUESTION = "<@U0SWITCH> How do I roll back a release?"


class Gate(asyncio.Event):
    """An answer that stops after its first words, and says that it got there."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.reached.set()
        return await super().wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deploying.md").write_text("# Rolling back a release\nTo roll back a release, run `undo`.\n")
    return tmp_path


def environment(folder: Path, models_dir: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "SWITCHBOARD_"))}
    config = folder / "switchboard.toml"
    config.write_text('[[knowledge.folders]]\npath = "docs"\n')
    own = {"SWITCHBOARD_DATA_DIR": str(folder / "data"), "SWITCHBOARD_MODELS_DIR": str(models_dir)}
    return {**kept, **own, **more}


@asynccontextmanager
async def running(folder: Path, env: dict[str, str]) -> AsyncIterator[Process]:
    """The process, once it says that it is ready; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", cwd=folder, env=env, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await ready(process)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ready(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while line := (await process.stdout.readline()).decode():
            if "is ready" in line:
                return line
    raise AssertionError(f"It ended with status {await process.wait()} before it was ready.")


async def test_without_tokens_a_workspace_opens_with_a_message_that_says_what_to_try(
    folder: Path, models_dir: Path
) -> None:
    port = free_port()
    env = environment(folder, models_dir, SWITCHBOARD_WORKSPACE__PORT=str(port))
    url = f"http://127.0.0.1:{port}"
    async with running(folder, env) as process:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            assert "text/html" in response.headers["Content-Type"]
        async with Driver(url, "U0MAYA", timeout=30) as maya:
            welcome = await maya.wait_for_message("C0HELP", lambda m: "Try one of these" in m["text"])
            assert "/model" in welcome["text"]
            report = await maya.wait_for_message("C0REPORTS", lambda m: "last week" in m["text"])
            assert report["text"].startswith("No model was called last week")
            await maya.wait_for_message("C0REPORTS", lambda m: "0 9 * * mon" in m["text"] and "/cost" in m["text"])
            ts = await maya.post("C0HELP", QUESTION)
            assert "undo" in str(await maya.wait_for_reply("C0HELP", ts))
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await process.wait() == 0


async def test_a_second_process_on_the_same_data_says_so_and_exits(folder: Path, models_dir: Path) -> None:
    env = environment(folder, models_dir, SWITCHBOARD_WORKSPACE__PORT=str(free_port()))
    async with running(folder, env):
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "refresh", cwd=folder, env=env, stdout=PIPE, stderr=PIPE
        )
        _, told = await second.communicate()
    assert second.returncode == 1
    assert "is using the data folder" in told.decode()
    assert "Traceback" not in told.decode()


async def test_a_question_outlives_a_process_that_is_killed(folder: Path, models_dir: Path) -> None:
    async with (
        ModelServer() as models,
        Workspace(port=0, commands=MANIFEST["slash_commands"], shortcuts=MANIFEST["shortcuts"]) as workspace,
        Driver(workspace.url, "U0MAYA", timeout=60) as maya,
    ):
        gate = Gate()
        models.script(answer("Never finished.", gate=gate), answer("Run `undo`. [1]"))
        (folder / "cards.toml").write_text(cards(models.url, TEST_MODEL))
        env = environment(
            folder,
            models_dir,
            SLACK_BOT_TOKEN=BOT_TOKEN,
            SLACK_APP_TOKEN=APP_TOKEN,
            SWITCHBOARD_SLACK__BASE_URL=workspace.api_url,
            SWITCHBOARD_MODELS__CARDS=str(folder / "cards.toml"),
            SWITCHBOARD_MODELS__DEFAULT="test-model",
        )
        async with running(folder, env) as first:
            ts = await maya.post("C0HELP", QUESTION)
            await gate.reached.wait()
            first.kill()
            await first.wait()
        gate.set()
        async with running(folder, env):
            reply = await maya.wait_for_reply("C0HELP", ts, lambda m: "undo" in str(m) and not m.get("streaming"))
    assert reply["thread_ts"] == ts


async def test_a_bot_that_is_told_to_stop_is_not_ready_before_it_is_gone(folder: Path, models_dir: Path) -> None:
    async with (
        ModelServer() as models,
        Workspace(port=0, commands=MANIFEST["slash_commands"], shortcuts=MANIFEST["shortcuts"]) as workspace,
        Driver(workspace.url, "U0MAYA", timeout=60) as maya,
        aiohttp.ClientSession() as session,
    ):
        gate, port = Gate(), free_port()
        models.script(answer("Run `undo`. [1]", gate=gate))
        (folder / "cards.toml").write_text(cards(models.url, TEST_MODEL))
        env = environment(
            folder,
            models_dir,
            SLACK_BOT_TOKEN=BOT_TOKEN,
            SLACK_APP_TOKEN=APP_TOKEN,
            SWITCHBOARD_SLACK__BASE_URL=workspace.api_url,
            SWITCHBOARD_MODELS__CARDS=str(folder / "cards.toml"),
            SWITCHBOARD_MODELS__DEFAULT="test-model",
            SWITCHBOARD_METRICS__PORT=str(port),
        )

        async def asked(path: str) -> tuple[int, dict[str, Any]]:
            async with session.get(f"http://127.0.0.1:{port}{path}") as response:
                return response.status, await response.json()

        async with running(folder, env) as process:
            assert (await asked("/readyz"))[0] == 200
            doctor = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "doctor", "--json", cwd=folder, env=env, stdout=PIPE
            )
            findings = {one["name"]: one for one in json.loads((await doctor.communicate())[0])}
            services = (await asked("/readyz"))[1]["services"]
            assert {f"running: {name}" for name in services} <= findings.keys()
            assert findings["running: slack socket"]["state"] == "ok"
            ts = await maya.post("C0HELP", QUESTION)
            await gate.reached.wait()
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(30):
                while (told := await asked("/readyz"))[0] == 200:
                    pass
                assert told[1]["phase"] == "closing"
                assert (await asked("/healthz"))[0] == 200
                gate.set()
                assert await process.wait() == 0
        reply = await maya.wait_for_reply("C0HELP", ts)
    assert "undo" in str(reply), "what was begun is finished"
