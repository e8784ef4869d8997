"""The shortcut "Add to knowledge" and its "Remove", over both doors."""

from __future__ import annotations

from connected_bot import SWITCHBOARD, ConnectedBot

from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON

ENG = "C0ENG"
SAVE = "add_to_knowledge"
PORT = "The gateway of the arm controller listens on port 8443"


async def save(person: Driver, channel: str, ts: str) -> JSON:
    """Uses the shortcut on a message; returns what the person is told."""
    await person.shortcut(SAVE, {"channel": channel, "ts": ts})
    return await person.wait_for_ephemeral(channel, after=ts)


async def found(bot: ConnectedBot, words: str, *scopes: str) -> str:
    result = await bot.core.knowledge.search(words, scopes=frozenset(scopes or {"everyone"}))
    return "\n".join(passage.text for passage in result.passages if passage.source == "saved from Slack")


async def test_a_saved_thread_is_found_by_everyone_and_removed_again(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    ts = await maya.post(ENG, PORT)
    await leo.post(ENG, "and the debug door is 9911", thread=ts)
    told = await save(leo, ENG, ts)
    assert f"Added to knowledge: the thread “{PORT}”" in told["text"]
    assert "Everyone can find it" in told["text"]
    assert "9911" in await found(bot, "debug door")
    await bot.core.knowledge.refresh()
    assert "9911" in await found(bot, "debug door")
    await leo.click(told, "remove_from_knowledge")
    await leo.wait_for_ephemeral(ENG, lambda m: "Removed" in m["text"])
    assert await found(bot, "debug door") == ""
    await bot.core.knowledge.refresh()
    assert await found(bot, "debug door") == ""


async def test_a_reply_saves_its_whole_thread(bot: ConnectedBot, maya: Driver, leo: Driver) -> None:
    ts = await maya.post(ENG, PORT)
    reply = await leo.post(ENG, "and the debug door is 9911", thread=ts)
    await maya.shortcut(SAVE, {"channel": ENG, "ts": reply})
    await maya.wait_for_ephemeral(ENG, lambda m: "Added" in m["text"])
    assert "8443" in await found(bot, "gateway of the arm")


async def test_what_is_saved_in_a_private_channel_is_for_its_members(bot: ConnectedBot, maya: Driver) -> None:
    ts = await maya.post("G0FIN", "The robot budget of the spare parts is nine thousand euros")
    told = await save(maya, "G0FIN", ts)
    assert "The members of #finance can find it" in told["text"]
    assert await found(bot, "budget of spare parts") == ""
    assert "nine thousand" in await found(bot, "budget of spare parts", "channel:G0FIN")


async def test_what_is_saved_in_a_direct_message_is_for_the_person_alone(bot: ConnectedBot, maya: Driver) -> None:
    ts = await maya.post(maya.dm, "thanks")
    note = await maya.post(maya.dm, "Note to self: the spare key of the lab is behind the printer", thread=ts)
    await maya.shortcut(SAVE, {"channel": maya.dm, "ts": note})
    told = await maya.wait_for_ephemeral(maya.dm, lambda m: "Added" in m["text"])
    assert "Only you can find it" in told["text"]
    assert await found(bot, "spare key of the lab", "everyone", "channel:C0ENG", "user:U0LEO") == ""
    assert "printer" in await found(bot, "spare key of the lab", "user:U0MAYA")


async def test_the_files_of_a_message_are_saved_too(bot: ConnectedBot, maya: Driver) -> None:
    files = {"plan.md": b"# Plan\n\nThe second joint arrives in spring.", "empty.md": b" "}
    ts = await maya.post(ENG, "", files=files)
    told = await save(maya, ENG, ts)
    assert "Added to knowledge: the file plan.md." in told["text"]
    assert "empty.md holds no text" in str(told["blocks"])
    assert "spring" in await found(bot, "second joint arrives")


async def test_what_was_saved_follows_its_message_and_its_channel(bot: ConnectedBot, maya: Driver) -> None:
    ts = await maya.post(ENG, PORT)
    await save(maya, ENG, ts)
    await maya.edit({"channel": ENG, "ts": ts}, PORT.replace("8443", "9443"))
    await bot.idle(maya)
    assert "9443" in await found(bot, "gateway of the arm")
    await maya.control("set_channel", channel=ENG, private=True)
    await bot.idle(maya)
    assert await found(bot, "gateway of the arm") == ""
    assert "9443" in await found(bot, "gateway of the arm", "channel:C0ENG")
    await maya.delete({"channel": ENG, "ts": ts})
    await bot.idle(maya)
    assert await found(bot, "gateway of the arm", "channel:C0ENG") == ""


async def test_where_the_bot_is_not_a_member_it_says_how_to_let_it_in(bot: ConnectedBot, maya: Driver) -> None:
    ts = await maya.post("C0RANDOM", PORT)
    told = await save(maya, "C0RANDOM", ts)
    assert "/invite @Switchboard" in told["text"]
    await bot.core.knowledge.refresh()
    assert await found(bot, "gateway of the arm") == ""


async def test_the_bots_own_words_are_not_kept_as_knowledge(bot: ConnectedBot, maya: Driver) -> None:
    ts = await maya.post(ENG, f"{SWITCHBOARD} when do deploys run?")
    await maya.wait_for_reply(ENG, ts)
    await bot.idle(maya)
    await maya.shortcut(SAVE, {"channel": ENG, "ts": ts})
    told = await maya.wait_for_ephemeral(ENG, lambda m: "nothing in it" in m["text"])
    assert "Save as example" in told["text"]
