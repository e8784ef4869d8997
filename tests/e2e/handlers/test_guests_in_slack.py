"""A guest and another company come into a channel: what the bot says there, and what a model is given for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot
from model_server import ModelServer

from bot.config import Folder, Settings
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver

GENERAL, HELP = "C0GENERAL", "C0HELP"
ASKED = "When do deploys run, and which partners may watch them?"
INSIDE, OUTSIDE = "Nobody deploys on Fridays", "Partners watch deploys from the gallery"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """One more document, which guests and other companies may read too."""
    folder = tmp_path / "partners"
    folder.mkdir()
    (folder / "watching.md").write_text(f"# Watching deploys\n\n{OUTSIDE} while they run.\n", encoding="utf-8")
    partners = Folder(path=folder, name="partners", readers=("outsiders",))
    knowledge = settings.knowledge.model_copy(update={"folders": (*settings.knowledge.folders, partners)})
    return settings.model_copy(update={"knowledge": knowledge})


@pytest.fixture
async def sam(workspace: Workspace) -> AsyncIterator[Driver]:
    async with Driver(workspace.url, as_user="U0SAM") as driver:
        yield driver


async def test_where_a_guest_or_another_company_reads_along_nobody_is_answered_from_what_is_for_members(
    bot: ConnectedBot, maya: Driver, sam: Driver, server: ModelServer
) -> None:
    async def given(person: Driver, channel: str) -> tuple[bool, bool]:
        """Whether a model got what is for members, and what is for all, for a question that was answered there."""
        before = len(server.chats)
        ts = await person.post(channel, f"{SWITCHBOARD} strategy:rag {ASKED}")
        shown = await person.wait_for_reply(channel, ts, lambda m: "actions" in str(m.get("blocks")))
        await bot.idle(person)
        told = str([request.body for request in server.chats[before:]]) + str(shown)
        return INSIDE in told, OUTSIDE in told

    assert await given(sam, GENERAL) == (True, True)
    await maya.control("set_person", user="U0SAM", is_restricted=True)
    for person, channel in ((sam, GENERAL), (maya, GENERAL), (sam, sam.dm)):
        assert await given(person, channel) == (False, True)
    assert await given(maya, maya.dm) == (True, True)
    await sam.command("/ask", ASKED, channel=GENERAL)
    private = await sam.wait_for_ephemeral(GENERAL, lambda m: "actions" in str(m.get("blocks")))
    assert INSIDE not in str(private)
    assert "deploys.md" not in str(private)

    await maya.control("set_member", channel=GENERAL, user="U0SAM", member=False)
    assert await given(maya, GENERAL) == (True, True)
    await maya.control("set_member", channel=HELP, user="U0SAM", member=False)
    assert await given(maya, HELP) == (True, True)
    await maya.control("set_channel", channel=HELP, shared=True)
    assert await given(maya, HELP) == (False, True)
