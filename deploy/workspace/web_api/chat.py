"""chat.postMessage, update, delete, postEphemeral and getPermalink."""

from __future__ import annotations

from deploy.workspace.errors import ApiError
from deploy.workspace.limits import MAX_MARKDOWN, check_message_blocks
from deploy.workspace.state import BOT_USER, JSON, Channel
from deploy.workspace.typed import escape
from deploy.workspace.web_api.call import Call, Method

MAX_UPDATE_BYTES = 4_000


def content(call: Call) -> tuple[str, list[JSON] | None]:
    """The text and blocks of a message; `markdown_text` becomes a markdown block, as Slack shows it."""
    text, blocks, markdown = call.text("text"), call.listed("blocks"), call.text("markdown_text")
    if markdown:
        if text or blocks:
            raise ApiError("markdown_text_conflict")
        if len(markdown) > MAX_MARKDOWN:
            raise ApiError("msg_too_long")
        return markdown, [{"type": "markdown", "text": markdown}]
    if blocks is not None:
        check_message_blocks(blocks)
    if not text.strip() and not blocks and not call.args.get("attachments"):
        raise ApiError("no_text")
    return text, blocks


def thread(call: Call, channel: Channel) -> str | None:
    """The thread to post into; Slack refuses one that is not there."""
    thread_ts = call.text("thread_ts")
    if not thread_ts:
        return None
    parent = channel.messages.get(thread_ts)
    if parent is None:
        raise ApiError("thread_not_found")
    if parent.get("thread_ts", thread_ts) != thread_ts:
        raise ApiError("cannot_reply_to_message")
    return thread_ts


async def post_message(call: Call) -> JSON:
    channel = call.joined_channel()
    if channel.is_archived:
        raise ApiError("is_archived")
    text, blocks = content(call)
    thread_ts = thread(call, channel)
    more = {"metadata": call.args["metadata"]} if call.args.get("metadata") else {}
    if call.args.get("attachments"):
        more["attachments"] = call.args["attachments"]
    broadcast = call.flag("reply_broadcast")
    message = call.core.messages.post(
        channel, BOT_USER, text, blocks=blocks, thread_ts=thread_ts, broadcast=broadcast, **more
    )
    if thread_ts:
        call.core.streams.set_status(channel, thread_ts, "")
    return {"channel": channel.id, "ts": message["ts"], "message": message}


async def update(call: Call) -> JSON:
    channel = call.channel()
    message = call.message(channel)
    if message["user"] != BOT_USER:
        raise ApiError("cant_update_message")
    if call.core.streams.is_open(channel, message["ts"]):
        raise ApiError("streaming_state_conflict")
    text, blocks = content(call)
    if not call.text("markdown_text") and len(escape(text).encode()) > MAX_UPDATE_BYTES:
        raise ApiError("msg_too_long")
    more = {"metadata": call.args["metadata"]} if call.args.get("metadata") else {}
    message = call.core.messages.update(channel, message["ts"], text=text, blocks=blocks, edited_by=BOT_USER, **more)
    return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": message}


async def delete(call: Call) -> JSON:
    channel = call.channel()
    message = call.message(channel)
    if message["user"] != BOT_USER:
        raise ApiError("cant_delete_message")
    call.core.streams.expire(channel.id, message["ts"])
    call.core.messages.delete(channel, message["ts"])
    return {"channel": channel.id, "ts": message["ts"]}


async def post_ephemeral(call: Call) -> JSON:
    channel = call.joined_channel()
    if call.text("user") not in channel.members:
        raise ApiError("user_not_in_channel")
    text, blocks = content(call)
    thread_ts = thread(call, channel)
    message = call.core.messages.ephemeral(channel, call.text("user"), text, blocks=blocks, thread_ts=thread_ts)
    return {"message_ts": message["ts"]}


async def permalink(call: Call) -> JSON:
    channel = call.channel()
    message = call.message(channel, "message_ts")
    address = f"{call.state.url}/archives/{channel.id}/p{message['ts'].replace('.', '')}"
    thread_ts = message.get("thread_ts")
    if thread_ts and thread_ts != message["ts"]:
        address += f"?thread_ts={thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": address}


METHODS: dict[str, Method] = {
    "chat.postMessage": post_message,
    "chat.update": update,
    "chat.delete": delete,
    "chat.postEphemeral": post_ephemeral,
    "chat.getPermalink": permalink,
}
