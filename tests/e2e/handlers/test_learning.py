"""What people do with answers in Slack becomes labels, and labels change what is chosen."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import sqlalchemy as sa
from connected_bot import SWITCHBOARD, ConnectedBot, connected_bot
from judging import NOW, replay
from model_server import ModelServer

from bot.config import Models, Settings
from bot.domain import StrategyName
from bot.jobs.learning_job import NIGHTLY, learning_job
from bot.jobs.schedule import Schedule
from bot.learning.replay import Replay
from bot.storage.tables import labels
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON

UTC = ZoneInfo("UTC")
QUESTION = "when do deploys run?"
ALIKE = (
    "how many days of vacation are there?",
    "how many vacation days are there a year?",
    "how many days of vacation does everybody have?",
    "vacation: how many days are there?",
    "how many days of vacation a year are there?",
    "how many vacation days does everybody have?",
)
RAG, PLAIN = (StrategyName.RAG, "test-model"), (StrategyName.ZERO_SHOT, "test-model")


async def given(bot: ConnectedBot) -> list[tuple[str, str]]:
    """All labels as person and signal."""
    async with bot.core.engine.connect() as connection:
        query = sa.select(labels.c.person, labels.c.signal).order_by(labels.c.signal, labels.c.person)
        rows = await connection.execute(query)
        return [(row.person, row.signal) for row in rows]


async def ask(bot: ConnectedBot, person: Driver, text: str = QUESTION, channel: str = "C0GENERAL") -> JSON:
    ts = await person.post(channel, f"{SWITCHBOARD} {text}")
    reply = await person.wait_for_reply(channel, ts, lambda m: "Try another way" in str(m.get("blocks")))
    await bot.idle(person)
    return reply


async def thumb(bot: ConnectedBot, person: Driver, answer: JSON, button: str) -> None:
    element = next(e for block in answer["blocks"] for e in block.get("elements", ()) if button in e)
    await person.click(answer, "feedback", value=element[button]["value"])
    await bot.idle(person)


@pytest.mark.parametrize("bot", ["socket"], indirect=True)
async def test_a_thumb_is_a_label_and_the_other_thumb_takes_it_back(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    server.script("Deploys run on Tuesdays. [1]")
    answer = await ask(bot, maya)
    await thumb(bot, maya, answer, "positive_button")
    await thumb(bot, leo, answer, "negative_button")
    assert await given(bot) == [("U0LEO", "down"), ("U0MAYA", "up")]
    await thumb(bot, leo, answer, "positive_button")
    assert await given(bot) == [("U0LEO", "up"), ("U0MAYA", "up")]


@pytest.mark.parametrize("bot", ["socket"], indirect=True)
async def test_asking_again_is_a_label_in_a_channel_and_in_private(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    server.script("Deploys run on Tuesdays. [1]", "On Tuesdays. [1]", "Tuesdays. [1]")
    await ask(bot, maya)
    assert await given(bot) == []
    await ask(bot, maya, "so when do the deploys run??")
    assert await given(bot) == [("U0MAYA", "asked_again")]
    await maya.command("/ask", "When do deploys run?")
    await maya.wait_for_ephemeral("C0GENERAL", lambda m: "Tuesdays" in str(m))
    await bot.idle(maya)
    assert await given(bot) == [("U0MAYA", "asked_again"), ("U0MAYA", "asked_again")]


@pytest.mark.parametrize("bot", ["socket"], indirect=True)
async def test_a_correction_in_the_thread_is_a_label_and_small_talk_is_none(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    server.script("Deploys run on Tuesdays. [1]", "You are right. [1]")
    answer = await ask(bot, maya)
    await leo.post("C0GENERAL", "No, thanks for nothing", thread=answer["thread_ts"])
    await bot.idle(leo)
    assert await given(bot) == []
    second = await ask(bot, maya, "who is on call?")
    await leo.post("C0GENERAL", "That's wrong, they run on Mondays.", thread=second["thread_ts"])
    await bot.idle(leo)
    assert await given(bot) == [("U0LEO", "corrected")]
    # A denial of what a colleague said is none of an answer.
    await maya.post("C0GENERAL", f"<@U0LEO> that's wrong, {SWITCHBOARD} knows", thread=second["thread_ts"])
    await bot.idle(maya)
    assert await given(bot) == [("U0LEO", "corrected")]


@pytest.mark.parametrize("bot", ["socket"], indirect=True)
async def test_an_answer_that_is_saved_as_it_was_is_a_label_and_one_put_right_is_none(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    server.script("Deploys run on Tuesdays. [1]")
    answer = await ask(bot, maya)
    await leo.shortcut("save_example", answer)
    await leo.submit_view(await leo.wait_for_view(), {"answer": "On Tuesdays and Thursdays at ten."})
    await bot.idle(leo)
    assert await given(bot) == []
    await maya.shortcut("save_example", answer)
    await maya.submit_view(await maya.wait_for_view())
    await bot.idle(maya)
    assert await given(bot) == [("U0MAYA", "copied")]


def golden(at: datetime) -> Replay:
    """An evaluation of this team in which choosing by question pays."""
    right = np.array([number % 2 == 0 for number in range(60)])
    expected = np.where(np.column_stack([right, ~right]), 0.99, 0.01)
    return replay(expected.tolist(), (expected > 0.5).astype(float).tolist(), ways=(RAG, PLAIN), at=at)


async def test_thumbs_change_what_is_chosen_after_the_night(
    workspace: Workspace, settings: Settings, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    async with connected_bot(workspace, with_a_dearer_model(settings)) as bot:
        learning, models = bot.core.learning, bot.core.models
        await learning.take(golden(bot.core.clock()))
        server.script(*["Everybody has 30 days. [1]"] * (len(ALIKE) + 1))
        for number, text in enumerate(ALIKE):
            answer = await ask(bot, leo if number % 2 else maya, text)
            assert "*test-model* · knowledge search (RAG)" in str(answer["blocks"])
            for person in (maya, leo):
                await thumb(bot, person, answer, "negative_button")
        schedule = Schedule(bot.core.engine, UTC, clock=bot.core.clock)
        schedule.add("tonight", NIGHTLY, learning_job(learning, models.usable), catch_up=True)
        await schedule.start()
        await schedule.run_due(bot.core.clock() + timedelta(days=1))
        await schedule.close()
        better = await ask(bot, leo, "how many days of vacation does everybody have a year?")
        assert "*dear-model* · knowledge search (RAG)" in str(better["blocks"])
        receipt = await bot.core.assistant.receipt(_question_of(better))
        assert receipt is not None
        assert (receipt.choice.policy, receipt.choice.propensity) == ("learned", 1.0)
        assert receipt.choice.reasons[0].startswith("What people made of earlier answers speaks for rag · dear-model")


def with_a_dearer_model(settings: Settings) -> Settings:
    """Two models are taken to be as good; the second is so much dearer that it is not even tried out."""
    assert settings.models.cards is not None
    with settings.models.cards.open("a", encoding="utf-8") as cards:
        cards.write(
            '[[models]]\nname = "dear-model"\nprovider = "house"\ncontext_window = 8192\n'
            'summary = "A dear model for tests."\nrates = { input = "40", output = "80" }\n'
        )
    return settings.model_copy(update={"models": Models(cards=settings.models.cards)})


@pytest.mark.parametrize("bot", ["socket"], indirect=True)
async def test_the_home_tab_tells_admins_alone_who_chooses(bot: ConnectedBot, maya: Driver, leo: Driver) -> None:
    await maya.open_home()
    assert "Not yet measured on your questions" in str((await maya.wait_for_home())["blocks"])
    await leo.open_home()
    assert "Not yet measured" not in str((await leo.wait_for_home())["blocks"])
    even = replay([[0.9, 0.8]] * 40, [[1.0, 1.0]] * 40, ways=(RAG, PLAIN), at=NOW)
    await bot.core.learning.take(even)
    await maya.open_home()
    told = "No difference worth routing for: everything goes to rag · test-model."
    await maya.wait_for(lambda event: event["type"] == "home" and told in str(event))


def _question_of(message: JSON) -> str:
    elements = (element for block in message["blocks"] for element in block.get("elements", ()))
    return next(str(element["value"]) for element in elements if element.get("action_id") == "why")
