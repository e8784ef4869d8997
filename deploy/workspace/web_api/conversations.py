"""conversations.info, list, members, open, join, leave, history and replies."""

from __future__ import annotations

from deploy.workspace.errors import ApiError
from deploy.workspace.state import BOT_USER, JSON, Channel
from deploy.workspace.web_api.call import Call, Method

KINDS = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}


def describe(channel: Channel) -> JSON:
    """A conversation as Slack describes it to the bot."""
    common: JSON = {
        "id": channel.id,
        "created": 1700000000,
        "is_archived": channel.is_archived,
        "is_im": channel.is_im,
        "is_mpim": channel.is_mpim,
        "is_private": channel.kind != "channel",
    }
    if channel.is_im:
        return {**common, "user": channel.user, "is_user_deleted": False}
    return {
        **common,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_general": channel.name == "general",
        "is_member": BOT_USER in channel.members,
        "is_shared": channel.is_ext_shared or channel.is_org_shared,
        "is_org_shared": channel.is_org_shared,
        "is_ext_shared": channel.is_ext_shared,
        "num_members": len(channel.members),
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        **({"properties": {"canvas": {"file_id": channel.canvas, "is_empty": False}}} if channel.canvas else {}),
    }


async def info(call: Call) -> JSON:
    return {"channel": describe(call.channel())}


async def list_all(call: Call) -> JSON:
    kinds = {KINDS.get(name.strip()) for name in call.text("types", "public_channel").split(",")}
    if None in kinds:
        raise ApiError("invalid_types")
    page, cursor = call.page([each for each in call.state.channels_of(BOT_USER) if each.kind in kinds])
    return {"channels": [describe(each) for each in page], "response_metadata": {"next_cursor": cursor}}


async def members(call: Call) -> JSON:
    there = [each for each in call.channel().members if not call.state.people[each].deleted]
    page, cursor = call.page(there)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


async def open_direct(call: Call) -> JSON:
    if call.text("channel"):
        return {"channel": describe(call.channel())}
    users = [user for user in call.text("users").split(",") if user]
    if len(users) != 1:
        raise ApiError("users_list_not_supplied" if not users else "not_enough_users")
    if users[0] not in call.state.people or users[0] == BOT_USER:
        raise ApiError("user_not_found")
    channel = call.state.direct_messages(users[0])
    return {"channel": describe(channel) if call.flag("return_im") else {"id": channel.id}}


async def join(call: Call) -> JSON:
    channel = call.channel()
    if channel.kind != "channel":
        raise ApiError("method_not_supported_for_channel_type")
    joined = call.core.membership.join(channel, BOT_USER)
    return {"channel": describe(channel), **({} if joined else {"warning": "already_in_channel"})}


async def leave(call: Call) -> JSON:
    channel = call.channel()
    if channel.is_im:
        raise ApiError("method_not_supported_for_channel_type")
    left = call.core.membership.leave(channel, BOT_USER)
    return {} if left else {"not_in_channel": True}


async def history(call: Call) -> JSON:
    """Top-level messages, newest first, as Slack sends them."""
    channel = call.joined_channel()
    messages = sorted(_between(call, channel.top_level()), key=lambda message: str(message["ts"]), reverse=True)
    answer = _paged(call, messages)
    return {**answer, "messages": [call.state.with_thread(channel, each) for each in answer["messages"]]}


async def replies(call: Call) -> JSON:
    """A thread from its parent on, oldest first; the ts of a reply finds its thread too."""
    channel = call.joined_channel()
    found = channel.messages.get(call.required("ts"))
    if found is None:
        raise ApiError("thread_not_found")
    parent_ts = str(found.get("thread_ts", found["ts"]))
    parent, *rest = [call.state.with_thread(channel, each) for each in channel.thread(parent_ts)]
    return _paged(call, [parent, *_between(call, rest)])


def _between(call: Call, messages: list[JSON]) -> list[JSON]:
    oldest, latest = call.text("oldest", "0"), call.text("latest") or "9999999999.999999"
    if call.flag("inclusive"):
        return [each for each in messages if _time(oldest) <= _time(each["ts"]) <= _time(latest)]
    return [each for each in messages if _time(oldest) < _time(each["ts"]) < _time(latest)]


def _time(ts: str) -> tuple[int, int]:
    seconds, _, micros = ts.partition(".")
    try:
        return int(seconds or 0), int(micros.ljust(6, "0")[:6] or 0)
    except ValueError as broken:
        raise ApiError("invalid_ts_oldest") from broken


def _paged(call: Call, messages: list[JSON]) -> JSON:
    page, cursor = call.page(messages, most=call.state.most_messages)
    answer: JSON = {"messages": page, "has_more": bool(cursor)}
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


METHODS: dict[str, Method] = {
    "conversations.info": info,
    "conversations.list": list_all,
    "conversations.members": members,
    "conversations.open": open_direct,
    "conversations.join": join,
    "conversations.leave": leave,
    "conversations.history": history,
    "conversations.replies": replies,
}
