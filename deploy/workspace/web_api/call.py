"""One call of the Web API: its arguments, and what most methods need to look up."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from deploy.workspace.core import Core
from deploy.workspace.errors import ApiError
from deploy.workspace.state import BOT_USER, JSON, Channel, State

_JSON_ARGUMENTS = frozenset(
    {"blocks", "view", "metadata", "chunks", "prompts", "files", "attachments", "loading_messages"}
)
_TRUE = (True, "1", "true", "True", 1)
Item = TypeVar("Item")


async def read_arguments(request: web.Request) -> JSON:
    """The call's arguments from query, JSON body and form; structured ones decoded where they came as text."""
    args: JSON = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except ValueError as broken:
            raise ApiError("invalid_json") from broken
        if not isinstance(body, dict):
            raise ApiError("json_not_object")
        args |= body
    elif request.can_read_body:
        args |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    for name in _JSON_ARGUMENTS & args.keys():
        if isinstance(args[name], str):
            args[name] = _decoded(name, args[name])
    return args


def _decoded(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as broken:
        raise ApiError("invalid_blocks_format" if name == "blocks" else "invalid_arguments") from broken


@dataclass
class Call:
    """A method call by the app, its token checked already."""

    core: Core
    args: JSON

    @property
    def state(self) -> State:
        return self.core.state

    def text(self, name: str, default: str = "") -> str:
        value = self.args.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            missing = f"[ERROR] missing required field: {name}"
            raise ApiError("invalid_arguments", response_metadata={"messages": [missing]})
        return value

    def flag(self, name: str) -> bool:
        return self.args.get(name) in _TRUE

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.args.get(name) or default)
        except (TypeError, ValueError) as broken:
            raise ApiError("invalid_arguments") from broken

    def listed(self, name: str) -> list[JSON] | None:
        """A list argument; None where it was not given."""
        value = self.args.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            raise ApiError(f"invalid_{name}_format" if name == "blocks" else "invalid_arguments")
        return value

    def channel(self, name: str = "channel") -> Channel:
        """The conversation that the argument names, as far as the bot may know of it."""
        wanted = self.text(name)
        if not wanted:
            raise ApiError("channel_not_found")
        channel = self.state.channels.get(wanted) or self.state.channel_named(wanted)
        if channel is None and wanted in self.state.people and wanted != BOT_USER:
            channel = self.state.direct_messages(wanted)
        if channel is None or not self.state.sees(BOT_USER, channel):
            raise ApiError("channel_not_found")
        return channel

    def joined_channel(self, name: str = "channel") -> Channel:
        """A conversation that the bot is in: where it may read, post and react."""
        channel = self.channel(name)
        if BOT_USER not in channel.members:
            raise ApiError("not_in_channel")
        return channel

    def message(self, channel: Channel, name: str = "ts") -> JSON:
        found = channel.messages.get(self.text(name))
        if found is None or found.get("subtype") == "tombstone":
            raise ApiError("message_not_found")
        return found

    def user(self, name: str = "user") -> str:
        user = self.text(name)
        if user not in self.state.people:
            raise ApiError("user_not_found")
        return user

    def page(self, items: Sequence[Item], default: int = 100, most: int = 1000) -> tuple[list[Item], str]:
        """One page of `items` by the arguments `limit` and `cursor`, and the cursor of the next ("" at the end).

        `most`: what a page holds at most, however many were asked for.
        """
        start = 0
        if cursor := self.text("cursor"):
            try:
                start = int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
            except (binascii.Error, ValueError) as broken:
                raise ApiError("invalid_cursor") from broken
        limit = self.number("limit", default)
        if not 1 <= limit <= 1000:
            raise ApiError("invalid_limit")
        end = start + min(limit, most)
        more = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
        return list(items[start:end]), more


Method = Callable[[Call], Awaitable[JSON]]
