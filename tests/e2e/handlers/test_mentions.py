from __future__ import annotations

from connected_bot import SWITCHBOARD, ConnectedBot
from model_server import ModelServer

from deploy.workspace.driver import Driver


async def test_a_mention_is_answered_in_its_thread_with_sources(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    server.script("Deploys run on Tuesdays and Thursdays. [1]")
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    reply = await maya.wait_for_reply("C0GENERAL", ts)
    assert reply["thread_ts"] == ts
    assert reply["text"].startswith("Deploys run on Tuesdays and Thursdays. [1]")
    shown = str(reply["blocks"])
    assert "https://docs.example/deploys.md" in shown
    assert "test-model" in shown
    assert "knowledge search (RAG)" in shown
