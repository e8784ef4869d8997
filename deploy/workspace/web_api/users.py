"""users.info, list, lookupByEmail and conversations."""

from __future__ import annotations

from deploy.workspace.errors import ApiError
from deploy.workspace.profiles import address, profile
from deploy.workspace.state import BOT_USER, JSON
from deploy.workspace.web_api.call import Call, Method
from deploy.workspace.web_api.conversations import KINDS, describe


async def info(call: Call) -> JSON:
    return {"user": profile(call.state, call.state.people[call.user()])}


async def list_all(call: Call) -> JSON:
    people, cursor = call.page([each for each in call.state.people.values() if not each.team_id])
    members = [profile(call.state, person) for person in people]
    return {"members": members, "response_metadata": {"next_cursor": cursor}}


async def lookup_by_email(call: Call) -> JSON:
    wanted = call.required("email").lower()
    for person in call.state.people.values():
        if not person.is_bot and address(person) == wanted:
            return {"user": profile(call.state, person)}
    raise ApiError("users_not_found")


async def conversations(call: Call) -> JSON:
    """Channels of a person that the bot knows of, or the bot's own."""
    user = call.user() if call.text("user") else BOT_USER
    kinds = {KINDS.get(name) for name in call.text("types", "public_channel").split(",")}
    shared = [
        channel for channel in call.state.channels_of(BOT_USER) if user in channel.members and channel.kind in kinds
    ]
    page, cursor = call.page(shared)
    channels = [describe(channel) for channel in page]
    return {"channels": channels, "response_metadata": {"next_cursor": cursor}}


METHODS: dict[str, Method] = {
    "users.info": info,
    "users.list": list_all,
    "users.lookupByEmail": lookup_by_email,
    "users.conversations": conversations,
}
