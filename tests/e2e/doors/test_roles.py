"""Who comes in by which door of the running bot, and what people hear who ask too much."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prove_fuzz import opened

from bot.app import App
from bot.audit import Audit
from bot.config import Limits
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from deploy.workspace.state import Person
from handlers.bolt import take
from handlers.permissions import DOORS, Deed, Role, Roles

PEOPLE = {
    "U0MAYA": Role.ADMIN,
    "U0LEO": Role.MEMBER,
    "U0GUEST": Role.GUEST,
    "U0SINGLE": Role.GUEST,
    "U0OUTSIDE": Role.GUEST,
    "U0GONE": Role.NOBODY,
    "U0ROBOT": Role.NOBODY,
    "U0UNKNOWN": Role.GUEST,
}
MORE = (
    Person("U0GUEST", "gil", "Gil Guest", is_restricted=True, is_admin=True),
    Person("U0SINGLE", "sue", "Sue Single", is_ultra_restricted=True),
    Person("U0OUTSIDE", "otto", "Otto Outside", team_id="T0OTHER", is_owner=True),
    Person("U0GONE", "gus", "Gus Gone", is_admin=True, deleted=True),
    Person("U0ROBOT", "rob", "Rob Robot", is_bot=True, is_admin=True),
)


@pytest.fixture
async def house(tmp_path: Path, models_dir: Path) -> AsyncIterator[tuple[App, Workspace]]:
    async with opened(tmp_path, models_dir, Limits(person=2, channel=3), MORE) as found:
        yield found


def through(door: str, person: str, number: int) -> dict[str, Any]:
    """What Slack sends when somebody comes by a door."""
    kind, _, name = door.partition(" ")
    user = {"id": person}
    common = {"trigger_id": f"{number}.{person}", "channel": {"id": "C0GENERAL"}, "user": user}
    if kind.startswith("/"):
        place = {"channel_id": "C0GENERAL", "user_id": person, "trigger_id": f"{number}.{person}"}
        return {"command": door, "text": "", **place}
    if kind == "button":
        action = {
            "action_id": f"{name}_1" if name in ("clarify", "compare_vote", "page_of_examples", "rollout") else name,
            "value": f"v{number}",
        }
        # Of some buttons the first press counts, whoever presses after.
        first = {"clarify": json.dumps([f"{number}{person}", ""]), "recall_ask_again": f"{number}{person}"}
        value = first.get(name, action["value"])
        return {"type": "block_actions", "actions": [action | {"value": value}], **common}
    if kind == "shortcut":
        return {"type": "message_action", "callback_id": name, "message": {"ts": "1700000000.000100"}, **common}
    texts = {block: {block: {"value": "words"}} for block in ("question", "answer", "name")}
    view = {"id": f"V{number}{person}", "type": "modal", "callback_id": name, "state": {"values": texts}}
    return {"type": "view_submission", "view": view, **common}


async def test_every_door_asks_who_comes_in_at_the_moment_they_do(
    house: tuple[App, Workspace], caplog: pytest.LogCaptureFixture
) -> None:
    app, _ = house
    wrong = []
    for number, (door, least) in enumerate(DOORS.items()):
        for person, role in PEOPLE.items():
            caplog.clear()
            with caplog.at_level(logging.WARNING):
                await take(app.house.bolt, through(door, person, number), {})
                await app.house.under_way.idle()
            if (" can do that" in caplog.text) != (role < least):
                wrong.append((door, person))
    assert wrong == []


async def test_what_is_for_admins_is_refused_to_all_others(house: tuple[App, Workspace]) -> None:
    app, _ = house
    roles = Roles(app.house.client, ["U0LEO", "U0GONE"])
    for person, role in (PEOPLE | {"U0LEO": Role.ADMIN}).items():
        for deed in Deed:
            if role >= deed.value[0]:
                await roles.need(person, deed)
            else:
                with pytest.raises(Exception, match="Only "):
                    await roles.need(person, deed)


async def test_whoever_asks_too_much_hears_when_to_ask_again_and_admins_see_who_changed_what(
    house: tuple[App, Workspace],
) -> None:
    app, workspace = house
    async with Driver(workspace.url, "U0LEO") as leo, Driver(workspace.url, "U0MAYA") as maya:
        await leo.control("set_delivery", mode="http", events_url=f"{app.url}/slack/events")
        for _ in range(2):
            ts = await leo.post("C0GENERAL", "<@U0SWITCH> How do I roll back a release?")
            await leo.wait_for_reply("C0GENERAL", ts)
        for _ in range(2):
            ts = await leo.post("C0GENERAL", "<@U0SWITCH> How do I roll back a release?")
        told = await leo.wait_for_ephemeral("C0GENERAL")
        assert told["text"].startswith("You asked 2 questions within a minute, which is as many as I take.")
        await maya.post("C0GENERAL", "<@U0SWITCH> Who may deploy?")
        ts = await maya.post("C0GENERAL", "<@U0SWITCH> Who may deploy?")
        told = await maya.wait_for_ephemeral("C0GENERAL")
        assert told["text"].startswith("In this channel people asked 3 questions within a minute")
        await maya.quiet()
        await app.house.under_way.idle()
        refusals = [c for c in await leo.calls("chat.postEphemeral") if "within a minute" in c["args"]["text"]]
        assert [call["args"]["user"] for call in refusals] == ["U0LEO", "U0MAYA"]
        await leo.command("/model", "use offline for me because I like it")
        await leo.wait_for_ephemeral("C0GENERAL", lambda m: "From now on" in m["text"])
        await leo.command("/switchboard", "audit")
        await leo.wait_for_ephemeral("C0GENERAL", lambda m: "Only an admin can see who changed what" in m["text"])
        await maya.command("/switchboard", "audit")
        await app.house.under_way.idle()
        seen = await maya.wait_for_ephemeral("C0GENERAL", lambda m: "The last" in m["text"])
        assert "<@U0LEO>: model pinned, person U0LEO: offline" in seen["text"]
        (entry,) = await Audit(app.house.core.engine).entries()
        assert (entry.who, entry.reason) == ("U0LEO", "I like it")
        assert len(entry.reference) == 12
