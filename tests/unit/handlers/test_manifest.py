"""The app manifest and the code name the same things."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import handlers
from handlers.agent import PROMPTS
from handlers.following import CHANNEL_EVENTS, FILE_EVENTS

FOLDER = Path(handlers.__file__).parent
MANIFEST: dict[str, Any] = json.loads(
    (FOLDER.parent / "deploy" / "slack" / "manifest.json").read_text(encoding="utf-8")
)
REGISTER = (FOLDER / "register.py").read_text(encoding="utf-8")


def test_every_command_and_shortcut_of_the_manifest_has_a_listener() -> None:
    features = MANIFEST["features"]
    names = [c["command"] for c in features["slash_commands"]] + [s["callback_id"] for s in features["shortcuts"]]
    assert [name for name in names if f'"{name}"' not in REGISTER] == []


def test_the_agent_view_offers_the_same_prompts_as_the_code() -> None:
    assert MANIFEST["features"]["agent_view"]["suggested_prompts"] == list(PROMPTS)
    assert len(PROMPTS) <= 4


def test_the_manifest_keeps_slacks_limits() -> None:
    information = MANIFEST["display_information"]
    assert len(information["name"]) <= 35
    assert len(information["description"]) <= 140
    assert 174 <= len(information["long_description"]) <= 4000
    for command in MANIFEST["features"]["slash_commands"]:
        assert len(command["command"]) <= 32
    for shortcut in MANIFEST["features"]["shortcuts"]:
        assert len(shortcut["name"]) <= 24


def test_every_event_has_the_scope_that_brings_it() -> None:
    scopes = set(MANIFEST["oauth_config"]["scopes"]["bot"])
    needed = {
        "app_mention": "app_mentions:read",
        "message.channels": "channels:history",
        "message.groups": "groups:history",
        "message.im": "im:history",
        "message.mpim": "mpim:history",
    }
    events = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    assert {needed[event] for event in events if event in needed} <= scopes
    assert set(needed) <= set(events)


def test_files_can_be_read_and_pictures_uploaded() -> None:
    assert {"files:read", "files:write"} <= set(MANIFEST["oauth_config"]["scopes"]["bot"])


def test_what_is_followed_in_channels_is_subscribed_to_and_within_the_scopes() -> None:
    followed = {*CHANNEL_EVENTS, *FILE_EVENTS}
    assert followed <= set(MANIFEST["settings"]["event_subscriptions"]["bot_events"])
    assert {"channels:read", "groups:read", "files:read"} <= set(MANIFEST["oauth_config"]["scopes"]["bot"])
