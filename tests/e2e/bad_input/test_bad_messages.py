"""What people write that is no question: a sentence in its thread, a log line, and the next question is answered."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from connected_bot import SWITCHBOARD
from house import House
from structlog.typing import EventDict

from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON
from knowledge.access import MEMBERS

ROLL_BACK = f"{SWITCHBOARD} How do I roll back a release?"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 16


def correlated(lines: Sequence[EventDict], event: str) -> list[EventDict]:
    """The lines of this kind that have a correlation id."""
    return [line for line in lines if line["event"] == event and re.fullmatch(r"[0-9a-f]{12}", line["reference"])]


async def nothing_is_lost(house: House, maya: Driver) -> None:
    """Whatever came before: nothing waits, and the next question is answered."""
    ts = await maya.post("C0HELP", ROLL_BACK)
    assert "robot deploy rollback" in (await maya.wait_for_reply("C0HELP", ts))["text"]
    await house.app.idle(maya)
    assert await house.app.core.inbox.waiting() == []


@pytest.mark.parametrize(
    ("text", "files", "said", "event"),
    [
        (SWITCHBOARD, {}, "Ask me something after my name", "hint"),
        (f"{SWITCHBOARD} :tada: 🎉🎉", {}, "I can answer questions in words", "hint"),
        (SWITCHBOARD, {"robot.png": PNG}, "I see robot.png. What would you like to know?", "hint"),
        (f"{SWITCHBOARD} {'rollback ' * 4440}", {}, "I can read up to 12,000", "question_failed"),
        (f"{SWITCHBOARD} 如何回滚发布版本？", {}, "", "question_done"),
        (f"{SWITCHBOARD} كيف أتراجع عن الإصدار؟", {}, "", "question_done"),
    ],
    ids=["nothing", "emoji", "an image", "40,000 characters", "Chinese", "Arabic"],
)
async def test_what_is_no_question_ends_in_a_sentence_in_its_thread(
    house: House,
    maya: Driver,
    lines: list[EventDict],
    text: str,
    files: dict[str, bytes],
    said: str,
    event: str,
) -> None:
    ts = await maya.post("C0HELP", text, files=files)
    reply = await maya.wait_for_reply("C0HELP", ts)
    assert reply["thread_ts"] == ts
    assert said in reply["text"]
    assert reply["text"].endswith((".", "?", ")", "”"))
    await house.app.idle(maya)
    assert correlated(lines, event)
    await nothing_is_lost(house, maya)


async def test_a_refused_question_names_the_reference_of_its_log_line(
    house: House, maya: Driver, lines: list[EventDict]
) -> None:
    ts = await maya.post(maya.dm, "rollback " * 4440)
    reply = await maya.wait_for_reply(maya.dm, ts)
    reference = re.search(r"[Rr]eference ([0-9a-f]{12})", str(reply))
    assert reference is not None, reply
    assert reference[1] in [line["reference"] for line in correlated(lines, "question_failed")]


async def test_a_mention_inside_code_is_left_alone(house: House, maya: Driver, lines: list[EventDict]) -> None:
    ts = await maya.post("C0HELP", f"Write `{SWITCHBOARD} hello` or ```@switchboard hello``` to ask it.")
    await house.app.idle(maya)
    assert len(await maya.history("C0HELP", ts)) == 1
    assert correlated(lines, "not_for_us")
    await nothing_is_lost(house, maya)


async def test_edits_and_deletions_are_noted_and_answer_nothing_again(
    house: House, maya: Driver, lines: list[EventDict]
) -> None:
    ts = await maya.post("C0HELP", ROLL_BACK)
    await maya.wait_for_reply("C0HELP", ts)
    slip = await maya.post("C0HELP", "<@U0LEO> my badge number is 4711", thread=ts)
    question, _, aside = await maya.history("C0HELP", ts)
    assert aside["ts"] == slip
    await house.app.idle(maya)
    await maya.edit(question, f"{SWITCHBOARD} How do I roll back a release, please?")
    await maya.delete(aside)
    await house.app.idle(maya)
    assert [m["user"] for m in await maya.history("C0HELP", ts)] == ["U0MAYA", "U0SWITCH"]
    assert correlated(lines, "edited")
    assert correlated(lines, "deleted")
    turns = await house.app.core.conversations.turns("C0HELP", ts, MEMBERS)
    assert turns[0].text == "How do I roll back a release, please?"
    assert "4711" not in str(turns)
    await nothing_is_lost(house, maya)


OTHER_BOTS: dict[str, JSON] = {
    "a classic bot": {"subtype": "bot_message", "bot_id": "B0OTHER", "username": "build"},
    "an app": {"bot_id": "B0OTHER", "user": "U0OTHER"},
    "itself": {"bot_id": "B0SWITCH", "user": "U0SWITCH"},
}  # its own are dropped at the door, before they are given a correlation id


@pytest.mark.parametrize("kind", ["message", "app_mention"])
@pytest.mark.parametrize("sender", OTHER_BOTS.values(), ids=OTHER_BOTS.keys())
async def test_no_bot_is_answered_even_if_it_mentions_this_one(
    house: House, maya: Driver, lines: list[EventDict], kind: str, sender: JSON
) -> None:
    ts = "1800000000.000100"
    said = {"type": kind, "channel": "C0HELP", "channel_type": "channel", "ts": ts, "text": ROLL_BACK}
    await maya.control("event", event={**said, **sender})
    await house.app.idle(maya)
    for method in ("chat.postMessage", "chat.startStream", "chat.postEphemeral"):
        assert await maya.calls(method) == []
    assert sender["bot_id"] == "B0SWITCH" or correlated(lines, "not_for_us")
    await nothing_is_lost(house, maya)


async def test_each_event_that_comes_three_times_is_worked_on_once(
    house: House, maya: Driver, lines: list[EventDict]
) -> None:
    ts = await maya.post(maya.dm, "How do I roll back a release?")
    await maya.wait_for_reply(maya.dm, ts)
    event = (await maya.sent("message"))[0]
    await maya.control("redeliver", event_id=event["event_id"], times=2)
    await house.app.idle(maya)
    again = [line for line in lines if line["event"] == "seen_before" and line["event_id"] == event["event_id"]]
    assert len(again) == 2
    assert len(await maya.history(maya.dm, ts)) == 2
    await nothing_is_lost(house, maya)


@pytest.mark.parametrize(
    ("command", "text", "said"),
    [
        ("/model", "frobnicate", "I do not know"),
        ("/model", "use gpt-nonsense", "There is no model called “gpt-nonsense”"),
        ("/knowledge", "eat everything", "I do not know “/knowledge eat everything”"),
        ("/cost", "yesterday by moon", "I do not know “/cost yesterday by moon”"),
        ("/ask", " ", "Write your question after the command"),
        ("/ask", "🎉", "Write your question after the command"),
    ],
)
async def test_unknown_arguments_are_answered_to_the_person_alone(
    house: House, maya: Driver, lines: list[EventDict], command: str, text: str, said: str
) -> None:
    await maya.command(command, text, channel="C0HELP")
    told = await maya.wait_for_ephemeral("C0HELP", lambda m: said in m["text"])
    assert told["ephemeral"]
    await house.app.idle(maya)
    assert [line for line in lines if line.get("reference")]
    async with house.person("U0LEO") as leo:
        assert await leo.history("C0HELP") == []
    await nothing_is_lost(house, maya)


async def test_a_value_of_a_stale_modal_is_refused_beside_its_input(
    house: House, maya: Driver, lines: list[EventDict]
) -> None:
    await maya.command("/model", channel="C0HELP")
    view = await maya.wait_for_view()
    gone = {"text": {"type": "plain_text", "text": "gone"}, "value": "a-model-of-last-year"}
    values = {"model": {"model": {"type": "static_select", "selected_option": gone}}}
    refused = await maya.act("submit_view", view_id=view["id"], state={"values": values})
    assert "There is no model called “a-model-of-last-year”" in refused["errors"]["model"]
    assert correlated(lines, "modal_refused")
    await nothing_is_lost(house, maya)
