"""/compare: several models answer side by side in one thread, and people vote."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from connected_bot import ConnectedBot, connected_bot
from model_server import ModelServer, Request, answer, unauthorized

from bot.config import Models, Settings
from bot.storage.cost_tables import ledger
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON

ANSWERS = {"large": "On Tuesdays and Thursdays. [1]", "small": "On Tuesdays. [1]"}


@pytest.fixture
async def bot(workspace: Workspace, settings: Settings, server: ModelServer, tmp_path: Path) -> AsyncIterator[Any]:
    cards = f'[[providers]]\nname = "house"\nbase_url = "{server.url}"\nlocal = true\n'
    for name, rate in (("large", 10), ("small", 1), ("broken", 1)):
        cards += f'[[models]]\nname = "{name}"\nprovider = "house"\ncontext_window = 8192\n'
        cards += f'rates = {{ input = "{rate}", output = "{rate}" }}\n'
    (tmp_path / "cards.toml").write_text(cards, encoding="utf-8")
    models = Models(default="auto", cards=tmp_path / "cards.toml")

    def reply(request: Request) -> Any:
        model = request.body["model"]
        return answer(ANSWERS[model]) if model in ANSWERS else unauthorized()

    server.answering = reply
    async with connected_bot(workspace, settings.model_copy(update={"models": models})) as running:
        yield running


async def ballot(person: Driver, thread: str, has: str = "compare_vote") -> JSON:
    return await person.wait_for_message("C0GENERAL", lambda m: has in str(m.get("blocks")), thread=thread)


async def asked(person: Driver) -> str:
    head = await person.wait_for_message("C0GENERAL", lambda m: "compares" in m["text"])
    return str(head["ts"])


async def answers(person: Driver, thread: str) -> list[JSON]:
    return [m for m in await person.history("C0GENERAL", thread) if m["ts"] != thread and "compare" not in str(m)]


async def test_models_answer_from_the_same_evidence_side_by_side_with_time_cost_and_vote(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    await maya.command("/compare", "models:large,small,broken when do deploys run?")
    thread = await asked(maya)
    vote = await ballot(maya, thread)
    shown = {message["text"].splitlines()[0]: message["text"] for message in await answers(maya, thread)}
    assert "Thursdays" in shown["**A** · **large** · knowledge search (RAG)"], shown
    assert len(shown) == 3
    prompts = {request.prompt for request in server.chats}
    assert len(prompts) == 1
    facts = vote["blocks"][0]["text"]["text"]
    assert facts.count("$0.") == 2
    assert "*C* · *broken* · knowledge search (RAG) · could not answer" in facts
    async with bot.core.engine.connect() as connection:
        purposes = (await connection.execute(sa.select(ledger.c.purpose).distinct())).scalars().all()
    assert purposes == ["compare"]

    await leo.click(vote, "compare_vote_1")
    await ballot(maya, thread, "1 vote")
    assert (await bot.core.comparisons.preferences())["small"].won == 2


async def test_names_are_told_to_who_voted_and_to_all_when_the_asker_says_so(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    await maya.command("/compare", "blind: models:large,small when do deploys run?")
    thread = await asked(maya)
    vote = await ballot(maya, thread)
    everything = str(await maya.history("C0GENERAL", thread))
    assert "Thursdays" in everything
    assert "large" not in everything
    assert "small" not in everything

    await leo.click(vote, "compare_vote_reveal")
    await leo.wait_for_ephemeral("C0GENERAL", lambda m: "who asked" in m["text"])
    await leo.click(vote, "compare_vote_alike")
    told = await leo.wait_for_ephemeral("C0GENERAL", lambda m: "alike" in m["text"])
    assert "A was *large*" in told["text"]
    assert "large" not in str(await ballot(maya, thread, "1 for “alike”"))
    await maya.click(await ballot(maya, thread), "compare_vote_reveal")
    await ballot(maya, thread, "*A* · *large*")


async def test_what_cannot_be_compared_is_said(bot: ConnectedBot, maya: Driver) -> None:
    await maya.command("/compare", "")
    await maya.wait_for_ephemeral("C0GENERAL", lambda m: "Write your question after" in m["text"])
    await maya.command("/compare", "models:large why?")
    await maya.wait_for_ephemeral("C0GENERAL", lambda m: "Name at least two" in m["text"])
    await maya.command("/compare", "models:large,smal why?")
    await maya.wait_for_ephemeral("C0GENERAL", lambda m: "Did you mean small" in m["text"])
