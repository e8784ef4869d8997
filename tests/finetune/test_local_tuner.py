"""Training on this machine, by TRL and PEFT, held against the port that every tuner has."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tuner_house
from training_rows import row
from tuner_house import House, order_in, until_ended

from bot.tuning.children import Child
from bot.tuning.local import LocalTuner
from bot.tuning.row import FILES, written
from bot.tuning.trainer.train import OUT_OF_MEMORY
from bot.tuning.tuner import Order, Tuner

FAST: dict[str, Any] = {"epochs": 2, "learning_rate": 2e-3, "save_steps": 2, "max_tokens": 256, "patience": 0}
SECONDS = 240.0


@pytest.fixture
async def house(tmp_path: Path, python: str, tiny: Callable[[bool], Path]) -> AsyncIterator[House]:
    order = order_in(tmp_path, str(tiny(True)), **FAST)
    runs = tmp_path / "tuned"

    def again() -> Tuner:
        return LocalTuner(python, runs)

    async def nothing() -> None:
        """It ends by itself."""

    def begun() -> int:
        return Child(runs / order.run).attempts

    tuner = again()
    yield House(tuner, order, again, nothing, nothing, begun)
    child = Child(runs / order.run)
    child.end()


async def test_a_run_ends_well_and_leaves_a_merged_model(house: House) -> None:
    job = await house.tuner.begin(house.order, None)
    assert await house.again().begin(house.order, None) == job
    look = await until_ended(house.tuner, house.order, job, SECONDS)
    assert (look.state, look.problem) == ("succeeded", "")
    made = Path(look.result)
    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= {
        file.name for file in made.iterdir()
    }
    losses = {number: step.figures["loss"] for number, step in look.steps.items() if "loss" in step.figures}
    assert losses[max(losses)] < losses[min(losses)]
    assert look.tokens
    assert any(step.checkpoint for step in look.steps.values())
    assert await house.again().look(house.order, job) == look
    assert house.begun() == 1


async def test_a_run_can_be_cancelled(house: House) -> None:
    house = replace(house, order=replace(house.order, parameters=replace(house.order.parameters, epochs=100)))
    await tuner_house.it_can_be_cancelled(house)


async def until_told(child: Child, checkpoint: str) -> None:
    """Waits until another process has written that checkpoint."""
    async with asyncio.timeout(SECONDS):
        while True:
            if any(event.get("checkpoint") == checkpoint for event in child.events):
                return
            await asyncio.sleep(0.02)


async def test_a_run_that_is_killed_goes_on_from_its_checkpoint(house: House, tmp_path: Path) -> None:
    house = replace(house, order=replace(house.order, parameters=replace(house.order.parameters, epochs=6)))
    job = await house.tuner.begin(house.order, None)
    child = Child(tmp_path / "tuned" / house.order.run)
    await until_told(child, "checkpoint-4")
    os.killpg(int((child.folder / "pid").read_text()), signal.SIGKILL)
    look = await until_ended(house.again(), house.order, job, SECONDS)
    assert look.state == "succeeded"
    began = [event["resumed"] for event in child.events if "began" in event]
    assert began == [False, True]
    # It did not begin at the first step again, and came to the end that an unbroken run comes to.
    told = [event["step"] for event in child.events if (event.get("figures") or {}).get("loss")]
    after = told[told.index(max(told[: told.index(4) + 2])) :]
    assert min(after) >= 4
    assert max(told) == 18


async def test_what_cannot_be_trained_is_refused_in_words(
    tmp_path: Path, python: str, tiny: Callable[[bool], Path]
) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "team/base"}))
    order = order_in(tmp_path, str(tiny(False)), **FAST)
    cases: dict[str, tuple[Order, str]] = {
        "plain": (order, "has no chat template, so it cannot tell a question from its answer"),
        "adapter": (replace(order, base=str(adapter)), "is an adapter without its base (team/base)"),
        "none": (replace(order, base=str(tmp_path / "nothing")), "cannot be opened"),
        "qlora": (
            replace(order, base=str(tiny(True)), parameters=replace(order.parameters, method="qlora")),
            "QLoRA needs a GPU and bitsandbytes, and there is no GPU and no bitsandbytes here. Take `--method lora`.",
        ),
    }
    for name, (one, says) in cases.items():
        tuner = LocalTuner(python, tmp_path / name)
        look = await until_ended(tuner, one, await tuner.begin(one, None), SECONDS)
        assert (look.state, says in look.problem) == ("failed", True), look.problem


async def test_qlora_is_told_what_it_lacks_before_a_base_is_looked_for(tmp_path: Path, python: str) -> None:
    """Here a module of that name stands for bitsandbytes, and nothing for a GPU."""
    (tmp_path / "bitsandbytes.py").touch()
    script = as_python(tmp_path, f"export PYTHONPATH={tmp_path}", python)
    order = order_in(tmp_path, str(tmp_path / "nothing"), **FAST, method="qlora")
    tuner = LocalTuner(script, tmp_path / "runs")
    look = await until_ended(tuner, order, await tuner.begin(order, None), SECONDS)
    says = "QLoRA needs a GPU and bitsandbytes, and there is no GPU here. Take `--method lora`."
    assert (look.state, look.problem) == ("failed", says)


def as_python(folder: Path, first: str, python: str) -> str:
    """A program that does something first, and is the Python that has torch then."""
    script = folder / "python"
    script.write_text(f'#!/bin/sh\n{first}\nexec {python} "$@"\n')
    script.chmod(0o700)
    return str(script)


@pytest.fixture
def narrow() -> Iterator[Path]:
    """A control group with 200 MB of memory, whose file takes the processes that are to be in it."""
    root = Path("/sys/fs/cgroup")
    limit = "memory.limit_in_bytes" if (root / "memory").is_dir() else "memory.max"
    group = (root / "memory" if (root / "memory").is_dir() else root) / f"narrow-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"control groups cannot be made here ({error.strerror})")
    try:
        (group / limit).write_text(str(200 * 1024**2))
        yield group / "cgroup.procs"
    except OSError as error:
        pytest.skip(f"the memory of control groups cannot be limited here ({error.strerror})")
    finally:
        group.rmdir()


async def test_memory_that_runs_out_while_it_trains_is_told_and_not_tried_again(
    tmp_path: Path, python: str, tiny: Callable[[bool], Path]
) -> None:
    order = order_in(tmp_path, str(tiny(True)), **{**FAST, "batch": 600, "max_tokens": 512})
    rows = [row(f"What is said {n} times? " * 20, f"So much, {n} times. " * 60, n) for n in range(600)]
    (order.data / FILES["train"]).write_text(written("train", rows), encoding="utf-8")
    script = as_python(tmp_path, "ulimit -v 3000000; export OMP_NUM_THREADS=2", python)
    tuner = LocalTuner(script, tmp_path / "runs")
    look = await until_ended(tuner, order, await tuner.begin(order, None), SECONDS)
    assert (look.state, look.problem) == ("failed", OUT_OF_MEMORY)
    assert Child(tmp_path / "runs" / order.run).attempts == 1


async def test_a_training_process_that_the_kernel_ended_for_its_memory_is_not_begun_again(
    tmp_path: Path, python: str, tiny: Callable[[bool], Path], narrow: Path
) -> None:
    order = order_in(tmp_path, str(tiny(True)), **FAST)
    tuner = LocalTuner(as_python(tmp_path, f"echo $$ > {narrow}", python), tmp_path / "runs")
    look = await until_ended(tuner, order, await tuner.begin(order, None), SECONDS)
    assert (look.state, look.problem) == ("failed", OUT_OF_MEMORY)
    assert Child(tmp_path / "runs" / order.run).attempts == 1


async def test_a_base_without_a_template_can_be_given_one(
    tmp_path: Path, python: str, tiny: Callable[[bool], Path]
) -> None:
    template = tmp_path / "template.jinja"
    shutil.copyfile(tiny(True) / "chat_template.jinja", template)
    order = order_in(tmp_path, str(tiny(False)), **FAST, template=str(template))
    tuner = LocalTuner(python, tmp_path / "runs")
    assert (await until_ended(tuner, order, await tuner.begin(order, None), SECONDS)).state == "succeeded"


async def test_preferences_are_trained_on_by_dpo(tmp_path: Path, python: str, tiny: Callable[[bool], Path]) -> None:
    order = order_in(tmp_path, str(tiny(True)), **FAST, objective="dpo")
    tuner = LocalTuner(python, tmp_path / "runs")
    look = await until_ended(tuner, order, await tuner.begin(order, None), SECONDS)
    assert look.state == "succeeded"
    assert any("rewards/accuracies" in step.figures for step in look.steps.values())


async def test_all_weights_can_be_trained_and_it_ends_early_once_it_gets_no_better(
    tmp_path: Path, python: str, tiny: Callable[[bool], Path]
) -> None:
    # A rate at which it only gets worse: it has to end long before its thousand epochs.
    early = {**FAST, "method": "full", "learning_rate": 0.5, "epochs": 1000, "patience": 2}
    order = order_in(tmp_path, str(tiny(True)), **early)
    tuner = LocalTuner(python, tmp_path / "runs")
    look = await until_ended(tuner, order, await tuner.begin(order, None), SECONDS)
    assert look.state == "succeeded"
    assert max(look.steps) < 100
    assert any("eval_loss" in step.figures for step in look.steps.values())
