"""A source changes: the thread of an answer that leans on it is told, and somebody asks again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from connected_bot import SWITCHBOARD, ConnectedBot, connected_bot
from model_server import ModelServer, answer

from bot.config import Settings
from bot.config.sections import Recall
from bot.jobs.recall_job import recall_job
from bot.learning.editor import Editor
from bot.recall.notes import TRIES
from bot.storage.recall_tables import leanings, recalls
from bot.storage.tables import examples
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON
from handlers.audience import Places
from handlers.begun import Begun
from handlers.identity import Identity
from handlers.recalling import Notes

DEPLOYS = """# Deploys

## When do deploys run?

Deploys run on Tuesdays and Thursdays at 10:00. Nobody deploys on Fridays.
"""
CHANGED = DEPLOYS.replace("Thursdays at 10:00", "Wednesdays at 11:30")
ASKED = "when do deploys run?"
NOTE = "The source of this answer has changed"


@pytest.fixture
async def bot(workspace: Workspace, settings: Settings, server: ModelServer) -> AsyncIterator[ConnectedBot]:
    server.reply = answer("Deploys run on Tuesdays and Thursdays at 10:00. [1]")
    changed = {"recall": Recall(per_day=2)}
    async with connected_bot(workspace, settings.model_copy(update=changed)) as running:
        yield running


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    return tmp_path / "docs"


async def look(bot: ConnectedBot, docs: Path | None = None, text: str | None = DEPLOYS) -> None:
    """The document is written so (None: deleted), taken in, and what is to be told is told."""
    if docs is not None:
        file = docs / "deploys.md"
        if text is None:
            file.unlink()
        else:
            file.write_text(text, encoding="utf-8")
        await bot.core.knowledge.refresh()
    await job(bot)


async def job(bot: ConnectedBot) -> None:
    core = bot.core
    notes = Notes(bot.client, core, Places(bot.client), Begun(bot.client, core.replies, Identity(bot.client)))
    await recall_job(core.noticing, core.recalls, notes.tell, timedelta(days=90))(core.clock())


async def ask(bot: ConnectedBot, person: Driver, channel: str = "C0GENERAL", question: str = ASKED) -> str:
    ts = await person.post(channel, f"{SWITCHBOARD} {question}")
    await person.wait_for_reply(channel, ts)
    await bot.idle(person)
    return ts


async def notes_in(person: Driver, channel: str, ts: str) -> list[JSON]:
    return [m for m in await person.history(channel, ts) if NOTE in m["text"] or "was deleted" in m["text"]]


async def states(bot: ConnectedBot) -> list[str]:
    async with bot.core.engine.connect() as connection:
        return list((await connection.execute(sa.select(recalls.c.state).order_by(recalls.c.noticed_at))).scalars())


async def test_a_thread_is_told_once_of_old_and_new_and_answers_again_for_whoever_presses_first(
    bot: ConnectedBot, maya: Driver, leo: Driver, docs: Path, server: ModelServer
) -> None:
    ts = await ask(bot, maya)
    await look(bot)
    assert await notes_in(maya, "C0GENERAL", ts) == []
    await look(bot, docs, CHANGED)
    await look(bot)
    (note,) = await notes_in(maya, "C0GENERAL", ts)
    assert note["text"] == f"{NOTE}: Deploys"
    shown = str(note["blocks"])
    assert "Deploys run on Tuesdays and ~Thursdays~ at ~10:00.~" in shown
    assert "Deploys run on Tuesdays and *Wednesdays* at *11:30.*" in shown
    server.reply = answer("Deploys run on Tuesdays and Wednesdays at 11:30. [1]")
    pressed = (person.click(note, "recall_ask_again") for person in (leo, maya))
    await asyncio.gather(*pressed, return_exceptions=True)  # the second may find no button any more
    await bot.idle(leo)
    replies = await maya.history("C0GENERAL", ts)
    assert ["11:30. [1]" in m["text"] for m in replies].count(True) == 1
    (after,) = [m for m in replies if NOTE in m["text"]]
    assert str(after["blocks"]).count("asked again.") == 1
    assert "recall_ask_again" not in str(after["blocks"])
    await look(bot)
    assert len(await notes_in(maya, "C0GENERAL", ts)) == 1


async def test_what_was_moved_wrapped_or_added_elsewhere_is_told_to_nobody_and_a_deletion_is(
    bot: ConnectedBot, maya: Driver, docs: Path
) -> None:
    ts = await ask(bot, maya)
    wrapped = DEPLOYS.replace("Thursdays at", "Thursdays\nat").replace("Nobody", "**Nobody**")
    await look(bot, docs, f"---\nowner: sam\n---\n{wrapped}\n## Who deploys?\n\nThe captain of the week does.\n")
    (docs / "deploys.md").rename(docs / "releases.md")
    await bot.core.knowledge.refresh()
    await look(bot)
    assert await states(bot) == []
    (docs / "releases.md").unlink()
    await bot.core.knowledge.refresh()
    await look(bot)
    (note,) = await notes_in(maya, "C0GENERAL", ts)
    assert note["text"] == "The source of this answer was deleted: Deploys"


async def test_a_document_that_changes_back_and_forth_is_told_of_once_a_day(
    bot: ConnectedBot, maya: Driver, docs: Path
) -> None:
    ts = await ask(bot, maya)
    for hour in range(5):
        await look(bot, docs, DEPLOYS.replace("10:00", f"1{hour}:30"))
    assert len(await notes_in(maya, "C0GENERAL", ts)) == 1
    async with bot.core.engine.begin() as connection:
        await connection.execute(sa.update(leanings).values(noted_at=bot.core.clock() - timedelta(days=1, minutes=1)))
    await look(bot)
    told = await notes_in(maya, "C0GENERAL", ts)
    assert len(told) == 2
    assert "*14:30.*" in str(told[1]["blocks"])


async def test_an_answer_for_one_person_alone_is_told_to_that_person_alone(
    bot: ConnectedBot, maya: Driver, docs: Path, workspace: Workspace
) -> None:
    await maya.command("/ask", ASKED, channel="C0GENERAL")
    await bot.idle(maya)
    await look(bot, docs, CHANGED)
    (told,) = [m for m in await maya.history("D0MAYA") if NOTE in m["text"]]
    assert f"You asked: “{ASKED}”" in str(told["blocks"])
    assert [m for m in await maya.history("C0GENERAL") if NOTE in m["text"]] == []


async def test_readers_who_may_not_read_the_source_any_more_see_only_that_it_changed(
    bot: ConnectedBot, maya: Driver, docs: Path
) -> None:
    ts = await ask(bot, maya)
    (docs / "deploys.md").write_text(CHANGED, encoding="utf-8")
    await bot.core.knowledge.refresh()
    await bot.core.knowledge.restrict("docs", frozenset({"channel:G0FIN"}))
    await job(bot)
    (note,) = [m for m in await maya.history("C0GENERAL", ts) if "has changed" in m["text"]]
    assert "Not everybody who reads here may read it now" in note["text"]
    assert not any(word in str(note) for word in ("Wednesdays", "Thursdays", "Deploys"))


async def test_more_than_a_day_takes_is_counted_in_one_message_and_a_channel_can_switch_it_off(
    bot: ConnectedBot, maya: Driver, docs: Path
) -> None:
    threads = [await ask(bot, maya, question=f"{ASKED} {n}") for n in range(5)]
    silent = await ask(bot, maya, "C0ENG")
    await maya.command("/switchboard", "recall off", channel="C0ENG")
    await maya.wait_for_ephemeral("C0ENG", lambda m: "do not hear of sources that change" in m["text"])
    await look(bot, docs, CHANGED)
    await look(bot)
    assert [len(await notes_in(maya, "C0GENERAL", ts)) for ts in threads] == [0, 0, 0, 1, 1]
    (counted,) = [m for m in await maya.history("C0GENERAL") if "more answers here" in m["text"]]
    assert counted["text"] == "And 3 more answers here: their sources have changed."
    assert str(counted["blocks"]).count(f"{ASKED}") == 3
    assert await notes_in(maya, "C0ENG", silent) == []


async def test_a_note_that_slack_refuses_is_tried_again_and_one_without_its_thread_is_let_go(
    bot: ConnectedBot, maya: Driver, docs: Path
) -> None:
    ts, gone = await ask(bot, maya), await ask(bot, maya, "C0HELP")
    answers = [m for m in await maya.history("C0HELP", gone) if m["ts"] != gone]
    for message in answers:
        await bot.client.chat_delete(channel="C0HELP", ts=message["ts"])
    await maya.fault("chat.postMessage", "error", error="internal_error", times=1)
    await look(bot, docs, CHANGED)
    assert sorted(await states(bot)) == ["dropped", "waiting"]
    await look(bot)
    assert sorted(await states(bot)) == ["dropped", "told"]
    assert len(await notes_in(maya, "C0GENERAL", ts)) == 1
    assert await notes_in(maya, "C0HELP", gone) == []


async def test_a_note_that_is_refused_each_time_is_given_up_with_a_line_in_the_log(
    bot: ConnectedBot, maya: Driver, docs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ts = await ask(bot, maya)
    await maya.fault("chat.postMessage", "error", error="internal_error", times=TRIES)
    await look(bot, docs, CHANGED)
    for _ in range(TRIES):
        await look(bot)
    assert await states(bot) == ["dropped"]
    assert "recall_given_up" in caplog.text
    assert await notes_in(maya, "C0GENERAL", ts) == []


async def test_a_note_that_a_killed_process_had_posted_is_not_posted_again(
    bot: ConnectedBot, maya: Driver, docs: Path
) -> None:
    ts = await ask(bot, maya)
    await look(bot, docs, CHANGED)
    forget: Any = {"state": "telling", "worker": "a dead one", "told_at": None}
    async with bot.core.engine.begin() as connection:  # it died after Slack had taken the note
        await connection.execute(sa.update(recalls).values(**forget))
    (note,) = await notes_in(maya, "C0GENERAL", ts)
    async with bot.core.engine.connect() as connection:
        (one,) = (await connection.execute(sa.select(recalls))).all()
    await bot.core.replies.intend(one.question_id, f"r{one.id[:11]}", "C0GENERAL", ts, "0")
    await look(bot)
    assert await states(bot) == ["told"]
    assert [m["ts"] for m in await notes_in(maya, "C0GENERAL", ts)] == [note["ts"]]


async def test_an_example_that_was_made_of_the_answer_is_flagged(bot: ConnectedBot, maya: Driver, docs: Path) -> None:
    await ask(bot, maya)
    async with bot.core.engine.connect() as connection:
        (id,) = set((await connection.execute(sa.select(leanings.c.question_id))).scalars())
    members = frozenset({"everyone"})
    made = await bot.core.examples.save("When may I deploy?", "Tuesdays.", members, "U0MAYA", answered=id)
    kept = await bot.core.examples.save(ASKED, "Tuesdays and Thursdays.", members, "U0MAYA", answered=id)
    own = await bot.core.examples.save(ASKED, "Ask the captain.", members, "U0MAYA")
    await look(bot, docs, CHANGED)
    await look(bot)
    async with bot.core.engine.connect() as connection:
        query = sa.select(examples.c.id, examples.c.flagged_why).where(examples.c.flagged_at.is_not(None))
        flagged = {row.id: row.flagged_why for row in await connection.execute(query)}
    assert {made.id, kept.id, own.id} >= flagged.keys()
    assert flagged == {kept.id: "Its source “Deploys” has changed."}
    await bot.core.examples.confirm(kept.id, Editor("U0MAYA", members))
    await look(bot, docs, f"{CHANGED}\n## Who deploys?\n\nThe captain of the week does.\n")
    listed = await bot.core.examples.listed(None)
    assert [one.flag for one in listed if one.example.id == kept.id] == [None]  # it was right after that change
    await look(bot, docs, CHANGED.replace("11:30", "12:30"))
    listed = await bot.core.examples.listed(None)
    assert [one.flag is not None for one in listed if one.example.id == kept.id] == [True]
