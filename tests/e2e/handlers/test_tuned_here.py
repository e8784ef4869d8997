"""What is done beside a running bot: a tuned model comes and goes, and so do files with people's words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot, connected_bot
from sqlalchemy.ext.asyncio import AsyncEngine
from training_house import ThingsEmbedder, plain_questions
from training_rows import NOW, row

from bot.config import Settings
from bot.models.catalogue import load_catalogue
from bot.storage.engine import open_engine
from bot.tuning.consents import Consents
from bot.tuning.datasets import Datasets, made
from bot.tuning.gathering import Gathered
from bot.tuning.runs import Runs
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON

CARD = {"name": "team-1", "provider": "house", "context_window": 8192, "free": True, "fine_tune": {"kind": "our tools"}}


@pytest.fixture
async def bot(workspace: Workspace, settings: Settings) -> AsyncIterator[ConnectedBot]:
    async with connected_bot(workspace, settings, mode="socket") as running:
        yield running


@pytest.fixture
async def engine(bot: ConnectedBot) -> AsyncIterator[AsyncEngine]:
    """Another process's, on the same database."""
    opened = open_engine(bot.core.settings.database_url)
    yield opened
    await opened.dispose()


async def until(condition: Callable[[], object]) -> None:
    """Waits until the bot has followed what another process wrote."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what it waits for is not this process's
            await asyncio.sleep(0.02)


async def trained(engine: AsyncEngine, folder: Path) -> tuple[str, str]:
    """A data set and a run on it, which left a model."""
    gathered = Gathered([row(text, f"With tool {n}.", n) for n, text in enumerate(plain_questions(20))])
    data = await made(gathered, (), ["everyone"], ThingsEmbedder())
    await Datasets(engine, folder).keep(data, by="ana", at=NOW)
    run = await Runs(engine).order(
        tuner="import",
        dataset=data.id,
        base="test-model",
        parameters={},
        held=None,
        by="ana",
        at=NOW,
        state="succeeded",
        result="team-1",
    )
    return data.id, run.id


async def tune(person: Driver, text: str, says: str) -> JSON:
    before = f"{time.time():.6f}"
    await person.command("/tune", text)
    return await person.wait_for_ephemeral("C0GENERAL", lambda m: says in str(m), after=before)


async def test_a_model_that_is_registered_or_retired_counts_in_a_bot_that_runs(
    bot: ConnectedBot, engine: AsyncEngine, maya: Driver, leo: Driver, tmp_path: Path
) -> None:
    _, run = await trained(engine, tmp_path / "elsewhere")
    await tune(maya, "shadow team-1", "There is no model called “team-1”.")
    await Runs(engine).register(run, CARD, by="command line", at=NOW)
    await until(lambda: bot.core.models.catalogue.cards[0].name == "team-1")
    await tune(maya, "shadow team-1", "*team-1* · in the shadow")
    tuned = bot.core.models.catalogue.cards[0].fine_tune
    assert tuned is not None
    assert "How do we restart the search?" in tuned.prompts
    asked = await leo.post("C0GENERAL", f"{SWITCHBOARD} model:team-1 what is a rollback?")
    assert "*team-1* ·" in str((await leo.wait_for_reply("C0GENERAL", asked))["blocks"])

    await Runs(engine).retire(run, by="command line", at=NOW)
    await until(lambda: "team-1" not in [card.name for card in bot.core.models.catalogue.cards])
    asked = await leo.post("C0GENERAL", f"{SWITCHBOARD} model:team-1 what is a rollback?")
    reply = await leo.wait_for_reply("C0GENERAL", asked)
    assert "“team-1” was retired. `/model list` shows the models that answer." in str(reply)
    assert "team-1" not in [card.name for card in load_catalogue(bot.core.settings.models.cards).cards]


async def test_files_with_withdrawn_words_go_from_the_folder_of_a_bot_that_runs_and_so_do_the_models_questions(
    bot: ConnectedBot, engine: AsyncEngine, tmp_path: Path
) -> None:
    data, run = await trained(engine, tmp_path / "elsewhere")
    await Runs(engine).register(run, CARD, by="command line", at=NOW)
    folder = await Datasets(engine, bot.core.settings.data_dir).files(data)
    await until(lambda: bot.core.models.catalogue.cards[0].name == "team-1")
    await Consents(engine, "public").set("U0ANA", False, by="command line")
    await until(lambda: not folder.exists())
    await until(lambda: "restart the search" not in str(bot.core.models.catalogue.cards[0].fine_tune))
