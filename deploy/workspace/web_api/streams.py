"""chat.startStream, appendStream and stopStream."""

from __future__ import annotations

from deploy.workspace.errors import ApiError
from deploy.workspace.limits import MAX_MARKDOWN
from deploy.workspace.state import BOT_USER, JSON
from deploy.workspace.web_api.agents import move_session
from deploy.workspace.web_api.call import Call, Method
from deploy.workspace.web_api.chat import thread


def chunks(call: Call) -> list[JSON]:
    """What to append: `chunks`, or `markdown_text` as one chunk."""
    markdown = call.text("markdown_text")
    if len(markdown) > MAX_MARKDOWN:
        raise ApiError("msg_too_long")
    listed = call.listed("chunks") or []
    if markdown and listed:
        raise ApiError("markdown_text_conflict")
    return [{"type": "markdown_text", "text": markdown}] if markdown else listed


async def start(call: Call) -> JSON:
    channel = call.joined_channel()
    thread_ts = thread(call, channel)
    if thread_ts is None:
        raise ApiError("invalid_thread_ts")
    if not channel.is_im:
        for name, known in (("recipient_team_id", [call.state.team_id]), ("recipient_user_id", call.state.people)):
            if not call.text(name):
                raise ApiError(f"missing_{name}")
            if call.text(name) not in known:
                raise ApiError("team_not_found" if name == "recipient_team_id" else "user_not_found")
    if call.text("task_display_mode", "timeline") not in ("timeline", "plan", "dense"):
        raise ApiError("invalid_arguments")
    message = call.core.streams.start(channel, thread_ts, chunks(call))
    return {"channel": channel.id, "ts": message["ts"]}


async def append(call: Call) -> JSON:
    channel = call.joined_channel()
    added = chunks(call)
    if not added:
        raise ApiError("no_text")
    _own(call, channel.messages)
    call.core.streams.append(channel, call.text("ts"), added)
    return {"channel": channel.id, "ts": call.text("ts")}


async def stop(call: Call) -> JSON:
    channel = call.joined_channel()
    _own(call, channel.messages)
    metadata = call.args.get("metadata")
    message = call.core.streams.stop(channel, call.text("ts"), chunks(call), call.listed("blocks") or [], metadata)
    if status := call.text("session_status"):
        move_session(call, channel, message["thread_ts"], status)
    return {"channel": channel.id, "ts": message["ts"], "message": message}


def _own(call: Call, messages: dict[str, JSON]) -> None:
    message = messages.get(call.text("ts"))
    if message is None:
        raise ApiError("message_not_found")
    if message["user"] != BOT_USER:
        raise ApiError("message_not_owned_by_app")


METHODS: dict[str, Method] = {
    "chat.startStream": start,
    "chat.appendStream": append,
    "chat.stopStream": stop,
}
