"""A question back in a thread: its buttons, and what comes after a click."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from connected_bot import SWITCHBOARD, ConnectedBot
from model_server import ModelServer

from bot.config import Models, Selection, Settings
from bot.storage.tables import questions
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON

ASKED = "How do I get a badge?"
BADGES = {
    "contractors.md": "# Contractor badges\n\nTo get a badge for contractors, ask the front desk for a yellow one.\n",
    "staff.md": "# Staff badges\n\nTo get a badge for staff, ask the front desk for a blue one.\n",
}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Two documents that may be meant, and a model that is known to answer badly."""
    for name, text in BADGES.items():
        (tmp_path / "docs" / name).write_text(text, encoding="utf-8")
    cards = tmp_path / "cards.toml"
    with cards.open("a", encoding="utf-8") as file:
        file.write("scores = { rag = 0.3, zero_shot = 0.1 }\n")
    changed = {"selection": Selection(clarify=True), "models": Models(default="test-model", cards=cards)}
    return settings.model_copy(update=changed)


async def asked_back(person: Driver) -> JSON:
    """The question back to a question in #general."""
    ts = await person.post("C0GENERAL", f"{SWITCHBOARD} {ASKED}")
    return await person.wait_for_reply("C0GENERAL", ts, lambda m: "clarify_0" in str(m.get("blocks")))


def named(message: JSON, label: str) -> str:
    """The action id of the button with a label."""
    elements = [each for block in message["blocks"] for each in block.get("elements", ())]
    return next(str(each["action_id"]) for each in elements if (each.get("text") or {}).get("text") == label)


async def test_a_click_on_what_is_meant_is_answered_from_there_and_the_buttons_go(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    question = await asked_back(maya)
    assert question["text"].startswith("Do you mean “")
    assert named(question, "None of these: just answer")
    assert server.chats == []
    server.script("Ask the front desk. [1]")
    await leo.click(question, named(question, "Contractor badges"))
    answer = await maya.wait_for_message(
        "C0GENERAL", lambda m: "Ask the front desk." in m["text"] and "why" in str(m), thread=question["thread_ts"]
    )
    assert "https://docs.example/contractors.md" in str(answer["blocks"])
    settled = await maya.wait_for_message(
        "C0GENERAL",
        lambda m: m["ts"] == question["ts"] and "<@U0LEO> chose *Contractor badges*" in str(m.get("blocks")),
        thread=question["thread_ts"],
    )
    assert "clarify_" not in str(settled["blocks"])


async def test_none_of_these_answers_without_asking_again(bot: ConnectedBot, maya: Driver, server: ModelServer) -> None:
    question = await asked_back(maya)
    server.script("Ask somebody.")
    await maya.click(question, named(question, "None of these: just answer"))
    await maya.wait_for_message("C0GENERAL", lambda m: "Ask somebody." in m["text"], thread=question["thread_ts"])
    await bot.idle(maya)
    assert len(server.chats) == 1


async def test_a_reply_in_own_words_is_answered_too(bot: ConnectedBot, maya: Driver, server: ModelServer) -> None:
    question = await asked_back(maya)
    server.script("How do contractors get a badge?", "Ask the front desk. [1]")
    await maya.post("C0GENERAL", "for contractors", thread=question["thread_ts"])
    await maya.wait_for_message("C0GENERAL", lambda m: "Ask the front desk." in m["text"], thread=question["thread_ts"])
    await bot.idle(maya)
    async with bot.core.engine.connect() as connection:
        receipts = (await connection.execute(sa.select(questions.c.receipt))).scalars()
        assert sorted(receipt["outcome"] for receipt in receipts) == ["answered", "asked_back"]


async def test_of_several_clicks_the_first_counts(bot: ConnectedBot, maya: Driver, server: ModelServer) -> None:
    question = await asked_back(maya)
    value = next(each["value"] for block in question["blocks"] for each in block.get("elements", ()) if "value" in each)
    elements = [
        {"type": "button", "action_id": "clarify_7", "text": {"type": "plain_text", "text": "Old"}, "value": value}
    ]
    posted = await bot.client.chat_postMessage(
        channel="C0GENERAL", text="Which?", blocks=[{"type": "actions", "elements": elements}]
    )
    twin = await maya.wait_for_message("C0GENERAL", lambda m: m["ts"] == posted["ts"])
    for _ in range(2):
        await maya.click(question, named(question, "Staff badges"))
        await maya.click(twin, "clarify_7")
        await bot.idle(maya)
        if server.chats:
            break
    assert len(server.chats) == 1


async def test_a_private_question_is_answered_and_not_asked_back(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    server.script("It depends.")
    await maya.command("/ask", ASKED)
    await maya.wait_for_ephemeral("C0GENERAL", lambda m: "It depends." in m["text"])
