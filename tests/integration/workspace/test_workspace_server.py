"""Starting and stopping, who is let in, what is served, and what stays between runs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from deploy.workspace.snapshot import StateFileError

ROOT = Path(__file__).resolve().parents[3]


async def test_the_page_and_its_parts_are_served(workspace: Workspace) -> None:
    async with aiohttp.ClientSession(workspace.url) as session:
        for path in ("/", "/archives/C0GENERAL/p1700000000000001", "/static/index.html"):
            async with session.get(path) as response:
                assert response.status == 200
                assert response.content_type == "text/html"
        for path in ("/static/nothing.js", "/static/%2e%2e/server.py", "/_/file/F0NONE", "/_/history?as=U0MAYA"):
            async with session.get(path) as response:
                assert response.status == 404


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "rebound.example"}])
async def test_other_web_sites_are_kept_out(headers: dict[str, str], workspace: Workspace) -> None:
    async with aiohttp.ClientSession(workspace.url) as session:
        async with session.post("/_/act", json={"as": "U0MAYA", "do": "open_dm"}, headers=headers) as response:
            assert response.status == 403
        async with session.post("/_/act", json={"as": "U0MAYA", "do": "open_dm"}) as response:
            assert response.status == 200


async def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_open(workspace: Workspace) -> None:
    port = int(workspace.url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="address already in use"):
        await Workspace(port=port).start()


async def test_nothing_is_remembered_unless_a_state_file_is_given(tmp_path: Path) -> None:
    for state_file, expected in ((None, []), (tmp_path / "state.json", ["kept", "reply"])):
        async with Workspace(port=0, state_file=state_file) as workspace, Driver(workspace.url) as maya:
            ts = await maya.post("G0FIN", "kept")
            await maya.post("G0FIN", "reply", thread=ts, files={"a.txt": b"bytes"})
        async with Workspace(port=0, state_file=state_file) as workspace, Driver(workspace.url) as maya:
            thread = await maya.history("G0FIN", thread=ts)
            assert [message["text"] for message in thread] == expected
            if thread:
                assert await maya.file(thread[1]["files"][0]) == b"bytes"


async def test_a_broken_state_file_is_named(tmp_path: Path) -> None:
    state_file = tmp_path / "state.json"
    state_file.write_text("{}")
    with pytest.raises(StateFileError, match=r"state\.json cannot be used"):
        await Workspace(port=0, state_file=state_file).start()


async def test_the_workspace_runs_by_itself_until_it_is_interrupted(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    features = {"slash_commands": [{"command": "/ask", "description": "Ask"}]}
    manifest.write_text(json.dumps({"features": features, "oauth_config": {"scopes": {"bot": ["chat:write"]}}}))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.workspace", "--port", "0", "--state", str(tmp_path / "state.json"),
        "--manifest", str(manifest),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
        url = line.split()[-1]
        async with Driver(url) as maya:
            await maya.post("C0GENERAL", "hello")
            assert [command["command"] for command in (await maya.boot())["commands"]] == ["/ask"]
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert "hello" in (tmp_path / "state.json").read_text()
