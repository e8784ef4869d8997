"""`switchboard run` as a process of its own: started, killed, started again."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from house import free_port
from model_server import answer
from running_process import Gate, environment, opened_slack, running
from sample_files import png

from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON
from deploy.workspace.web_api import METHODS
from deploy.workspace.web_api.call import Call

QUESTION = "<@U0SWITCH> How do I roll back a release?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deploying.md").write_text("# Rolling back a release\nTo roll back a release, run `undo`.\n")
    return tmp_path


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
    async with opened_slack() as slack:
        models, maya = slack.models, slack.maya
        gate = Gate()
        models.script(answer("Never finished.", gate=gate), answer("Run `undo`. [1]"))
        env = slack.environment(folder, models_dir)
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
    async with opened_slack() as slack, aiohttp.ClientSession() as session:
        models, maya = slack.models, slack.maya
        gate, port = Gate(), free_port()
        models.script(answer("Run `undo`. [1]", gate=gate))
        env = slack.environment(folder, models_dir, SWITCHBOARD_METRICS__PORT=str(port))

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


async def test_a_second_signal_ends_it_at_once_and_the_next_process_finishes_the_reply(
    folder: Path, models_dir: Path
) -> None:
    async with opened_slack() as slack:
        gate = Gate()
        slack.models.script(answer("Never finished.", gate=gate), answer("Run `undo`. [1]"))
        env = slack.environment(folder, models_dir)
        async with running(folder, env) as first:
            ts = await slack.maya.post("C0HELP", QUESTION)
            await gate.reached.wait()
            begun = await slack.maya.wait_for_reply("C0HELP", ts, lambda m: bool(m.get("streaming")))
            first.send_signal(signal.SIGTERM)
            assert first.stdout is not None
            async with asyncio.timeout(30):
                while b"Stopping" not in await first.stdout.readline():
                    pass
            first.send_signal(signal.SIGTERM)
            async with asyncio.timeout(30):
                assert await first.wait() == -signal.SIGTERM
        async with running(folder, env):
            await slack.maya.wait_for_reply("C0HELP", ts, lambda m: "actions" in str(m.get("blocks")))
            (reply,) = (await slack.maya.history("C0HELP", ts))[1:]
        gate.set()
    assert reply["ts"] == begun["ts"]
    assert "undo" in reply["text"]


async def test_a_picture_and_a_sentence_for_a_failure_come_once_whenever_the_process_is_killed(
    folder: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand, never = (
        {"files.completeUploadExternal": asyncio.Event(), "chat.postMessage": asyncio.Event()},
        asyncio.Event(),
    )

    def taken_and_not_answered(name: str) -> None:
        method = METHODS[name]

        async def call(call: Call) -> JSON:
            done = await method(call)
            if not stand[name].is_set():
                stand[name].set()
                await never.wait()
            return done

        monkeypatch.setitem(METHODS, name, call)

    async with opened_slack() as slack:
        maya = slack.maya
        slack.models.script_pictures(png(64, 64))
        env = slack.environment(folder, models_dir)
        for name in stand:
            taken_and_not_answered(name)
        async with running(folder, env) as first:
            drawn = await maya.post("C0HELP", "<@U0SWITCH> draw a red fox")
            await stand["files.completeUploadExternal"].wait()
            failed = await maya.post("C0HELP", "<@U0SWITCH> strategy:rag")
            await stand["chat.postMessage"].wait()
            first.kill()
            await first.wait()
        never.set()
        async with running(folder, env) as second:
            second.send_signal(signal.SIGTERM)  # it finishes what it took up at its start
            async with asyncio.timeout(30):
                assert await second.wait() == 0
        (picture,) = (await maya.history("C0HELP", drawn))[1:]
        (sentence,) = (await maya.history("C0HELP", failed))[1:]
        assert picture["files"][0]["title"] == "a red fox"
        assert sentence["text"].startswith("Write your question after it")
        assert [each.path.rpartition("/")[2] for each in slack.models.requests].count("generations") == 1
    with sqlite3.connect(folder / "data" / "switchboard.db") as database:
        assert {row[0] for row in database.execute("SELECT state FROM inbox")} == {"done", "failed"}
