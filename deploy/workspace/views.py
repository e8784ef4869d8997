"""Modals and Home tabs: what is open for whom, and what a submission's answer does to it."""

from __future__ import annotations

import secrets
import time

from deploy.workspace.elements import initial_state, with_ids
from deploy.workspace.errors import ApiError
from deploy.workspace.feed import Feed
from deploy.workspace.limits import check_view
from deploy.workspace.state import APP_ID, BOT_ID, JSON, State

MAX_STACK = 3


class Views:
    """Every person's stack of modals (the last one is on top) and their Home tab."""

    def __init__(self, state: State, feed: Feed) -> None:
        self._state = state
        self._feed = feed
        self._stacks: dict[str, list[JSON]] = {}

    def open(self, user: str, view: JSON, trigger_id: str) -> JSON:
        """Open a modal over whatever the person looks at; an open one gives way."""
        full = self._made(view)
        self._stacks[user] = [full]
        self._feed.publish([user], {"type": "view_open", "view": full, "trigger": trigger_id})
        return full

    def push(self, user: str, view: JSON) -> JSON:
        stack = self._stacks.get(user) or []
        if not stack:
            raise ApiError("not_found")
        if len(stack) >= MAX_STACK:
            raise ApiError("push_limit_reached")
        full = self._made(view)
        full |= {"root_view_id": stack[0]["id"], "previous_view_id": stack[-1]["id"]}
        stack.append(full)
        self._feed.publish([user], {"type": "view_push", "view": full})
        return full

    def update(self, view: JSON, *, view_id: str = "", external_id: str = "", view_hash: str = "") -> JSON:
        """Replace an open modal or Home tab; `hash_conflict` where it changed since `view_hash` was read."""
        user, old = self._find(view_id, external_id)
        if view_hash and view_hash != old["hash"]:
            raise ApiError("hash_conflict")
        full = self._made(view, replaces=old)
        if full["type"] == "home":
            self._state.homes[user] = full
            self._feed.publish([user], {"type": "home", "view": full})
        else:
            stack = self._stacks[user]
            stack[stack.index(old)] = full
            self._feed.publish([user], {"type": "view_update", "view": full})
        return full

    def publish(self, user: str, view: JSON, view_hash: str = "") -> JSON:
        """Set the person's Home tab."""
        if view.get("type") != "home":
            raise ApiError("invalid_arguments", response_metadata={"messages": ["[ERROR] the view must be a home"]})
        old = self._state.homes.get(user)
        if view_hash and old is not None and view_hash != old["hash"]:
            raise ApiError("hash_conflict")
        full = self._made(view, replaces=old)
        self._state.homes[user] = full
        self._feed.publish([user], {"type": "home", "view": full})
        return full

    def top(self, user: str, view_id: str) -> JSON | None:
        """The modal or Home tab with this id, where the person has it open."""
        home = self._state.homes.get(user)
        candidates = [*self._stacks.get(user, []), *([home] if home else [])]
        return next((view for view in candidates if view["id"] == view_id), None)

    def set_values(self, view: JSON, values: dict[str, JSON]) -> None:
        """Take over what the person chose; what is no input of the view is left out."""
        for block_id, entries in view["state"]["values"].items():
            entries |= {key: entry for key, entry in values.get(block_id, {}).items() if key in entries}

    def close(self, user: str, view_id: str, *, everything: bool = False) -> list[JSON]:
        """Close a modal and those above it, or all; returns what was closed."""
        stack = self._stacks.get(user, [])
        first = next((number for number, view in enumerate(stack) if view["id"] == view_id), None)
        if first is None:
            return []
        if everything:
            first = 0
        closed = stack[first:]
        del stack[first:]
        event: JSON = {"type": "view_close", "view_id": view_id}
        if everything:
            event["all"] = True
        self._feed.publish([user], event)
        return closed

    def close_all(self) -> None:
        self._stacks.clear()

    def complain(self, user: str, view_id: str, errors: dict[str, str]) -> None:
        self._feed.publish([user], {"type": "view_errors", "view_id": view_id, "errors": errors})

    def _find(self, view_id: str, external_id: str) -> tuple[str, JSON]:
        everything = [(user, view) for user, stack in self._stacks.items() for view in stack]
        for user, view in [*everything, *self._state.homes.items()]:
            if view["id"] == view_id or (external_id and view["external_id"] == external_id):
                return user, view
        raise ApiError("not_found")

    def _made(self, view: JSON, replaces: JSON | None = None) -> JSON:
        check_view(view)
        external_id = view.get("external_id") or ""
        if external_id and (replaces is None or replaces["external_id"] != external_id):
            self._refuse_duplicate(external_id)
        blocks = with_ids(view["blocks"], iter(lambda: self._state.next_id("b"), ""))
        values = initial_state(blocks)
        if replaces:
            _keep(values, replaces["state"]["values"])
        view_id = replaces["id"] if replaces else self._state.next_id("V")
        return {
            "id": view_id,
            "team_id": self._state.team_id,
            "type": view["type"],
            "title": view.get("title"),
            "submit": view.get("submit"),
            "close": view.get("close"),
            "blocks": blocks,
            "private_metadata": view.get("private_metadata") or "",
            "callback_id": view.get("callback_id") or "",
            "external_id": external_id,
            "state": {"values": values},
            "hash": f"{int(time.time())}.{secrets.token_hex(4)}",
            "clear_on_close": bool(view.get("clear_on_close")),
            "notify_on_close": bool(view.get("notify_on_close")),
            "root_view_id": replaces["root_view_id"] if replaces else view_id,
            "previous_view_id": replaces["previous_view_id"] if replaces else None,
            "app_id": APP_ID,
            "app_installed_team_id": self._state.team_id,
            "bot_id": BOT_ID,
        }

    def _refuse_duplicate(self, external_id: str) -> None:
        for view in [*self._state.homes.values(), *(view for stack in self._stacks.values() for view in stack)]:
            if view["external_id"] == external_id:
                raise ApiError("duplicate_external_id")


def _keep(values: dict[str, JSON], before: dict[str, JSON]) -> None:
    """Let inputs that an update leaves in place hold what the person chose, as Slack does."""
    for block_id, entries in values.items():
        for action_id, entry in entries.items():
            chosen = before.get(block_id, {}).get(action_id)
            if chosen and chosen.get("type") == entry["type"]:
                entries[action_id] = chosen
