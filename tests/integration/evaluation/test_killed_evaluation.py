"""An evaluation that is killed half-way goes on without paying twice for what was done."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter

from evaluation_bench import Bench, cells
from model_server import Reply

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


async def start(bench: Bench, *arguments: str) -> asyncio.subprocess.Process:
    """The command in a process of its own, on the bench's stores."""
    config = bench.folder / "switchboard.toml"
    config.write_text(
        f'data_dir = "{bench.settings.data_dir}"\nmodels_dir = "{bench.settings.models_dir}"\n'
        f'[models]\ncards = "{bench.folder / "cards.toml"}"\n'
        f'[[knowledge.folders]]\npath = "{bench.folder / "docs"}"\nname = "handbook"\n'
    )
    command = [sys.executable, "-m", "bot", "evaluate", *arguments, "--config", str(config)]
    environment = {**os.environ, "PYTHONPATH": ROOT}
    # Where the tests run in the background of a shell, they are deaf to Ctrl+C, and what they start would be too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    quiet, told = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=quiet, stderr=told)


async def test_a_killed_evaluation_goes_on_and_no_finished_answer_is_paid_for_twice(bench: Bench) -> None:
    never = asyncio.Event()
    bench.server.script("one", "two", "three", "four", Reply(text="It hangs here.", gate=never))
    file = str(bench.folder / "golden.jsonl")
    process = await start(bench, file, "--models", "test-model", "--parallel", "1", "--name", "killed")
    await bench.server.until_asked(5, within=60)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    hung = bench.server.chats[4]
    await asyncio.wait_for(hung.gone.wait(), 30)

    before = await bench.shown("killed")
    assert before["run"]["finished"] is None
    assert {cell["answer"] for cell in cells(before).values()} == {"", "one", "two", "three", "four"}

    after = await bench.resume("killed")
    assert after["run"]["finished"] is not None
    assert {cell["outcome"] for cell in cells(after).values()} == {"answered", "not possible"}
    times = Counter(chat.prompt for chat in bench.server.chats)
    assert times.pop(hung.prompt) == 2
    assert set(times.values()) == {1}
    assert len(times) == 7
    # The call that was cut off may have been billed; nobody knows, and that is said.
    assert after["run"]["unpriced"] == 1


async def test_a_new_run_after_a_kill_uses_the_answers_that_were_paid_for(bench: Bench) -> None:
    never = asyncio.Event()
    bench.server.script("one", "two", "three", Reply(text="It hangs here.", gate=never))
    file = str(bench.folder / "golden.jsonl")
    process = await start(bench, file, "--models", "test-model", "--parallel", "1")
    await bench.server.until_asked(4, within=60)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await asyncio.wait_for(bench.server.chats[3].gone.wait(), 30)
    document = await bench.evaluate()
    answers = {cell["answer"] for cell in cells(document).values()}
    assert {"one", "two", "three"} <= answers
    assert len(bench.server.chats) == 8 + 1


async def test_a_person_who_stops_an_evaluation_is_told_how_to_go_on(bench: Bench) -> None:
    bench.server.script("one", Reply(text="It hangs here.", gate=asyncio.Event()))
    file = str(bench.folder / "golden.jsonl")
    process = await start(bench, file, "--models", "test-model", "--parallel", "1", "--name", "my run")
    await bench.server.until_asked(2, within=60)
    process.send_signal(signal.SIGINT)
    _, told = await process.communicate()
    assert process.returncode
    assert "Stopped. What was done is kept: `switchboard evaluate --resume 'my run'` goes on." in told.decode()
    assert "Traceback" not in told.decode()
    # The call that was stopped is settled: the server had worked for it.
    stopped = await bench.shown("my run")
    assert stopped["run"]["unpriced"] == 0
    assert float(stopped["run"]["spent"]) > 0
