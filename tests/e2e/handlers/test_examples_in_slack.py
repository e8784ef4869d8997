"""Examples in Slack: the ways in, the list, and what becomes of two that ask the same or of two who write at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot
from model_server import ModelServer

from bot.learning.reviewed import Reviewed
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON
from knowledge.access import MEMBERS

HERE = "C0GENERAL"
CHANNEL = MEMBERS | {f"channel:{HERE}"}


@pytest.fixture
async def sam(workspace: Workspace) -> AsyncIterator[Driver]:
    async with Driver(workspace.url, as_user="U0SAM") as driver:
        yield driver


async def told(person: Driver, words: str, after: str = "") -> JSON:
    """The message for this person alone that has these words."""
    return await person.wait_for_ephemeral(
        HERE, lambda m: words in m["text"] or words in str(m.get("blocks")), after=after
    )


async def kept(bot: ConnectedBot) -> list[Reviewed]:
    return await bot.core.examples.listed(None)


async def add(person: Driver, question: str, answer: str, **more: object) -> None:
    seen = len(person.events)
    await person.command("/examples", "add")
    await person.submit_view(await person.wait_for_view(after=seen), {"question": question, "answer": answer, **more})


async def answered(bot: ConnectedBot, maya: Driver, server: ModelServer, text: str = "when do deploys run?") -> JSON:
    server.script("Deploys run on Tuesdays. [1]")
    ts = await maya.post(HERE, f"{SWITCHBOARD} {text}")
    reply = await maya.wait_for_reply(HERE, ts)
    await bot.idle(maya)
    return reply


def thumb(message: JSON, which: str) -> str:
    found = (e for block in message["blocks"] for e in block.get("elements", ()) if which in e)
    return str(next(found)[which]["value"])


async def test_after_a_thumb_up_the_answer_is_saved_with_one_button(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    answer = await answered(bot, maya, server)
    await leo.click(answer, "feedback", value=thumb(answer, "positive_button"))
    thanks = await told(leo, "Thank you")
    await leo.click(thanks, "save_liked")
    view = await leo.wait_for_view()
    assert "when do deploys run?" in str(view["blocks"])
    assert "in answers for the members of <#C0GENERAL>, and they can read it" in str(view["blocks"])
    await leo.submit_view(view, {"tags": "Deploys, #ops", "valid_until": "2099-12-31"})
    await told(leo, "Saved. I will use it as an example in answers for the members of <#C0GENERAL>.")
    (one,) = await kept(bot)
    assert one.example.question == "when do deploys run?"
    assert one.example.answer.startswith("Deploys run on Tuesdays.")
    assert (one.example.tags, str(one.valid_until)) == (("deploys", "ops"), "2099-12-31")
    assert (one.example.saved_by, one.example.author) == ("U0LEO", "")


async def test_a_persons_answer_in_a_thread_is_saved_with_the_threads_question_and_its_author(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    ts = await leo.post(HERE, "Where do I get a new badge?")
    reply = await maya.post(HERE, "At the front desk, with your passport.", thread=ts)
    message = await leo.wait_for_message(HERE, lambda m: m["ts"] == reply, thread=ts)
    await leo.shortcut("save_example", message)
    await leo.submit_view(await leo.wait_for_view())
    await told(leo, "Saved.")
    (one,) = await kept(bot)
    assert one.example.question == "Where do I get a new badge?"
    assert one.example.answer == "At the front desk, with your passport."
    assert (one.example.author, one.example.saved_by) == ("U0MAYA", "U0LEO")


async def test_an_example_answers_its_question_and_its_use_and_thumbs_are_listed(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    await add(leo, "Where do I get a new badge?", "At the front desk.")
    await told(leo, "Saved.")
    server.script("At the front desk.")
    ts = await leo.post(HERE, f"{SWITCHBOARD} strategy:few_shot where do I get a new badge?")
    answer = await leo.wait_for_reply(HERE, ts)
    await bot.idle(leo)
    await maya.click(answer, "feedback", value=thumb(answer, "positive_button"))
    await told(maya, "Thank you")
    (one,) = await kept(bot)
    assert (one.hits, one.up, one.down) == (1, 1, 0)
    await leo.command("/examples")
    listed = await told(leo, "1 example that you may read")
    assert "Where do I get a new badge?" in str(listed["blocks"])
    assert "used once · :thumbsup: 1 :thumbsdown: 0" in str(listed["blocks"])


async def test_one_that_asks_the_same_is_shown_and_the_person_chooses(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    await add(leo, "Where do I get a new badge?", "At the front desk.")
    await told(leo, "Saved.")
    for choice, answers in (
        ("leave", ["At the front desk."]),
        ("update", ["From Sam."]),
        ("both", ["From Sam.", "From Sam."]),
    ):
        seen = len(leo.events)
        await leo.command("/examples", "add")
        view = await leo.wait_for_view(after=seen)
        between = len(leo.events)
        await leo.submit_view(view, {"question": "Hello! where do I get a NEW badge", "answer": "From Sam."})
        asked = await leo.wait_for_view(after=between)
        assert "There is an example that asks the same" in str(asked["blocks"])
        assert answers[0] in str(asked["blocks"]) or "At the front desk." in str(asked["blocks"])
        await leo.submit_view(asked, {"choice": choice})
        await bot.idle(leo)
        assert [one.example.answer for one in await kept(bot)] == answers


async def test_who_may_not_change_the_one_that_is_there_can_keep_both_or_leave_it(
    bot: ConnectedBot, leo: Driver, sam: Driver
) -> None:
    await add(leo, "Where do I get a new badge?", "At the front desk.")
    await told(leo, "Saved.")
    await add(sam, "Where do I get a new badge?", "From me.")
    asked = await sam.wait_for_view(lambda view: "asks the same" in str(view["blocks"]))
    radio = next(block["element"] for block in asked["blocks"] if block.get("block_id") == "choice")
    assert [each["value"] for each in radio["options"]] == ["both", "leave"]
    assert "<@U0LEO> or an admin can update that one." in str(asked["blocks"])


async def test_an_example_is_edited_retired_and_brought_back_from_the_list(bot: ConnectedBot, leo: Driver) -> None:
    await add(leo, "Where do I get a new badge?", "At the front desk.")
    await told(leo, "Saved.")
    await leo.command("/examples", "mine")
    listed = await told(leo, "1 example that you saved or reviewed")
    seen = len(leo.events)
    await leo.click(listed, "edit_example")
    await leo.submit_view(await leo.wait_for_view(after=seen), {"answer": "In room 12."})
    await told(leo, "Updated.")
    await leo.click(listed, "retire_example")
    retired = await told(leo, "Retired: “Where do I get a new badge?”")
    (one,) = await kept(bot)
    assert one.example.answer == "In room 12."
    assert one.retired is not None
    assert one.retired.by == "U0LEO"
    await leo.click(retired, "restore_example")
    await told(leo, "It is back")
    assert (await kept(bot))[0].retired is None


async def test_of_two_who_edit_at_once_the_second_sees_what_the_first_wrote_and_loses_nothing(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    await add(leo, "Where do I get a new badge?", "At the front desk.")
    await told(leo, "Saved.")
    views = []
    for person in (leo, maya):
        await person.command("/examples")
        seen = len(person.events)
        await person.click(await told(person, "1 example that you may read"), "edit_example")
        views.append(await person.wait_for_view(after=seen))
    await leo.submit_view(views[0], {"answer": "In room 12."})
    await told(leo, "Updated.")
    seen = len(maya.events)
    await maya.submit_view(views[1], {"answer": "In room 14."})
    again = await maya.wait_for_view(after=seen)
    assert "<@U0LEO> changed this example while you were writing." in str(again["blocks"])
    assert "In room 12." in str(again["blocks"])
    assert "In room 14." in str(again["blocks"])
    assert (await kept(bot))[0].example.answer == "In room 12."
    await maya.submit_view(again)
    await told(maya, "Updated.")
    assert (await kept(bot))[0].example.answer == "In room 14."


async def test_the_list_has_pages_and_finds_words_and_shows_only_what_may_be_read(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    for number in range(12):
        await bot.core.examples.save(f"Question {number}?", f"Answer {number}.", CHANNEL - MEMBERS, "U0LEO")
    await bot.core.examples.save("What is the robot budget?", "41,000.", {"channel:G0FIN"}, "U0MAYA", tags=("money",))
    await leo.command("/examples")
    first = await told(leo, "12 examples that you may read, page 1 of 2")
    assert "Question 11?" in str(first["blocks"])
    assert "Question 1?" not in str(first["blocks"])
    await leo.click(first, "page_of_examples_older")
    second = await told(leo, "page 2 of 2")
    assert "Question 1?" in str(second["blocks"])
    assert "robot" not in str(first) + str(second)
    await leo.command("/examples", "find question 7")
    assert "Question 7?" in str((await told(leo, "1 example with “question 7”"))["blocks"])
    await leo.command("/examples", "find robot")
    await told(leo, "No example that you may read has “robot” in it.")
    await maya.command("/examples", "find #money")
    assert "robot budget" in str((await told(maya, "1 example with “#money”"))["blocks"])
    await leo.command("/examples", "everything please")
    await told(leo, "I do not know “/examples everything please”. You can write")


async def test_a_csv_file_is_imported_in_slack_and_each_line_that_is_left_out_is_named(
    bot: ConnectedBot, maya: Driver
) -> None:
    await maya.command("/examples", "import")
    file = "question;answer;tags;owner\nWhere is the canteen?;Downstairs.;food;x\nWho cooks?;;;\n".encode("utf-8-sig")
    await maya.submit_view(await maya.wait_for_view(), {"file": {"team.csv": file}})
    done = await told(maya, "team.csv: 1 kept, 1 left out: line 3 has no answer.")
    assert "I passed over what I do not know: “owner”." in done["text"]
    assert "I use them in answers for everyone." in done["text"]
    (one,) = await kept(bot)
    assert (one.example.question, one.example.tags) == ("Where is the canteen?", ("food",))


async def test_a_file_that_cannot_be_read_is_refused_with_a_reference(bot: ConnectedBot, maya: Driver) -> None:
    await maya.command("/examples", "import")
    await maya.submit_view(await maya.wait_for_view(), {"file": {"team.csv": b"question,answer\nWie?,F\xfcnf"}})
    refused = await told(maya, "team.csv is not UTF-8: line 2 has a byte that does not belong there.")
    assert "eference" in refused["text"]
    assert await kept(bot) == []


async def test_what_is_wrong_in_the_modal_stands_at_its_field(bot: ConnectedBot, leo: Driver) -> None:
    await leo.command("/examples", "add")
    view = await leo.wait_for_view()
    values = {"question": "?!", "answer": "So.", "tags": "t" * 200, "valid_until": "2020-01-01"}
    refused = await leo.submit_view(view, values)
    assert refused["errors"] == {
        "question": "It has no question.",
        "tags": "It has a tag of 200 characters (“tttttttttttttttttttt…”), and 40 fit.",
        "valid_until": "It ended on 2020-01-01, which is past.",
    }
