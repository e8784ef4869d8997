"""The shape of everything that comes from Slack and goes to it: what a payload may hold, and what it must."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

JSON: TypeAlias = dict[str, Any]

DEEPEST = 40
"""Levels that a payload may have: Slack's own have about twelve, and what is deeper is left out."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")  # Slack's have up to fifteen characters
_TS = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")
_URL = re.compile(r"https?://[!-~]{1,500}")
_KEY = re.compile(r"[\w.:|-]{1,80}", re.ASCII)  # ids of events, triggers and views
_WRONG = object()
Kind: TypeAlias = Any
"""What a value has to be: a type, a pattern, a mapping of names to kinds, a list of one kind, a tuple of kinds of which
the first that fits counts, or `_Each` of a kind."""


_SPOKEN = frozenset({None, "file_share", "thread_broadcast", "me_message"})


class Malformed(ValueError):
    """A payload lacks what it cannot be understood without; the text names it, and nothing of what was sent."""


class _Each:
    """A mapping whose every value is of one kind."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind


_OPTION = {"value": str, "text": (str, {"text": str})}
_ELEMENT = {"type": str, "action_id": str, "value": str, "text": (str, {"text": str})}
_BLOCKS = [{"type": str, "block_id": str, "text": (str, {"text": str}), "elements": [_ELEMENT]}]
_FILE = {
    **dict.fromkeys(("name", "title", "mimetype", "mode", "url_private", "url_private_download"), str),
    **{"id": _ID, "size": int, "duration_ms": int, "is_external": bool},
}
_MESSAGE = {
    **{"ts": _TS, "thread_ts": _TS, "user": _ID, "bot_id": str, "text": str, "subtype": str, "type": str},
    **{"files": [_FILE], "blocks": _BLOCKS, "edited": {"ts": _TS}, "team": str, "hidden": bool},
}
_ACCOUNT = {
    **{"id": _ID, "team_id": str, "enterprise_id": str},
    **{"enterprise_user": {"enterprise_id": str, "teams": [str]}},
}
_EVENT: Mapping[str, Kind] = {
    **_MESSAGE,
    **{"user": (_ID, _ACCOUNT)},
    **{"channel": (_ID, {"id": _ID}), "channel_type": str, "tab": str},
    **{"message": _MESSAGE, "previous_message": _MESSAGE, "deleted_ts": _TS, "event_ts": _TS},
    **{"assistant_thread": {"channel_id": _ID, "thread_ts": _TS}, "channel_id": _ID, "user_id": _ID},
    **{"file_id": _ID, "file": {"id": _ID}, "item": {"channel": _ID, "ts": _TS}, "view": {"team_id": str}},
    **{"reaction": str},
    **{"user_team": str, "enterprise": (str, {"id": str}), "enterprise_id": str, "team_id": str, "inputs": dict},
    **{"function_execution_id": str, "function_data": {"execution_id": str}, "bot_access_token": str},
}
_VALUE = {"type": str, "value": str, "selected_option": _OPTION, "selected_options": [_OPTION]}
_VIEW = {
    **{"id": _KEY, "callback_id": str, "private_metadata": str, "hash": str, "type": str, "blocks": _BLOCKS},
    **{"state": {"values": _Each(_Each(_VALUE))}, "team_id": str, "app_installed_team_id": str},
}
_INSTALLED = {**dict.fromkeys(("team_id", "user_id", "enterprise_id"), str), "is_enterprise_install": bool}
BODY: Mapping[str, Kind] = {
    **{"type": str, "event_id": _KEY, "event": _EVENT, "team_id": str, "api_app_id": str, "token": str},
    **{"challenge": str, "ssl_check": str, "authorizations": [_INSTALLED], "is_ext_shared_channel": bool},
    **{"enterprise": (str, {"id": str}), "enterprise_id": str, "is_enterprise_install": (bool, str)},
    **{"context_team_id": str, "context_enterprise_id": str, "team": {"id": str, "enterprise_id": str}},
    **{"command": str, "text": str, "user_id": _ID, "channel_id": _ID, "trigger_id": _KEY, "thread_ts": _TS},
    **{"response_url": _URL, "response_urls": [{"response_url": _URL}], "callback_id": str, "action_id": str},
    **{"user": {"id": _ID, "team_id": str}, "channel": {"id": _ID}, "message": _MESSAGE, "view": _VIEW},
    **{"container": {"message_ts": _TS, "channel_id": _ID, "thread_ts": _TS, "is_ephemeral": bool, "view_id": str}},
    **{
        "actions": [
            {"action_id": str, "block_id": str, "type": str, "value": str, "selected_option": _OPTION, "action_ts": _TS}
        ]
    },
    **{"function_execution_id": str, "function_data": {"execution_id": str}, "bot_access_token": str, "inputs": dict},
    **{"item": {"channel": _ID}, "previous_message": _MESSAGE, "assistant_thread": {"channel_id": _ID}},
}
"""What is read of a body, by us and by Bolt. What is not named here is kept as it is."""

ACCOUNTS = frozenset({"team_join", "user_change"})
"""Events about an account: their user is all of it, and no id."""
_INTERACTIONS: Mapping[str, tuple[str, ...]] = {
    "block_actions": ("user.id", "actions.action_id"),
    "view_submission": ("user.id", "view.id", "view.type", "view.callback_id", "view.state.values"),
    "view_closed": ("user.id", "view.callback_id"),
    "message_action": ("user.id", "channel.id", "callback_id", "message.ts"),
    "shortcut": ("user.id", "callback_id"),
    "block_suggestion": ("user.id", "action_id"),
    "url_verification": ("challenge",),
}
_EVENTS: Mapping[str, tuple[str, ...]] = {
    "app_mention": ("event.channel", "event.ts"),
    "app_home_opened": ("event.user",),
    "assistant_thread_started": ("event.assistant_thread.channel_id", "event.assistant_thread.thread_ts"),
    **dict.fromkeys(("member_joined_channel", "member_left_channel"), ("event.user", "event.channel")),
    **dict.fromkeys(ACCOUNTS, ("event.user.id",)),
}
_MESSAGES: Mapping[str | None, tuple[str, ...]] = {
    "message_changed": ("event.channel", "event.message.ts"),
    "message_deleted": ("event.channel", "event.deleted_ts"),
}


def understood(payload: object) -> JSON:
    """A payload as it can be worked with: of the names that are read, only values of their kind are left; texts hold
    nothing that a database or Slack refuses. Raises Malformed where it is no payload of a kind that there is.
    """
    read = _read(BODY, payload, 0)
    if not isinstance(read, dict):
        raise Malformed("it is no object")
    if "command" in read:
        needed: tuple[str, ...] = ("user_id", "channel_id", "trigger_id")
    elif read.get("type") == "event_callback":
        needed = ("event_id", "event.type", *_of_event(read.get("event") or {}))
    elif read.get("ssl_check"):
        needed = ()
    elif str(read.get("type")) in _INTERACTIONS:
        needed = _INTERACTIONS[str(read["type"])]
    else:
        raise Malformed("it is of no kind that I know")
    event = read.get("event") or {}
    if isinstance(event.get("channel"), dict):  # as events of channels have it
        event["channel"] = event["channel"].get("id")
    if isinstance(event.get("user"), dict) and event.get("type") not in ACCOUNTS:
        del event["user"]
    if "response_urls" in read:  # Bolt reads the first one, and fails where there are more
        read["response_urls"] = read["response_urls"][:1]
    for path in needed:
        if not _holds(read, path.split(".")):
            raise Malformed(f"it lacks {path}")
    return read


def is_spoken(event: JSON) -> bool:
    """Whether a message event brings what a person said, and no change of it."""
    return event.get("subtype") in _SPOKEN and not event.get("bot_id")


def pressed(payload: JSON) -> str:
    """The value of the button that was pressed, "" where it has none."""
    return str(payload["actions"][0].get("value") or "")


def parsed(text: str) -> Any:
    """The value that a text holds as JSON, None where it holds none: for what we put into buttons and modals."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def written(payload: JSON, block: str) -> JSON:
    """What a submitted modal's block holds, by its action, which is called as the block; {} where there is nothing."""
    found: JSON = (payload["view"]["state"]["values"].get(block) or {}).get(block) or {}
    return found


def _of_event(event: JSON) -> tuple[str, ...]:
    kind = event.get("type")
    if kind == "message":
        converted = str(event.get("subtype")).startswith("channel_convert")
        return ("event.channel",) if converted else _MESSAGES.get(event.get("subtype"), ("event.channel", "event.ts"))
    return _EVENTS.get(str(kind), ())


def _holds(value: Any, path: list[str]) -> bool:
    for name in path:
        value = value[0] if isinstance(value, list) and value else value
        value = value.get(name) if isinstance(value, dict) else None
    return value is not None


def _read(kind: Kind, value: object, depth: int) -> Any:
    """The value as its kind, or _WRONG."""
    if isinstance(kind, tuple):
        return next((read for one in kind if (read := _read(one, value, depth)) is not _WRONG), _WRONG)
    if isinstance(kind, Mapping | _Each):
        return _object(kind, value, depth)
    if isinstance(kind, list):
        if not isinstance(value, list) or depth >= DEEPEST:
            return _WRONG
        return [read for one in value if (read := _read(kind[0], one, depth + 1)) is not _WRONG]
    if isinstance(kind, re.Pattern):
        return value if isinstance(value, str) and kind.fullmatch(value) else _WRONG
    if isinstance(kind, type):
        fits = isinstance(value, kind) and (kind is not int or not isinstance(value, bool))
        return _clean(value, depth) if fits else _WRONG
    raise TypeError(f"{kind!r} is no kind")


def _object(kind: Mapping[str, Kind] | _Each, value: object, depth: int) -> Any:
    if not isinstance(value, dict) or depth >= DEEPEST:
        return _WRONG
    read = {}
    for name, one in value.items():
        if not isinstance(name, str):
            continue
        wanted = kind.kind if isinstance(kind, _Each) else kind.get(name)
        kept = _clean(one, depth + 1) if wanted is None else _read(wanted, one, depth + 1)
        if kept is not _WRONG:
            read[_text(name)] = kept
    return read


def _clean(value: object, depth: int) -> Any:
    """The same without half characters, NUL, numbers that JSON does not have, and levels that are too deep."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict | list) and depth >= DEEPEST:
        return None
    if isinstance(value, dict):
        return {_text(name): _clean(one, depth + 1) for name, one in value.items() if isinstance(name, str)}
    if isinstance(value, list):
        return [_clean(one, depth + 1) for one in value]
    return value


def _text(value: str) -> str:
    if value.isascii():
        return value.replace("\x00", "\ufffd") if "\x00" in value else value
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
