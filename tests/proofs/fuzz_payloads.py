"""Payloads as Slack sends them, one of each kind that the bot listens to, and what is done to them."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

JSON = dict[str, Any]

PEOPLE = ("U0MAYA", "U0LEO", "U0ANA", "U0SAM", "U0SWITCH", "U0NOBODY")
CHANNELS = ("C0GENERAL", "C0HELP", "G0FIN", "D0MAYA", "D0LEO", "C0NOWHERE")
COMMANDS = {
    "/ask": ("How do I roll back a release?", "", "model:nothing what is this?", "draw a cat"),
    "/compare": ("blind: How many holidays are there?", "models:a,b", "strategies:rag,zero_shot How?", ""),
    "/model": ("", "list task:text", "show offline", "use offline for me", "auto here", "why", "allow", "trial 5%"),
    "/knowledge": ("", "status handbook", "search VPN since:2026-01", "add #help", "refresh handbook", "forget x"),
    "/cost": ("", "me", "last:7d by:model", "budget", "budget set workspace $5 a day because x", "csv"),
    "/examples": ("", "find deploys", "flagged", "mine", "retired", "add", "import"),
    "/switchboard": ("", "audit"),
    "/unknown": ("anything",),
}
BUTTONS = (
    *("feedback", "why", "another_way", "keep_this", "keep_first", "clarify_0", "compare_vote_1", "change_model"),
    *("refresh_source", "forget_source", "remove_from_knowledge", "switch_to_successor", "accept_saving", "old_one"),
    *(
        "change_feedback",
        "take_back_feedback",
        "save_liked",
        "edit_example",
        "retire_example",
        "restore_example",
        "confirm_example",
        "page_of_examples_older",
    ),
)
MODALS = (
    *("comment", "pick_model", "add_source", "save_example", "import_examples", "another_way", "ask_about", "unknown"),
)
SHORTCUTS = ("add_to_knowledge", "ask_about", "save_example", "draw_this", "unknown")
SUBTYPES = (None, "file_share", "thread_broadcast", "me_message", "bot_message", "channel_join", "tombstone")
OTHER_EVENTS = (
    *("channel_archive", "channel_deleted", "channel_left", "channel_shared", "channel_unarchive", "channel_unshared"),
    *("group_archive", "group_deleted", "group_left", "group_unarchive", "member_joined_channel", "reaction_added"),
    *("member_left_channel", "file_change", "file_deleted", "file_shared", "file_unshared", "app_context_changed"),
    *("agent_session_stopped", "assistant_thread_started", "app_home_opened", "tokens_revoked", "team_rename"),
    *("user_change", "team_join"),
)
TEXTS = (
    *("<@U0SWITCH> How do I roll back a release?", "hello", "thanks", "help", "model use offline thread", "model why"),
    *("<@U0SWITCH> draw a boat", "That is wrong.", "<!channel> <#C0GENERAL|general> <https://a.example|b>", "?", ""),
)
_NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**63, 10**40, 1.5, float("nan"), float("inf"), "", " ", "0", "null", [], {}, [[]]),
    *("\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202eabc", "e\u0301" * 50, "\U0001f469\u200d\U0001f680", "\ufeff"),
    *("<!channel>", "<@U0SWITCH>", "{", "[" * 5_000, '{"a":' * 2_000, "'; DROP TABLE inbox; --", "%s%n", "../../etc"),
    *("A" * 50_000, "é" * 20_000, "\n" * 3_000, "1" * 5_000, "http://127.0.0.1:1/", "file:///etc/passwd", "T0LOCAL"),
    *(
        {"id": None},
        {"id": {}},
        [{"id": 1}],
        {"text": []},
        {"type": 7},
        ["a"] * 3_000,
        {str(n): n for n in range(2_000)},
    ),
)


def deep(levels: int) -> Any:
    """So many objects and lists inside each other."""
    value: Any = "bottom"
    for level in range(levels):
        value = {"elements": value} if level % 2 else [value]
    return value


def valid(draw: random.Random, known: Sequence[str] = ()) -> JSON:
    """A payload as Slack sends it. `known`: ids of questions that were answered."""
    made = draw.choices((_event, _command, _button, _modal, _shortcut, _rare), (30, 15, 25, 15, 10, 5))[0]
    return made(draw, known)


def mutated(draw: random.Random, payload: JSON, drawn: Sequence[Any]) -> Any:
    """The payload with one to four things wrong with it. `drawn`: more values that something may be."""
    payload = copy.deepcopy(payload)
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3, 4))):
        places = list(_places(payload))
        if not places:
            return draw.choice(drawn)
        holder, key = draw.choice(places)
        match draw.randrange(7):
            case 0:
                del holder[key]
            case 1:
                holder[key] = [holder[key]]
            case 2:
                holder[key] = {"id": holder[key]}
            case 3:
                holder[key] = _long(holder[key], draw) if isinstance(holder[key], str) else "x"
            case 4:
                holder[key] = deep(draw.choice((30, 100, 400)))
            case 5:
                holder[key] = copy.deepcopy(draw.choice(drawn)) if drawn else None
            case _:
                holder[key] = copy.deepcopy(draw.choice(_NASTY))
    return payload


def _long(text: str, draw: random.Random) -> str:
    return (text[:5_000] * draw.choice((2, 30, 3_000)))[:300_000]  # what is larger is cut off at the door


def _places(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    if depth > 12:
        return
    keys: Sequence[Any] = ()
    if isinstance(value, dict):
        keys = list(value)[:60]
    elif isinstance(value, list):
        keys = range(min(len(value), 20))
    for key in keys:
        yield value, key
        yield from _places(value[key], depth + 1)


def _ts(draw: random.Random) -> str:
    return f"17{draw.randrange(10**8):08d}.{draw.randrange(10**6):06d}"


def _message(draw: random.Random) -> JSON:
    message: JSON = {
        "type": "message",
        "user": draw.choice(PEOPLE),
        "text": draw.choice(TEXTS),
        "ts": _ts(draw),
        "team": "T0LOCAL",
        "blocks": [{"type": "actions", "block_id": "b", "elements": [{"type": "button", "action_id": "why"}]}],
    }
    if draw.random() < 0.3:
        message["thread_ts"] = _ts(draw)
    if draw.random() < 0.2:
        file = {"id": "F0FILE", "name": "a.pdf", "mimetype": "application/pdf", "size": 3, "url_private": "http://x/"}
        message["files"] = [file]
    return message


def _event(draw: random.Random, known: Sequence[str]) -> JSON:
    event = _message(draw) | {"channel": draw.choice(CHANNELS), "channel_type": "channel", "event_ts": _ts(draw)}
    kind = draw.randrange(6)
    if kind == 0:
        event["type"] = "app_mention"
    elif kind == 1:
        event |= {"subtype": "message_changed", "message": _message(draw), "previous_message": _message(draw)}
    elif kind == 2:
        event |= {"subtype": "message_deleted", "deleted_ts": _ts(draw), "previous_message": _message(draw)}
    elif kind == 3:
        event = _other(draw)
    else:
        event["subtype"] = draw.choice(SUBTYPES)
    authorization = {"team_id": "T0LOCAL", "user_id": "U0SWITCH", "is_bot": True, "enterprise_id": None}
    return {
        "type": "event_callback",
        "team_id": "T0LOCAL",
        "api_app_id": "A0SWITCH",
        "event_id": f"Ev{draw.randrange(10**12)}",
        "event_time": 1_700_000_000,
        "authorizations": [authorization | {"is_enterprise_install": False}],
        "event": event,
    }


def _other(draw: random.Random) -> JSON:
    event: JSON = {"type": draw.choice(OTHER_EVENTS), "user": draw.choice(PEOPLE), "channel": draw.choice(CHANNELS)}
    event |= {"tab": draw.choice(("home", "messages")), "file_id": "F0FILE", "file": {"id": "F0FILE"}}
    event |= {"assistant_thread": {"channel_id": "D0MAYA", "thread_ts": _ts(draw)}, "thread_ts": _ts(draw)}
    if draw.random() < 0.3:
        event["channel"] = {"id": draw.choice(CHANNELS), "name": "x"}
    if event["type"] in ("user_change", "team_join") or draw.random() < 0.1:
        account = {"id": event["user"], "team_id": "T0LOCAL", "is_restricted": draw.random() < 0.5, "deleted": False}
        event["user"] = account | {"enterprise_user": {"enterprise_id": "E0ORG", "teams": ["T0LOCAL"]}}
    return event


def _command(draw: random.Random, known: Sequence[str]) -> JSON:
    name = draw.choice(list(COMMANDS))
    return {
        "command": name,
        "text": draw.choice(COMMANDS[name]),
        "user_id": draw.choice(PEOPLE),
        "user_name": "maya",
        "channel_id": draw.choice(CHANNELS),
        "channel_name": "general",
        "team_id": "T0LOCAL",
        "api_app_id": "A0SWITCH",
        "response_url": "https://hooks.example/commands/1",
        "trigger_id": f"{draw.randrange(10**12)}.1.a",
        "is_enterprise_install": "false",
    }


def _interaction(draw: random.Random, kind: str) -> JSON:
    return {
        "type": kind,
        "user": {"id": draw.choice(PEOPLE), "team_id": "T0LOCAL", "name": "maya"},
        "team": {"id": "T0LOCAL", "domain": "acme"},
        "api_app_id": "A0SWITCH",
        "trigger_id": f"{draw.randrange(10**12)}.1.a",
        "channel": {"id": draw.choice(CHANNELS), "name": "general"},
        "is_enterprise_install": False,
    }


def _button(draw: random.Random, known: Sequence[str]) -> JSON:
    payload = _interaction(draw, "block_actions")
    one = draw.choice(known) if known else "none"
    values: tuple[str, ...] = (
        one,
        f"up:{one}",
        f"down:{one}",
        json.dumps([one, "a"]),
        f"{one}:1",
        f"{one}:reveal",
        "handbook",
        "[]",
    )
    accepted = json.dumps({"channel": "C0HELP", "model": "offline", "why": "it is cheap"})
    values = (*values, "offline offline", accepted, json.dumps(["C0HELP/1700000000.000001"]), "")
    action = {"type": "button", "action_id": draw.choice(BUTTONS), "block_id": "b", "value": draw.choice(values)}
    container = {"type": "message", "message_ts": _ts(draw), "channel_id": payload["channel"]["id"]}
    return payload | {
        "actions": [action | {"action_ts": _ts(draw)}],
        "container": container | {"is_ephemeral": draw.random() < 0.3},
        "message": _message(draw),
        "state": {"values": {}},
        "response_url": "https://hooks.example/actions/1",
    }


def _modal(draw: random.Random, known: Sequence[str]) -> JSON:
    option = {"text": {"type": "plain_text", "text": "x"}, "value": draw.choice(("offline", "person", "thread", "rag"))}
    names = ("model", "scope", "reason", "strategy", "way", "question", "answer", "where", "comment", "name", "kind")
    values = {name: {name: {"type": "x", "value": draw.choice(TEXTS), "selected_option": option}} for name in names}
    kept = {"channel": draw.choice(CHANNELS), "thread": _ts(draw), "question": draw.choice(known) if known else ""}
    quote = {"type": "section", "block_id": "quote", "text": {"type": "mrkdwn", "text": "&gt; a\n&gt; b"}}
    payload = _interaction(draw, draw.choice(("view_submission",) * 6 + ("view_closed",)))
    return payload | {
        "view": {
            "id": f"V{draw.randrange(10**10)}",
            "hash": "1.a",
            "type": "modal",
            "callback_id": draw.choice(MODALS),
            "private_metadata": json.dumps(kept | {"text": "#help"}),
            "state": {"values": values},
            "blocks": [{"type": "input", "block_id": "question"}, quote],
            "team_id": "T0LOCAL",
        },
        "response_urls": [],
    }


def _shortcut(draw: random.Random, known: Sequence[str]) -> JSON:
    payload = _interaction(draw, draw.choice(("message_action",) * 4 + ("shortcut",)))
    return payload | {
        "callback_id": draw.choice(SHORTCUTS),
        "message": _message(draw),
        "message_ts": _ts(draw),
        "response_url": "https://hooks.example/shortcuts/1",
    }


def _rare(draw: random.Random, known: Sequence[str]) -> JSON:
    if draw.random() < 0.5:
        return _interaction(draw, "block_suggestion") | {"action_id": "any", "block_id": "b", "value": "x"}
    kinds = ("dialog_submission", "interactive_message", "workflow_step_edit", "url_verification", "function_executed")
    return _interaction(draw, draw.choice(kinds)) | {"callback_id": "x", "actions": [{"name": "a"}], "challenge": "c"}
