"""assistant.threads.*, agents.sessions.* and assistant.search.context: the surface of an agent."""

from __future__ import annotations

from deploy.workspace.errors import ApiError
from deploy.workspace.state import BOT_USER, JSON, Channel
from deploy.workspace.streams import MAX_LOADING_MESSAGES
from deploy.workspace.web_api.call import Call, Method

MAX_PROMPTS = 4
MAX_TITLE = 200
SESSION_STATUSES = ("active", "processing", "suspended", "closed")


async def set_status(call: Call) -> JSON:
    channel = call.joined_channel("channel_id")
    loading = call.listed("loading_messages") or []
    if len(loading) > MAX_LOADING_MESSAGES:
        raise ApiError("invalid_arguments")
    call.core.streams.set_status(channel, _thread(call, channel), call.text("status"), [str(each) for each in loading])
    return {}


async def set_title(call: Call) -> JSON:
    channel = call.joined_channel("channel_id")
    _show_title(call, channel, _thread(call, channel), call.required("title"))
    return {}


async def set_prompts(call: Call) -> JSON:
    channel = call.joined_channel("channel_id")
    prompts = call.listed("prompts") or []
    if not 1 <= len(prompts) <= MAX_PROMPTS:
        raise ApiError("invalid_arguments")
    for prompt in prompts:
        if not isinstance(prompt, dict) or not prompt.get("title") or not prompt.get("message"):
            raise ApiError("invalid_arguments")
    shown = {"title": call.text("title"), "prompts": prompts}
    call.state.prompts[channel.id] = shown
    event = {"type": "prompts", "channel": channel.id, **shown}
    call.core.feed.publish(call.state.audience(channel), event)
    return {}


async def set_session_status(call: Call) -> JSON:
    channel = call.joined_channel("channel_id")
    thread_ts = _thread(call, channel)
    status = call.required("status")
    if status not in SESSION_STATUSES:
        raise ApiError("invalid_arguments")
    key = (channel.id, thread_ts)
    if call.text("title") and key not in call.state.titles:
        _show_title(call, channel, thread_ts, call.text("title"))
    move_session(call, channel, thread_ts, status)
    return {"status": status, "agent_status": status, "title": call.state.titles.get(key, "")}


async def rename_session(call: Call) -> JSON:
    channel = call.joined_channel("channel_id")
    _show_title(call, channel, _thread(call, channel), call.required("title"))
    return {"title": call.text("title")}


async def search_context(call: Call) -> JSON:
    """Messages that contain every word of the query, in public channels and in those that the bot is in."""
    words = call.required("query").lower().split()
    found = []
    for channel in call.state.channels_of(BOT_USER):
        for message in channel.messages.values():
            text = message["text"].lower()
            if not channel.is_im and all(word in text for word in words):
                found.append(_result(call, channel, message))
    page, cursor = call.page(found[::-1], default=20)
    return {"results": {"messages": page}, "response_metadata": {"next_cursor": cursor}}


def move_session(call: Call, channel: Channel, thread_ts: str, status: str) -> None:
    """Move a session to a lifecycle status: only `processing` shows as something going on."""
    if status not in SESSION_STATUSES:
        raise ApiError("invalid_arguments")
    call.core.streams.set_status(channel, thread_ts, "is working…" if status == "processing" else "")


def _thread(call: Call, channel: Channel) -> str:
    thread_ts = call.text("thread_ts")
    if thread_ts not in channel.messages:
        raise ApiError("invalid_thread_ts")
    return thread_ts


def _show_title(call: Call, channel: Channel, thread_ts: str, title: str) -> None:
    if len(title) > MAX_TITLE:
        raise ApiError("invalid_arguments")
    call.state.titles[channel.id, thread_ts] = title
    event = {"type": "thread_title", "channel": channel.id, "thread_ts": thread_ts, "title": title}
    call.core.feed.publish(call.state.audience(channel), event)


def _result(call: Call, channel: Channel, message: JSON) -> JSON:
    return {
        "author_user_id": message["user"],
        "team_id": call.state.team_id,
        "channel_id": channel.id,
        "channel_name": channel.name,
        "message_ts": message["ts"],
        "content": message["text"],
        "is_author_bot": "bot_id" in message,
        "permalink": f"{call.state.url}/archives/{channel.id}/p{message['ts'].replace('.', '')}",
    }


METHODS: dict[str, Method] = {
    "assistant.threads.setStatus": set_status,
    "assistant.threads.setTitle": set_title,
    "assistant.threads.setSuggestedPrompts": set_prompts,
    "assistant.search.context": search_context,
    "agents.sessions.setStatus": set_session_status,
    "agents.sessions.rename": rename_session,
}
