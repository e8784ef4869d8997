"""The tuners that need no torch, each held against the same port; the one on this machine is in tests/finetune."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import tuner_house
from job_server import JobServer, rows_of
from tuner_house import House, command_house, hosted_house, jobs_of, order_in, until_ended

from bot.errors import ModelError, UnusableTraining
from bot.tuning.command import CommandTuner, read_command
from bot.tuning.hosted import HostedTuner
from bot.tuning.local import LocalTuner

BOTH = {"hosted": hosted_house, "command": command_house}


@pytest.fixture(params=BOTH)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with BOTH[request.param](tmp_path) as opened:
        yield opened


async def test_a_run_is_begun_once_whoever_begins_it(house: House) -> None:
    await tuner_house.it_is_begun_once(house)


async def test_a_run_ends_well_with_its_figures(house: House) -> None:
    await tuner_house.it_ends_well_with_its_figures(house)


async def test_a_run_can_be_cancelled(house: House) -> None:
    await tuner_house.it_can_be_cancelled(house)


async def test_a_run_says_why_it_failed(house: House) -> None:
    await tuner_house.it_says_why_it_failed(house, "on fire")


async def test_a_server_gets_the_rows_once_and_is_told_the_run(tmp_path: Path) -> None:
    async with JobServer() as server:
        jobs, order = jobs_of(server), order_in(tmp_path, epochs=4, seed=9)
        await HostedTuner(jobs).begin(order, None)
        (job,) = server.jobs.values()
        assert (job["metadata"], job["seed"], job["model"]) == ({"switchboard_run": order.run}, 9, "tunable")
        assert job["method"]["supervised"]["hyperparameters"] == {"n_epochs": 4, "batch_size": 8}
        assert (len(rows_of(server, "train.jsonl")), len(rows_of(server, "validation.jsonl"))) == (18, 2)
        await HostedTuner(jobs).begin(order, None)
        assert len(server.files) == 2
        await jobs.close()


async def test_preferences_are_tuned_by_dpo(tmp_path: Path) -> None:
    async with JobServer() as server:
        jobs = jobs_of(server)
        await HostedTuner(jobs).begin(order_in(tmp_path, objective="dpo"), None)
        (job,) = server.jobs.values()
        assert job["method"]["type"] == "dpo"
        assert rows_of(server, "preferences.jsonl")[0]["preferred_output"][0]["content"] == "Well."
        await jobs.close()


async def test_a_job_whose_creation_was_never_answered_is_found_and_not_paid_twice(tmp_path: Path) -> None:
    async with JobServer(cut=True) as server:
        jobs, order = jobs_of(server), order_in(tmp_path)
        with pytest.raises(ModelError):
            await HostedTuner(jobs).begin(order, None)
        server.cut = False
        assert await HostedTuner(jobs).begin(order, None) == "ftjob-0001"
        assert len(server.jobs) == 1
        # Nor where the server keeps no metadata: the file is the run's own.
        server.jobs["ftjob-0001"].pop("metadata")
        assert await HostedTuner(jobs).begin(order, None) == "ftjob-0001"
        await jobs.close()


async def test_expired_jobs_forgotten_jobs_and_silence_are_told_in_words(tmp_path: Path) -> None:
    async with JobServer() as server:
        jobs, order = jobs_of(server), order_in(tmp_path)
        later = datetime.now(UTC) + timedelta(hours=2)
        tuner = HostedTuner(jobs, clock=lambda: later)
        job = await tuner.begin(order, None)
        look = await tuner.look(order, job)
        assert look.state == "running"
        assert look.problem.startswith("The server has said nothing since ")
        server.checkpoints[job] = [
            {
                "id": "c",
                "object": "fine_tuning.job.checkpoint",
                "created_at": 1,
                "fine_tuned_model_checkpoint": "ft:half",
                "step_number": 10,
                "metrics": {},
                "fine_tuning_job_id": job,
            }
        ]
        assert (await tuner.look(order, job)).steps[10].checkpoint == "ft:half"
        server.end("expired")
        assert (await tuner.look(order, job)).state == "expired"
        server.jobs.clear()
        look = await tuner.look(order, job)
        assert (look.state, look.problem) == ("expired", f"The server does not know the job {job} any more.")
        await jobs.close()


async def test_a_command_that_was_killed_is_begun_again_only_where_it_can_go_on(tmp_path: Path) -> None:
    order = order_in(tmp_path)
    for resumes, state in ((False, "failed"), (True, "succeeded")):
        file = tmp_path / f"{resumes}.yaml"
        script = "[ -e once ] && mkdir {out} && touch {out}/model && exit 0; touch once; kill -9 0"
        file.write_text(json.dumps({"command": ["sh", "-c", script], "resumes": resumes}))
        tuner = CommandTuner(read_command(file), tmp_path / f"runs-{resumes}")
        look = await until_ended(tuner, order, await tuner.begin(order, None))
        assert look.state == state
        assert ("ended without a word" in look.problem) is not resumes


async def test_a_command_that_leaves_nothing_has_failed(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("command: ['true']")
    tuner, order = CommandTuner(read_command(file), tmp_path / "runs"), order_in(tmp_path)
    look = await until_ended(tuner, order, await tuner.begin(order, None))
    assert (look.state, "there is nothing at {out}" in look.problem) == ("failed", True)
    file.write_text("command: ['true']\nmodel: team/tuned-1")
    other = CommandTuner(read_command(file), tmp_path / "named")
    assert (await until_ended(other, order, await other.begin(order, None))).result == "team/tuned-1"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("command: [a\n", "is no YAML"),
        ("comand: [a]", "Did you mean “command”?"),
        ("command: []", "“command”"),
        ("command: ['{trian}']", "there is no place 'trian'; there are train"),
        ("", "cannot be used"),
    ],
)
def test_a_command_file_with_a_mistake_is_refused_in_words(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(text)
    with pytest.raises(UnusableTraining, match=says):
        read_command(file)


async def test_a_python_without_torch_is_told_in_a_sentence_with_the_way_out(tmp_path: Path) -> None:
    order = order_in(tmp_path)
    tuner = LocalTuner(sys.executable, tmp_path / "runs")
    look = await until_ended(tuner, order, await tuner.begin(order, None))
    assert look.state == "failed"
    assert "lacks (torch). Install them there: `pip install torch==2.13.0`" in look.problem
    assert "`tuning.python`" in look.problem
    with pytest.raises(UnusableTraining, match="There is no Python at /nowhere/python"):
        await LocalTuner("/nowhere/python", tmp_path / "others").begin(order, None)


async def test_a_process_that_keeps_dying_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\necho 'Segmentation fault'\nkill -9 0\n")
    dying.chmod(0o700)
    order, tuner = order_in(tmp_path), LocalTuner(str(dying), tmp_path / "runs")
    look = await until_ended(tuner, order, await tuner.begin(order, None))
    assert look.state == "failed"
    assert look.problem.endswith(
        "ended 3 times without a word. It wrote last: " + " · ".join(["Segmentation fault"] * 3)
    )
