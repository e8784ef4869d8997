"""The manifest asks Slack for what the code calls and hears, and for nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from deploy.workspace.web_api.scopes import ANY_OF, check_scope

ROOT = Path(__file__).resolve().parents[3]
MANIFEST: dict[str, Any] = json.loads((ROOT / "deploy" / "slack" / "manifest.json").read_text(encoding="utf-8"))
SCOPES: list[str] = MANIFEST["oauth_config"]["scopes"]["bot"]
EVENTS: list[str] = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
NO_SCOPE = {
    "apps.connections.open",
    "apps.uninstall",
    "auth.revoke",
    "auth.test",
    "chat.getPermalink",
    "files.upload.v2",
    "views.open",
    "views.publish",
}
"""Methods that a bot token may call as it is; files.upload.v2 is the SDK's name for two that stand in the table."""
OF_EVENTS = {
    "app_mention": {"app_mentions:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "message.mpim": {"mpim:history"},
    "channel_": {"channels:read"},
    "group_": {"groups:read"},
    "member_": {"channels:read", "groups:read"},
    "file_": {"files:read"},
    "reaction_": {"reactions:read"},
    "agent_": {"assistant:write"},
    "app_context_": {"assistant:write"},
}
"""What Slack asks for before it sends an event, by the beginning of its name."""
_CALL = re.compile(
    r"\.((?:apps|agents|assistant|auth|bots|chat|conversations|files|reactions|team|users|views)_[A-Za-z0-9_]+)\("
)
_NAMED = re.compile(r'(?:api_call|_call|fetch|pages)\(\s*"([a-z]+\.[A-Za-z.]+)"')


def called() -> set[str]:
    """The methods of Slack's Web API that the code names."""
    text = "\n".join(
        file.read_text(encoding="utf-8")
        for room in ("bot", "handlers", "knowledge/sources/slack")
        for file in (ROOT / room).rglob("*.py")
    )
    return {name.replace("_", ".") for name in _CALL.findall(text)} | set(_NAMED.findall(text))


def test_every_method_that_is_called_has_the_scope_that_slack_asks_for() -> None:
    methods = called()
    assert {"chat.postMessage", "conversations.info", "users.info"} <= methods
    assert [method for method in methods if method not in ANY_OF and method not in NO_SCOPE] == []
    for method in methods:
        check_scope(method, SCOPES)


def test_no_scope_is_asked_for_that_nothing_needs() -> None:
    used = {scope for method in called() for scope in ANY_OF.get(method, ())}
    used |= {"files:write"} if "files.upload.v2" in called() else set()
    heard = {
        scope for event in EVENTS for start, scopes in OF_EVENTS.items() if event.startswith(start) for scope in scopes
    }
    assert sorted(set(SCOPES) - used - heard - {"commands"}) == []


def test_every_event_that_is_subscribed_to_has_its_scope_and_a_listener() -> None:
    files = (file for room in ("bot", "handlers") for file in (ROOT / room).rglob("*.py"))
    code = "\n".join(file.read_text(encoding="utf-8") for file in files)
    for event in EVENTS:
        needed = {scope for start, scopes in OF_EVENTS.items() if event.startswith(start) for scope in scopes}
        assert not needed or needed & set(SCOPES), event
        assert f'"{event.partition(".")[0]}"' in code, event
