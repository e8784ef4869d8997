"""What is read of a channel, and what becomes of it when the channel changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from slack_history import Run, old

from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from knowledge.access import PUBLIC
from knowledge.errors import SourceUnavailable

if TYPE_CHECKING:
    from tests.integration.knowledge.slack.conftest import Open

ENG = "C0ENG"
PORT = "The gateway of the arm controller listens on port 8443 since the last firmware"
MOVED = "The staging cluster moved to another region last night, use the new kubeconfig file"


async def test_a_thread_is_a_document_with_its_turns_its_link_and_its_people(
    workspace: Workspace, opened: Open, run: Run, maya: Driver, leo: Driver
) -> None:
    ts = await maya.post(ENG, "Why does the arm stop at *noon*? see #help")
    await leo.post(ENG, "@maya the watchdog fires, raise `WATCHDOG_MS`", thread=ts)
    await run.follow(opened())
    assert list(run.readings) == [ts]
    reading = run.readings[ts]
    assert reading.title == "Why does the arm stop at noon? see #help"
    assert reading.author == "Maya Chen"
    assert reading.tags == {"engineering"}
    assert reading.updated is not None
    day = f"{reading.updated:%Y-%m-%d}"
    assert run.text(ts).splitlines() == [
        f"**Maya Chen** ({day}): Why does the arm stop at **noon**? see #help",
        f"**Leo Brandt** ({day}): @Maya Chen the watchdog fires, raise `WATCHDOG_MS`",
    ]
    assert run.urls[ts] == f"{workspace.url}/archives/C0ENG/p{ts.replace('.', '')}"
    assert run.readers[ts] == PUBLIC | {f"channel:{ENG}"}


async def test_small_talk_programs_and_questions_to_the_bot_are_left_out(
    opened: Open, run: Run, maya: Driver, leo: Driver
) -> None:
    await maya.post(ENG, "good morning :wave:")
    asked = await maya.post(ENG, "<@U0SWITCH> on which port does the gateway of the arm controller listen today?")
    messages = [
        old("The nightly build number 4711 failed in the stage of integration tests", bot_id="B1", user="U0SWITCH"),
        old("<@U0SAM> has joined the channel and is here to stay for longer", subtype="channel_join", number=1),
        old("It listens on port 8443", user="U0SWITCH", bot_id="B0SWITCH", thread_ts=asked, days=0),
        old("<@U0SWITCH> and on staging?", user="U0MAYA", thread_ts=asked, days=0, number=2),
    ]
    await maya.control("fill", channel=ENG, messages=messages)
    kept = await leo.post(ENG, MOVED)
    await run.follow(opened())
    assert list(run.readings) == [kept]


async def test_where_people_answer_each_other_the_bots_answers_alone_are_left_out(
    opened: Open, run: Run, maya: Driver
) -> None:
    ts = await maya.post(ENG, "<@U0SWITCH> which port is it?")
    answers = [
        old("It is port 80.", user="U0SWITCH", bot_id="B0SWITCH", thread_ts=ts, days=0, number=1),
        old("No, it is 8443.", thread_ts=ts, days=0, number=2),
    ]
    await maya.control("fill", channel=ENG, messages=answers)
    await run.follow(opened())
    assert "No, it is 8443." in run.text(ts)
    assert "port 80." not in run.everything
    assert "@Switchboard which port is it?" in run.text(ts)


async def test_edits_deletions_and_new_answers_that_nobody_told_of_are_found_by_the_next_walk(
    opened: Open, run: Run, maya: Driver, leo: Driver
) -> None:
    edited = await maya.post(ENG, PORT)
    deleted = await leo.post(ENG, MOVED)
    thread = await maya.post(ENG, "Who has the keys of the lab?")
    answer = await leo.post(ENG, "Ana has them", thread=thread)
    wrong = await leo.post(ENG, "or the porter", thread=thread)
    await run.follow(opened())
    assert set(run.readings) == {edited, deleted, thread}
    await maya.edit({"channel": ENG, "ts": edited}, PORT.replace("8443", "9443"))
    await leo.delete({"channel": ENG, "ts": deleted})
    await leo.edit({"channel": ENG, "ts": answer}, "Sam has them")
    await leo.delete({"channel": ENG, "ts": wrong})
    await run.follow(opened())
    assert set(run.readings) == {edited, thread}
    assert "9443" in run.text(edited)
    assert "8443" not in run.everything
    assert "Sam has them" in run.text(thread)
    assert "Ana" not in run.everything
    assert "porter" not in run.everything


async def test_what_did_not_change_is_not_read_again(opened: Open, run: Run, maya: Driver, leo: Driver) -> None:
    ts = await maya.post(ENG, "Who has the keys of the lab?")
    await leo.post(ENG, "Ana has them", thread=ts)
    await maya.post(ENG, PORT)
    source = opened()
    await run.follow(source)
    before = len(await maya.calls("conversations.replies"))
    await run.follow(source)
    assert run.read == []
    assert len(await maya.calls("conversations.replies")) == before


async def test_a_thread_that_lost_its_first_message_keeps_the_answers(
    opened: Open, run: Run, maya: Driver, leo: Driver
) -> None:
    ts = await maya.post(ENG, "The password of the lab is swordfish")
    await leo.post(ENG, "Please do not post passwords, use the vault", thread=ts)
    await leo.post(ENG, "The vault is at vault.example", thread=ts)
    await run.follow(opened())
    await maya.delete({"channel": ENG, "ts": ts})
    await run.follow(opened())
    assert "swordfish" not in run.everything
    assert run.titles == ["Please do not post passwords, use the vault"]


async def test_threads_that_began_too_long_ago_are_left_out_and_go(opened: Open, run: Run, maya: Driver) -> None:
    messages = [old(PORT, days=300), old(MOVED, days=20, number=1)]
    await maya.control("fill", channel=ENG, messages=messages)
    await run.follow(opened())
    assert len(run.readings) == 2
    await run.follow(opened(days=30))
    assert "8443" not in run.everything
    assert len(run.readings) == 1


async def test_a_private_channel_is_for_its_members_alone(opened: Open, run: Run, maya: Driver) -> None:
    await maya.post("G0FIN", "The robot budget for next year is forty-one thousand euros in total")
    await run.follow(opened("#finance"))
    assert set(run.readers.values()) == {frozenset({"channel:G0FIN"})}


async def test_a_public_channel_may_be_narrowed_but_a_private_one_never_widened(
    opened: Open, run: Run, maya: Driver
) -> None:
    await maya.post(ENG, PORT)
    await run.follow(opened(public=frozenset({"channel:C0HELP"})))
    assert set(run.readers.values()) == {frozenset({"channel:C0HELP"})}


@pytest.mark.parametrize("change", ["private", "shared"])
async def test_a_channel_that_closed_while_the_bot_was_away_closes_its_documents_first(
    change: str, opened: Open, run: Run, maya: Driver
) -> None:
    await maya.post(ENG, PORT)
    await maya.post(ENG, "", files={"plan.md": b"# Plan\n\nThe arm gets a second joint in spring."})
    await run.follow(opened())
    assert set(run.readers.values()) == {PUBLIC | {f"channel:{ENG}"}}
    urls = dict(run.urls)
    await maya.control("set_channel", channel=ENG, **{change: True})
    await maya.fault("conversations.history", "error", error="fatal_error", times=50)
    await maya.fault("files.list", "error", error="missing_scope", times=50)
    with pytest.raises(SourceUnavailable):
        await run.follow(opened())
    assert set(run.readers.values()) == {frozenset({"channel:C0ENG"})}
    assert run.urls == urls


@pytest.mark.parametrize("private", [False, True])
async def test_nothing_is_found_of_a_channel_that_the_bot_was_taken_out_of(
    private: bool, opened: Open, run: Run, maya: Driver
) -> None:
    await maya.post(ENG, PORT)
    await maya.control("set_channel", channel=ENG, private=private)
    await run.follow(opened())
    assert run.versions
    await maya.control("set_member", channel=ENG, user="U0SWITCH", member=False)
    with pytest.raises(SourceUnavailable, match="Invite"):
        await run.follow(opened())
    assert run.versions == {}


async def test_a_deleted_channel_takes_its_documents_with_it(opened: Open, run: Run, maya: Driver) -> None:
    await maya.post(ENG, PORT)
    await run.follow(opened())
    await maya.control("set_channel", channel=ENG, deleted=True)
    with pytest.raises(SourceUnavailable, match="was deleted"):
        await run.follow(opened())
    assert run.versions == {}


@pytest.mark.parametrize("member", [True, False])
async def test_an_archived_channel_is_found_as_it_was(member: bool, opened: Open, run: Run, maya: Driver) -> None:
    await maya.post(ENG, PORT)
    await run.follow(opened())
    await maya.control("set_channel", channel=ENG, archived=True)
    if not member:
        await maya.control("set_member", channel=ENG, user="U0SWITCH", member=False)
    await run.follow(opened())
    assert "8443" in run.everything


async def test_a_renamed_channel_stays_the_same_source(opened: Open, run: Run, maya: Driver) -> None:
    await maya.post(ENG, PORT)
    await run.follow(opened("#engineering"))
    await maya.control("set_channel", channel=ENG, name="robots")
    await maya.control("set_channel", channel="C0HELP", name="engineering")
    await maya.post("C0HELP", "This has nothing to do with robots, it is about chairs and desks")
    await run.follow(opened("#engineering"))
    assert "8443" in run.everything
    assert "chairs" not in run.everything


async def test_an_unknown_name_says_what_to_check(opened: Open, run: Run) -> None:
    with pytest.raises(SourceUnavailable, match="no channel #nowhere that the bot can see"):
        await run.follow(opened("#nowhere"))


async def test_one_thread_is_found_at_once_as_the_list_would_name_it(
    opened: Open, run: Run, maya: Driver, leo: Driver
) -> None:
    ts = await maya.post(ENG, "Who has the keys of the lab?")
    await leo.post(ENG, "Ana has them", thread=ts)
    talk = await maya.post(ENG, "lunch?")
    source = opened()
    await run.follow(source)
    found = await source.find(ts)
    assert found is not None
    assert (found.version, found.readers, found.url) == (run.versions[ts], run.readers[ts], run.urls[ts])
    assert (await source.read(found)).title == "Who has the keys of the lab?"
    assert await source.find(talk) is None
    assert await source.find("1700000000.000100") is None
    await maya.control("set_member", channel=ENG, user="U0SWITCH", member=False)
    channel = await source.channel()
    assert channel is not None
    assert not channel.is_open
    assert await source.find(ts) is None


async def test_what_is_said_in_a_channel_that_closed_unheard_is_for_its_members_alone(
    opened: Open, run: Run, maya: Driver
) -> None:
    source = opened()
    await run.follow(source)
    await maya.control("set_channel", channel=ENG, private=True)  # the event came to another process
    found = await source.find(await maya.post(ENG, PORT))
    assert found is not None
    assert found.readers == {f"channel:{ENG}"}


async def test_a_channel_tells_what_it_is_before_it_is_read(opened: Open) -> None:
    channel = await opened("#finance").channel()
    assert channel is not None
    assert (channel.id, channel.name, channel.is_member) == ("G0FIN", "finance", True)
    assert channel.readers == {"channel:G0FIN"}
    with pytest.raises(SourceUnavailable, match="no channel #nowhere"):
        await opened("#nowhere").channel()
