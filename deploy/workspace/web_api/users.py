"""users.info, list, lookupByEmail and conversations."""

from __future__ import annotations

from deploy.workspace.errors import ApiError
from deploy.workspace.state import BOT_USER, JSON, Person, State
from deploy.workspace.web_api.call import Call, Method
from deploy.workspace.web_api.conversations import KINDS, describe


def profile(state: State, person: Person) -> JSON:
    """A person as Slack describes them; addresses are at the reserved example domain."""
    return {
        "id": person.id,
        "team_id": person.team_id or state.team_id,
        "name": person.name,
        "real_name": person.real_name,
        "deleted": person.deleted,
        "color": person.color,
        "tz": "Europe/Berlin",
        "tz_label": "Central European Time",
        "tz_offset": 3600,
        "is_admin": person.is_admin,
        "is_owner": person.is_owner,
        "is_primary_owner": person.is_owner,
        "is_restricted": person.is_restricted,
        "is_ultra_restricted": person.is_ultra_restricted,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "locale": "en-US",
        "profile": {
            "real_name": person.real_name,
            "display_name": person.real_name if person.is_bot else person.name,
            **({} if person.is_bot else {"email": address(person)}),
        },
    }


def address(person: Person) -> str:
    return f"{person.name}@acme-robotics.example"


async def info(call: Call) -> JSON:
    return {"user": profile(call.state, call.state.people[call.user()])}


async def list_all(call: Call) -> JSON:
    people, cursor = call.page(list(call.state.people.values()))
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
