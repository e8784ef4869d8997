"""reactions.add, remove and get."""

from __future__ import annotations

import re

from deploy.workspace.errors import ApiError
from deploy.workspace.state import BOT_USER, JSON
from deploy.workspace.web_api.call import Call, Method

_NAME = re.compile(r"[a-z0-9_+'-]+(?:::skin-tone-[2-6])?")


def _name(call: Call) -> str:
    name = call.text("name").strip(":")
    if not _NAME.fullmatch(name):
        raise ApiError("invalid_name")
    return name


async def add(call: Call) -> JSON:
    channel = call.joined_channel()
    message = call.message(channel, "timestamp")
    if not call.core.messages.react(channel, message["ts"], BOT_USER, _name(call), add=True):
        raise ApiError("already_reacted")
    return {}


async def remove(call: Call) -> JSON:
    channel = call.joined_channel()
    message = call.message(channel, "timestamp")
    if not call.core.messages.react(channel, message["ts"], BOT_USER, _name(call), add=False):
        raise ApiError("no_reaction")
    return {}


async def get(call: Call) -> JSON:
    channel = call.joined_channel()
    return {"type": "message", "channel": channel.id, "message": call.message(channel, "timestamp")}


METHODS: dict[str, Method] = {"reactions.add": add, "reactions.remove": remove, "reactions.get": get}
