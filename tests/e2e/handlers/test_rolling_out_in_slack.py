"""`/tune` as people type and press it: the board, each stage, roles, two admins at once, and what is refused."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot, connected_bot

from bot.config import Models, Report, Settings
from bot.tuning.runs import Runs
from bot.tuning.tuner import Look, Parameters, Step
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON

WHEN = f"{SWITCHBOARD} when do deploys run?"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """A second model at the same server, which the selector takes where it may."""
    cards = tmp_path / "cards.toml"
    with cards.open("a", encoding="utf-8") as file:
        file.write(
            '[[models]]\nname = "tuned-model"\nprovider = "house"\ncontext_window = 8192\nfree = true\n'
            'scores = { rag = 1.0 }\n[[models]]\nname = "unproven"\nprovider = "house"\ncontext_window = 8192\n'
            'free = true\nfine_tune = { kind = "deploys", prompts = ["When do deploys run?"] }\n'
        )
    return settings.model_copy(update={"models": Models(default="auto", cards=cards)})


@pytest.fixture
async def bot(workspace: Workspace, settings: Settings) -> AsyncIterator[ConnectedBot]:
    async with connected_bot(workspace, settings, mode="socket") as running:
        yield running


async def tune(person: Driver, text: str, says: str) -> JSON:
    """Types it; gives what has these words, which nobody else sees."""
    before = f"{time.time():.6f}"
    await person.command("/tune", text)
    return await person.wait_for_ephemeral("C0GENERAL", lambda m: says in str(m), after=before)


async def answered_by(person: Driver) -> str:
    ts = await person.post("C0GENERAL", WHEN)
    return str((await person.wait_for_reply("C0GENERAL", ts))["blocks"])


async def test_a_model_goes_from_the_shadow_to_everywhere_and_back(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    await tune(leo, "", "No model is being rolled out. An admin begins with")
    assert "*tuned-model* ·" in await answered_by(leo)
    told = await tune(maya, "shadow tuned-model because we tuned it", "in the shadow")
    assert "*tuned-model* · in the shadow · <@U0MAYA>, " in told["text"]
    assert told["text"].endswith("“we tuned it”\nIt answers some questions unseen; `/tune` shows how those compare.")
    assert "*tuned-model* ·" not in await answered_by(leo)
    board = await tune(maya, "", "None of its shadow answers is judged yet.")
    assert "actions" not in str((await tune(leo, "", "None of its shadow answers"))["blocks"])
    await maya.click(board, "rollout_canary")
    told = await maya.wait_for_ephemeral("C0GENERAL", lambda m: "canary: 10% in <#C0GENERAL>" in m["text"])
    await tune(maya, "canary tuned-model 40% workspace", "canary: 10% in <#C0GENERAL>, 40% of all other channels")
    shown = await tune(leo, "", "Too few to tell: each side needs 20 answers")
    assert "Cost of an answer" in str(shown["blocks"])
    await tune(maya, "full tuned-model", "One question in twenty goes on without it")
    await tune(maya, "back tuned-model because it made things up", "rolled back")
    assert "*tuned-model* ·" not in await answered_by(leo)
    await tune(maya, "retire tuned-model", "retired")
    assert "“it made things up”" not in str((await tune(maya, "", "retired"))["blocks"])


async def test_a_board_that_is_old_changes_nothing_and_says_what_holds(bot: ConnectedBot, maya: Driver) -> None:
    await tune(maya, "shadow tuned-model", "in the shadow")
    old = await tune(maya, "", "None of its shadow answers")
    await tune(maya, "canary tuned-model 20% here", "canary: 20%")
    await maya.click(old, "rollout_retired")
    told = await maya.wait_for_ephemeral("C0GENERAL", lambda m: "The board has changed since." in m["text"])
    assert "*tuned-model* · canary: 20% in <#C0GENERAL> · <@U0MAYA>" in told["text"]
    rollout = await bot.core.rollouts.of("tuned-model")
    assert rollout is not None
    assert rollout.step == 2


async def test_what_cannot_be_done_is_refused_in_words(bot: ConnectedBot, maya: Driver, leo: Driver) -> None:
    await tune(leo, "shadow tuned-model", "Only an admin can roll a model out or back.")
    for text, says in (
        ("shadow tunde-model", "There is no model called “tunde-model”. Did you mean tuned-model"),
        ("shadow", "Which model?"),
        ("shadow two models", "Which model?"),
        ("launch tuned-model", "I did not understand “launch”."),
        ("full tuned-model", "“tuned-model” is not being rolled out. Begin with `/tune shadow tuned-model`."),
        ("canary tuned-model here", "Which share of the questions?"),
        ("canary tuned-model 80% here", "80% is no share for a canary"),
        ("canary tuned-model -5% here", "-5% is no share for a canary"),
    ):
        assert "reference" in (await tune(maya, text, says))["text"]
    await tune(maya, "shadow unproven", "in the shadow")
    await tune(maya, "canary unproven 10% here", "has not been shown to beat the other models on golden questions")
    await tune(maya, "shadow unproven", "is in the shadow; next it can be")


async def test_a_training_run_has_one_message_that_is_edited_and_a_line_on_the_board(
    workspace: Workspace, settings: Settings, maya: Driver
) -> None:
    settings = settings.model_copy(update={"report": Report(channel="C0REPORTS")})
    minutes = (datetime.now(UTC) + timedelta(minutes=number) for number in count(2))
    async with connected_bot(workspace, settings, mode="socket") as bot:
        runs, now = Runs(bot.core.engine), bot.core.clock()
        parameters = Parameters().plain()
        run = await runs.order(
            tuner="local", dataset="d1", base="test-model", parameters=parameters, held=None, by="U0MAYA", at=now
        )
        await runs.begun(run.id, "job")
        assert await bot.schedule.perform("training", next(minutes))
        begun = await maya.wait_for_message("C0REPORTS", lambda m: run.id in m["text"])
        assert begun["text"] == f"Run {run.id} on test-model, local: running. Its price is unknown"
        await runs.keep(run.id, Look(state="running", steps={20: Step({"loss": 1.25}), 40: Step({"eval_loss": 1.5})}))
        assert await bot.schedule.perform("training", next(minutes))
        await maya.wait_for_message("C0REPORTS", lambda m: "step 40, loss 1.25, held out 1.5" in m["text"])
        board = await tune(maya, "", "step 40, loss 1.25")
        assert "Roll-outs: none" in board["text"]
    async with connected_bot(workspace, settings, mode="socket") as bot:
        done = Look(state="failed", problem="Memory ran out: halve `--batch`.")
        await Runs(bot.core.engine).end(run.id, done, cost=Decimal("0.5"), at=bot.core.clock(), by="training")
        assert await bot.schedule.perform("training", next(minutes))
        await maya.wait_for_message("C0REPORTS", lambda m: "failed, loss 1.25" in m["text"])
        said = [message for message in await maya.history("C0REPORTS") if run.id in message["text"]]
        assert [message["ts"] for message in said] == [begun["ts"]]
        assert said[0]["text"].endswith("It cost $0.50. Memory ran out: halve `--batch`")
