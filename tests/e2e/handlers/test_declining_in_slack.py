"""What the team asks about itself and nothing tells: said in the thread and in private, with whom to ask."""

from __future__ import annotations

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot
from model_server import ModelServer

from deploy.workspace.driver import Driver

KEYS = "How do we rotate our encryption keys?"


@pytest.fixture
async def reviewed(bot: ConnectedBot) -> None:
    """A reviewed answer that comes near, but does not answer."""
    await bot.core.examples.save("Where are the keys to the server room?", "At the desk.", {"everyone"}, "U0MAYA")


async def test_a_thread_gets_what_was_searched_and_whom_to_ask_by_name(
    bot: ConnectedBot, reviewed: None, leo: Driver, server: ModelServer
) -> None:
    ts = await leo.post("C0GENERAL", f"{SWITCHBOARD} {KEYS}")
    reply = await leo.wait_for_reply("C0GENERAL", ts, lambda m: "why" in str(m.get("blocks")))
    assert "I have nothing on that: no document that everyone here may read answers it." in reply["text"]
    assert f"I searched 1 source (docs) for “{KEYS}”" in reply["text"]
    assert "budget" not in str(reply)
    assert "You could ask *Maya Chen*, who reviewed the nearest example." in str(reply["blocks"])
    assert "<@U0MAYA>" not in str(reply)
    assert "No model was asked" in str(reply["blocks"])
    assert server.chats == []
    await leo.click(reply, "why")
    modal = await leo.wait_for_view()
    assert "nothing was found to answer from" in str(modal)
    assert "I would have to guess" in str(modal)


async def test_a_private_question_gets_it_too(
    bot: ConnectedBot, reviewed: None, leo: Driver, server: ModelServer
) -> None:
    await leo.command("/ask", KEYS)
    told = await leo.wait_for_ephemeral("C0GENERAL", lambda m: "I have nothing on that" in m["text"])
    assert "no document that you may read answers it" in told["text"]
    assert "who reviewed the nearest example" in str(told["blocks"])
    assert server.chats == []


async def test_a_general_question_is_answered_all_the_same(bot: ConnectedBot, leo: Driver, server: ModelServer) -> None:
    server.script("391")
    ts = await leo.post("C0GENERAL", f"{SWITCHBOARD} what is 17*23")
    reply = await leo.wait_for_reply("C0GENERAL", ts, lambda m: "why" in str(m.get("blocks")))
    assert "391" in reply["text"]
