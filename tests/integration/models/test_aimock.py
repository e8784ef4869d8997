"""The client against aimock: an OpenAI-compatible server that nobody here wrote.

It is installed once from npm into a folder for test tools; where Node is missing or it cannot be had, these tests are
skipped with the reason.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sample_files import png, wav
from tuner_house import order_in, until_ended

from bot.domain import Message, Prompt, StrategyName, TextDelta, Usage
from bot.errors import ModelError, ModelNotFound, ModelRateLimited, ModelUnavailable
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from bot.models.client import OpenAIModel, Timeouts, open_client
from bot.models.drawing import NO_USAGE, DrawingModel
from bot.models.retry import AttemptFailed, AttemptStarted, attempts
from bot.models.transcription import TranscriptionModel
from bot.models.tuning_jobs import TuningJobs
from bot.tuning.hosted import HostedTuner

VERSION = "1.43.0"
FIXTURES = {
    "fixtures": [
        {"match": {"userMessage": "deploys"}, "response": {"content": "Deploys run on Tuesdays. [1]"}},
        {
            "match": {"userMessage": "busy", "sequenceIndex": 0},
            "response": {"error": {"message": "Slow down.", "type": "rate_limit_error"}, "status": 429},
        },
        {"match": {"userMessage": "busy", "sequenceIndex": 1}, "response": {"content": "Now it works."}},
        {
            "match": {"userMessage": "broken"},
            "response": {"error": {"message": "Boom.", "type": "server_error"}, "status": 500},
        },
        {
            "match": {"userMessage": "dropped"},
            "response": {"content": "This answer is dropped in its middle and never comes to its end."},
            "latency": 100,
            "truncateAfterChunks": 3,
        },
        {
            "match": {"endpoint": "transcription"},
            "response": {"transcription": {"text": "Roll it back.", "usage": {"type": "duration", "seconds": 3}}},
        },
        {
            "match": {"endpoint": "image", "userMessage": "fox"},
            "response": {"image": {"b64Json": b64encode(png()).decode()}},
        },
        {
            "match": {"endpoint": "image", "userMessage": "weapon"},
            "response": {
                "error": {"message": "Not allowed.", "type": "invalid_request_error", "code": "moderation_blocked"},
                "status": 400,
            },
        },
    ]
}


@pytest.fixture(scope="session")
def aimock_command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """How to start aimock."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("aimock needs Node, which is not on this machine")
    folder = tmp_path_factory.getbasetemp().parent / f"aimock-{VERSION}"
    script = folder / "node_modules" / ".bin" / "llmock"
    if not script.exists():
        command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"]
        try:
            subprocess.run(
                [*command, f"@copilotkit/aimock@{VERSION}"], check=True, capture_output=True, text=True, timeout=120
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"aimock could not be installed from npm: {type(error).__name__}")
    return [node, str(script)]


@pytest.fixture
async def aimock(aimock_command: list[str], tmp_path: Path) -> AsyncIterator[str]:
    """The address of a running aimock."""
    fixtures = tmp_path / "fixtures.json"
    fixtures.write_text(json.dumps(FIXTURES))
    process = await asyncio.create_subprocess_exec(
        *aimock_command,
        "-p",
        "0",
        "-f",
        str(fixtures),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            address = None
            while address is None:
                line = (await process.stdout.readline()).decode()
                assert line, "aimock ended before it listened"
                address = re.search(r"http://127\.0\.0\.1:\d+", line)
        yield f"{address[0]}/v1"
    finally:
        process.terminate()
        await process.communicate()


@pytest.fixture
def model(aimock: str, connect: Callable[..., OpenAIModel]) -> OpenAIModel:
    return connect(provider={"base_url": aimock}, card={"name": "gpt-4o"})


def asking(text: str) -> Prompt:
    return Prompt(strategy=StrategyName.ZERO_SHOT, question=text, messages=(Message("user", text),))


async def test_an_answer_streams_with_usage(model: OpenAIModel) -> None:
    events = [event async for event in model.stream(asking("When do deploys run?"), max_tokens=100)]
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "Deploys run on Tuesdays. [1]"
    usage = events[-1]
    assert isinstance(usage, Usage)
    assert usage.completion_tokens > 0
    assert not usage.estimated


async def test_a_rate_limit_is_waited_out_and_both_tries_are_told(model: OpenAIModel) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    told = [event async for event in attempts(model, asking("are you busy?"), max_tokens=50, sleep=sleep)]
    failed = told[1]
    assert told[0] == AttemptStarted(1)
    assert isinstance(failed, AttemptFailed)
    assert isinstance(failed.error, ModelRateLimited)
    assert waits == [failed.error.retry_after] == [1.0]
    assert told[2] == AttemptStarted(2)
    assert "".join(e.text for e in told if isinstance(e, TextDelta)) == "Now it works."


@pytest.mark.parametrize(("question", "kind"), [("broken", ModelUnavailable), ("unmatched", ModelNotFound)])
async def test_an_error_status_becomes_ours(model: OpenAIModel, question: str, kind: type[ModelError]) -> None:
    with pytest.raises(kind):
        _ = [event async for event in model.stream(asking(question), max_tokens=50)]


async def test_a_stream_that_is_dropped_gives_its_text_its_usage_and_an_error(model: OpenAIModel) -> None:
    events, error = await until_fault(model, asking("dropped"))
    assert isinstance(events[0], TextDelta)
    assert isinstance(events[-1], Usage)
    assert events[-1].estimated
    assert isinstance(error, ModelUnavailable)
    assert "broke off in the middle" in str(error)


async def until_fault(model: OpenAIModel, prompt: Prompt) -> tuple[list[TextDelta | Usage], ModelError | None]:
    events: list[TextDelta | Usage] = []
    try:
        async for event in model.stream(prompt, max_tokens=50):
            events += [event]
    except ModelError as error:
        return events, error
    return events, None


async def test_its_models_are_listed(model: OpenAIModel) -> None:
    await model.ping()


async def test_speech_is_written_down_and_a_picture_is_drawn_or_refused(aimock: str) -> None:
    provider = Provider(name="house", title="House", base_url=aimock, local=True)
    client = open_client(provider, None, Timeouts())
    try:
        ear = ModelCard(name="gpt-transcribe", provider="house", task="transcription")
        heard = await TranscriptionModel(ear, provider, client).transcribe(wav(2_500), 2_500)
        assert (heard.text, heard.usage.audio_ms, heard.unpriced) == ("Roll it back.", 3_000, "")
        brush = DrawingModel(ModelCard(name="gpt-image-2.5-flare", provider="house", task="image"), provider, client)
        drawn = await brush.draw("a red fox")
        assert (brush.picture(drawn), drawn.usage.images, drawn.unpriced) == (png(), 1, NO_USAGE)
        with pytest.raises(ModelError, match=r"will not draw this: Not allowed\."):
            await brush.draw("a weapon")
    finally:
        await client.close()


@pytest.fixture
async def jobs(aimock: str) -> AsyncIterator[TuningJobs]:
    card = ModelCard(name="gpt-4.1-mini", provider="mock", context_window=4096)
    client = TuningJobs(card, Provider(name="mock", base_url=aimock, local=True), None)
    yield client
    await client.close()


async def test_a_tuning_job_is_found_again_by_its_run_and_followed_to_its_end(jobs: TuningJobs, tmp_path: Path) -> None:
    order = order_in(tmp_path)
    tuner = HostedTuner(jobs)
    job = await tuner.begin(order, None)
    assert await HostedTuner(jobs).begin(order, None) == job
    look = await until_ended(tuner, order, job)
    assert (look.state, look.problem) == ("succeeded", "")
    assert look.result.startswith("ft:gpt-4.1-mini")
    assert look.tokens is not None
    assert [event.message for event in await jobs.events(job)][-1].startswith("Training complete")


async def test_a_tuning_job_can_be_cancelled(jobs: TuningJobs, tmp_path: Path) -> None:
    order, tuner = order_in(tmp_path), HostedTuner(jobs)
    job = await tuner.begin(order, None)
    await tuner.cancel(order, job)
    assert (await tuner.look(order, job)).state == "cancelled"
    await tuner.cancel(order, job)
