"""Another model steps in for the one that was asked for: the thread says so, and the receipt tells what happened."""

from __future__ import annotations

from pathlib import Path

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot
from model_server import ModelServer, Reply, answer, unauthorized

from bot.config import Chains, Models, Settings
from deploy.workspace.driver import Driver

MODEL = '[[models]]\nname = "{name}"\nprovider = "house"\ncontext_window = 8192\nfree = true\n'


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Three models, of which the third steps in, and then the second."""
    cards = tmp_path / "cards.toml"
    providers = cards.read_text(encoding="utf-8").split("[[models]]")[0]
    names = ("first", "second", "third")
    cards.write_text("\n".join([providers, *(MODEL.format(name=name) for name in names)]), encoding="utf-8")
    models = Models(cards=cards, chains=Chains(answer=("third", "second")))
    return settings.model_copy(update={"models": models})


async def test_a_line_under_the_answer_says_that_another_model_gave_it_and_the_receipt_tells_why(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    replies = {"first": unauthorized(), "third": unauthorized(), "second": answer("On Tuesdays. [1]")}

    def by_model(request: object) -> Reply:
        return replies[request.body["model"]]  # type: ignore[attr-defined]

    server.answering = by_model
    await bot.core.pins.set("person", "U0MAYA", model="first", by="U0MAYA")
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} When do deploys run?")
    reply = await maya.wait_for_reply("C0GENERAL", ts, lambda m: "why" in str(m.get("blocks")))
    assert reply["text"].startswith("On Tuesdays.")
    note = "“first” is what you pinned for yourself, but it did not answer: this is from “second”."
    assert note in str(reply["blocks"])
    await maya.click(reply, "why")
    modal = str(await maya.wait_for_view())
    first = modal.index("“first” was chosen first but did not answer, so “third” stepped in.")
    assert first < modal.index("“third” did not answer either, so “second” stepped in.")
