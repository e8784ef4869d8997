"""A draft in a thread: nobody reads an unsure one, and the receipt tells of both calls."""

from __future__ import annotations

from pathlib import Path

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot
from model_server import ModelServer, Reply, answer

from bot.config import Models, Selection, Settings
from deploy.workspace.driver import Driver

ASKED = "When do deploys run?"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
MODEL = '[[models]]\nname = "{name}"\nprovider = "house"\ncontext_window = 8192\nsummary = "For tests."\n'


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """A cheap model and a dear one that is a little better; drafts are configured."""
    cards = tmp_path / "cards.toml"
    providers = cards.read_text(encoding="utf-8").split("[[models]]")[0]
    small = MODEL.format(name="small") + 'rates = { input = "0.1", output = "1" }\nscores = { rag = 0.80 }\n'
    large = MODEL.format(name="large") + 'rates = { input = "2", output = "12" }\nscores = { rag = 0.82 }\n'
    cards.write_text(f"{providers}\n{small}\n{large}", encoding="utf-8")
    return settings.model_copy(update={"selection": Selection(escalate=True), "models": Models(cards=cards)})


async def test_an_unsure_draft_is_replaced_unseen_and_the_receipt_tells_of_both(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    server.script(
        Reply(pieces=["Perhaps ", "on Mondays. [1]"], logprobs=[-0.4, -0.7], usage=USAGE),
        answer("On Tuesdays and Thursdays. [1]", usage=USAGE),
    )
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} {ASKED}")
    reply = await maya.wait_for_reply("C0GENERAL", ts, lambda m: "why" in str(m.get("blocks")))
    assert "On Tuesdays and Thursdays." in reply["text"]
    assert "*large*" in str(reply["blocks"])
    shown = [call for call in await maya.calls() if call["method"].startswith("chat.")]
    assert "Drafting an answer" in str(shown)
    assert "Mondays" not in str(shown)
    assert [request.body["model"] for request in server.chats] == ["small", "large"]
    await maya.click(reply, "why")
    modal = str(await maya.wait_for_view())
    assert "A draft by “small” was unsure (0.42), so “large” answered; the draft cost $0.0002." in modal
    assert "chosen by how sure a draft was of itself" in modal
    assert "draft: *small*" in modal
    assert "answer: *large*" in modal


async def test_a_sure_draft_is_the_answer(bot: ConnectedBot, maya: Driver, server: ModelServer) -> None:
    server.script(answer("On Tuesdays. [1]", logprobs=-0.02, usage=USAGE))
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} {ASKED}")
    reply = await maya.wait_for_reply("C0GENERAL", ts, lambda m: "why" in str(m.get("blocks")))
    assert "On Tuesdays." in reply["text"]
    assert "*small*" in str(reply["blocks"])
    assert "https://docs.example/deploys.md" in str(reply["blocks"])
    assert len(server.chats) == 1
