"""files.getUploadURLExternal, completeUploadExternal, info, list and delete."""

from __future__ import annotations

import mimetypes

from deploy.workspace.errors import ApiError
from deploy.workspace.state import BOT_USER, JSON, Channel, File
from deploy.workspace.web_api.call import Call, Method
from deploy.workspace.web_api.chat import thread


async def get_upload_url(call: Call) -> JSON:
    name, length = call.required("filename"), call.number("length", 0)
    if length <= 0:
        raise ApiError("invalid_arguments")
    mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
    file = File(call.state.next_id("F"), name, name, mimetype, BOT_USER, size=length, alt=call.text("alt_txt"))
    call.state.files[file.id] = file
    return {"upload_url": f"{call.state.url}/upload/{file.id}", "file_id": file.id}


async def complete_upload(call: Call) -> JSON:
    """Share uploaded files, in a channel or with nobody yet."""
    listed = call.listed("files") or []
    files = [_uploaded(call, entry) for entry in listed]
    if not files:
        raise ApiError("invalid_arguments")
    named = [call.text("channel_id"), *call.text("channels").split(",")]
    channels = [_channel(call, each) for each in dict.fromkeys(named) if each]
    for file, entry in zip(files, listed, strict=True):
        file.title = entry.get("title") or file.name
        file.shared = True
    for channel in channels:
        comment, thread_ts = call.text("initial_comment"), thread(call, channel)
        call.core.messages.post(
            channel, BOT_USER, comment, thread_ts=thread_ts, files=files, blocks=call.listed("blocks")
        )
    return {"files": [call.core.messages.file_object(file) for file in files]}


async def info(call: Call) -> JSON:
    file = _known(call)
    return {"file": call.core.messages.file_object(file), "content_highlight_html": "", "comments": []}


async def delete(call: Call) -> JSON:
    file = _known(call)
    if file.user != BOT_USER:
        raise ApiError("cant_delete_file")
    call.core.files.delete(file)
    return {}


async def list_all(call: Call) -> JSON:
    """Files that the bot can reach, newest first; `channel` and `ts_from` narrow them."""
    count, number = call.number("count", 100), call.number("page", 1)
    if not 1 <= count <= 1000 or number < 1:
        raise ApiError("invalid_arguments")
    wanted = call.channel().id if call.text("channel") else ""
    since = float(call.text("ts_from", "0"))
    there = [
        file
        for file in sorted(call.state.files.values(), key=lambda file: file.created, reverse=True)
        if file.shared and file.created >= since and _in_reach(call, file) and wanted in ("", *file.channels)
    ]
    page = there[(number - 1) * count : number * count]
    return {
        "files": [call.core.messages.file_object(file) for file in page],
        "paging": {"count": count, "total": len(there), "page": number, "pages": -(-len(there) // count)},
    }


def _known(call: Call) -> File:
    file = call.state.files.get(call.text("file"))
    if file is None:
        raise ApiError("file_not_found")
    if file.user != BOT_USER and not _in_reach(call, file):
        raise ApiError("file_not_found")
    return file


def _in_reach(call: Call, file: File) -> bool:
    channels = (call.state.channels.get(each) for each in file.channels)
    return file.given or any(channel is not None and BOT_USER in channel.members for channel in channels)


def _uploaded(call: Call, entry: JSON) -> File:
    file = call.state.files.get(str(entry.get("id")))
    if file is None or file.shared or not file.content:
        raise ApiError("file_not_found")
    return file


def _channel(call: Call, channel_id: str) -> Channel:
    channel = Call(call.core, {"channel": channel_id}).channel()
    if BOT_USER not in channel.members:
        raise ApiError("not_in_channel")
    return channel


METHODS: dict[str, Method] = {
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
    "files.info": info,
    "files.list": list_all,
    "files.delete": delete,
}
