"""Channels that are sources of knowledge, followed live over both doors, and caught up with after an absence."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator

import pytest
from connected_bot import BOTH_DOORS, ConnectedBot, connected_bot

from bot.config import Settings
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from knowledge.access import PUBLIC
from knowledge.sources.base import Complete, Listed, Listing, Past, Reading
from knowledge.sources.kinds import SourceSpec

ENG = "C0ENG"
SOURCE = "robots"
PORT = "The gateway of the arm controller listens on port 8443 since the last firmware"
MEMBERS = frozenset({"channel:C0ENG"})


async def watch(bot: ConnectedBot, channel: str = ENG) -> None:
    """Makes a channel a source, and reads it."""
    await bot.core.sources.add(SourceSpec(SOURCE, "slack", PUBLIC, {"channel": channel}), "U0MAYA")
    await bot.core.knowledge.refresh([SOURCE])


@pytest.fixture
async def watching(bot: ConnectedBot) -> ConnectedBot:
    """The bot over each of the two doors, with #engineering as a source."""
    await watch(bot)
    return bot


async def found(bot: ConnectedBot, words: str, scopes: frozenset[str] = PUBLIC) -> list[str]:
    """The texts that a search finds in the channel."""
    result = await bot.core.knowledge.search(words, scopes=scopes)
    return [passage.text for passage in result.passages if passage.source == SOURCE]


async def problems(bot: ConnectedBot) -> str:
    status = await bot.core.knowledge.status()
    return " ".join(p.sentence for each in status if each.name == SOURCE for p in each.problems)


@BOTH_DOORS
async def test_what_is_said_edited_and_deleted_is_followed(watching: ConnectedBot, maya: Driver, leo: Driver) -> None:
    ts = await maya.post(ENG, PORT)
    await watching.idle(maya)
    assert "port 8443" in str(await found(watching, "port of the gateway"))
    answer = await leo.post(ENG, "and the debug door is 9911", thread=ts)
    await watching.idle(maya)
    assert "**Leo Brandt**" in str(await found(watching, "debug door"))
    await leo.edit({"channel": ENG, "ts": answer}, "and the debug door is 9922")
    await watching.idle(maya)
    shown = str(await found(watching, "debug door"))
    assert "9922" in shown
    assert "9911" not in shown
    await leo.delete({"channel": ENG, "ts": answer})
    await watching.idle(maya)
    assert "debug door" not in str(await found(watching, "debug door"))
    await maya.delete({"channel": ENG, "ts": ts})
    await watching.idle(maya)
    assert await found(watching, "port of the gateway") == []


@BOTH_DOORS
async def test_small_talk_and_the_bots_own_words_cost_no_call(watching: ConnectedBot, maya: Driver) -> None:
    before = len(await maya.calls("conversations.history"))
    await maya.post(ENG, "good morning :wave:")
    await watching.client.chat_postMessage(channel=ENG, text=PORT)
    await watching.idle(maya)
    assert len(await maya.calls("conversations.history")) == before
    assert await found(watching, "port of the gateway") == []


@pytest.mark.parametrize("change", ["private", "shared"])
async def test_nothing_of_a_channel_that_closes_is_found_by_others(
    change: str, watching: ConnectedBot, maya: Driver
) -> None:
    await maya.post(ENG, PORT, files={"plan.md": b"# Plan\n\nThe second joint arrives in spring."})
    await watching.idle(maya)
    assert len(await found(watching, "second joint port gateway")) == 2
    await maya.control("set_channel", channel=ENG, **{change: True})
    await watching.idle(maya)
    assert await found(watching, "second joint port gateway") == []
    assert len(await found(watching, "second joint port gateway", MEMBERS)) == 2
    await maya.post(ENG, "The vault of the arm opens with the code that hangs in the lab")
    await watching.idle(maya)
    assert await found(watching, "vault code lab") == []
    assert await found(watching, "vault code lab", MEMBERS) != []


async def test_a_channel_that_opens_is_found_by_everyone(watching: ConnectedBot, maya: Driver) -> None:
    await maya.control("set_channel", channel=ENG, private=True)
    await maya.post(ENG, PORT)
    await watching.idle(maya)
    assert await found(watching, "port of the gateway") == []
    await maya.control("set_channel", channel=ENG, private=False)
    await watching.idle(maya)
    assert await found(watching, "port of the gateway") != []


async def test_a_channel_closes_even_while_slack_does_not_answer(watching: ConnectedBot, maya: Driver) -> None:
    await maya.post(ENG, PORT)
    await watching.idle(maya)
    await maya.fault("conversations.info", "error", error="missing_scope", times=100)
    await maya.control("set_channel", channel=ENG, private=True)
    await watching.idle(maya)
    assert await found(watching, "port of the gateway") == []


async def test_without_the_bot_nothing_is_found_until_it_is_invited_again(watching: ConnectedBot, maya: Driver) -> None:
    await maya.post(ENG, PORT)
    await watching.idle(maya)
    await maya.control("set_member", channel=ENG, user="U0SWITCH", member=False)
    await watching.idle(maya)
    assert await found(watching, "port of the gateway", PUBLIC | MEMBERS) == []
    assert "Invite" in await problems(watching)
    await maya.control("set_member", channel=ENG, user="U0SWITCH", member=True)
    await watching.idle(maya)
    assert await found(watching, "port of the gateway") != []
    assert await problems(watching) == ""


class Endless:
    """A source whose reading does not end before it is told to."""

    name, kind = "endless", "endless"

    def __init__(self) -> None:
        self.begun, self.end = asyncio.Event(), asyncio.Event()

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        self.begun.set()
        await self.end.wait()
        yield Complete()

    async def read(self, listing: Listing) -> Reading:
        raise AssertionError("Nothing is listed.")

    async def close(self) -> None:
        """Holds nothing."""


async def test_nothing_waits_for_another_source_that_is_read(watching: ConnectedBot, maya: Driver) -> None:
    knowledge, endless = watching.core.knowledge, Endless()
    knowledge.set_sources([*knowledge.sources, endless])
    await maya.control("set_channel", channel=ENG, private=True)
    await maya.post(ENG, PORT)
    await watching.idle(maya)
    refresh = asyncio.create_task(knowledge.refresh(["endless"]))
    await endless.begun.wait()
    await maya.control("set_channel", channel=ENG, private=False)
    await watching.idle(maya)
    assert await found(watching, "port of the gateway") != []
    await maya.control("set_member", channel=ENG, user="U0SWITCH", member=False)
    await watching.idle(maya)
    assert await found(watching, "port of the gateway", PUBLIC | MEMBERS) == []
    endless.end.set()
    await refresh


async def test_a_private_channel_is_read_when_the_bot_is_let_in(bot: ConnectedBot, maya: Driver) -> None:
    await maya.control("set_member", channel="G0FIN", user="U0SWITCH", member=False)
    await maya.post("G0FIN", "The robot budget of the spare parts is nine thousand euros")
    await watch(bot, "#finance")
    assert "no channel #finance that the bot can see" in await problems(bot)
    await maya.control("set_member", channel="G0FIN", user="U0SWITCH", member=True)
    await bot.idle(maya)
    assert await found(bot, "budget of spare parts") == []
    assert "nine thousand" in str(await found(bot, "budget of spare parts", frozenset({"channel:G0FIN"})))


async def test_a_deleted_channel_is_found_no_more_and_an_archived_one_is(watching: ConnectedBot, maya: Driver) -> None:
    await maya.post(ENG, PORT)
    await maya.control("set_channel", channel=ENG, archived=True)
    await watching.idle(maya)
    assert await found(watching, "port of the gateway") != []
    await maya.control("set_channel", channel=ENG, deleted=True)
    await watching.idle(maya)
    assert await found(watching, "port of the gateway", PUBLIC | MEMBERS) == []


@BOTH_DOORS
async def test_files_are_followed(watching: ConnectedBot, maya: Driver) -> None:
    await maya.post(ENG, "", files={"plan.md": b"# Plan\n\nThe second joint arrives in spring."})
    await watching.idle(maya)
    assert "spring" in str(await found(watching, "second joint arrives"))
    (file,) = (await watching.client.files_list(channel=ENG))["files"]
    new = base64.b64encode(b"# Plan\n\nThe second joint arrives in autumn.").decode()
    await maya.act("change_file", file=file["id"], content_base64=new)
    await watching.idle(maya)
    shown = str(await found(watching, "second joint arrives"))
    assert "autumn" in shown
    assert "spring" not in shown
    await maya.act("delete_file", file=file["id"])
    await watching.idle(maya)
    assert await found(watching, "second joint arrives") == []


async def test_what_happened_while_the_bot_was_off_is_caught_up_with(
    workspace: Workspace, settings: Settings, maya: Driver, leo: Driver
) -> None:
    async with connected_bot(workspace, settings) as bot:
        await watch(bot)
        deleted = await maya.post(ENG, PORT)
        thread = await maya.post(ENG, "Who has the keys of the laboratory today?")
        answer = await leo.post(ENG, "Ana has them in her drawer", thread=thread)
        await bot.idle(maya)
        assert await found(bot, "port of the gateway") != []
    await maya.delete({"channel": ENG, "ts": deleted})
    await leo.edit({"channel": ENG, "ts": answer}, "Sam has them in his locker")
    async with connected_bot(workspace, settings) as bot:
        assert "port 8443" not in str(await found(bot, "port of the gateway"))
        shown = str(await found(bot, "keys of the laboratory"))
        assert "locker" in shown
        assert "drawer" not in shown
