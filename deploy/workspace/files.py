"""What becomes of files after they were shared, and the canvases of channels."""

from __future__ import annotations

import time

from deploy.workspace.app_link import AppLink
from deploy.workspace.messages import Messages
from deploy.workspace.state import BOT_USER, CANVAS, Channel, File, State


class Files:
    """Changes to files, told to the app where it is in a channel that has them."""

    def __init__(self, state: State, messages: Messages, app: AppLink) -> None:
        self._state = state
        self._messages = messages
        self._app = app

    def change(self, file: File, content: bytes) -> None:
        """Put other content into a file."""
        file.content = content
        file.size = len(content)
        file.updated = max(int(time.time()), file.created + 1, file.updated + 1)
        self._tell(file, "file_change")

    def delete(self, file: File) -> None:
        """Delete a file, and the messages that were nothing but it."""
        self._tell(file, "file_deleted")
        del self._state.files[file.id]
        for channel in self._state.channels.values():
            if channel.canvas == file.id:
                channel.canvas = ""
            for message in [each for each in channel.messages.values() if _has(each, file)]:
                left = [each for each in message["files"] if each["id"] != file.id]
                if left or message["text"]:
                    self._messages.update(channel, message["ts"], files=left)
                else:
                    self._messages.delete(channel, message["ts"])

    def canvas(self, channel: Channel, title: str, html: str) -> File:
        """The channel's canvas with this content, made where there is none."""
        content = html.encode()
        file = self._state.files.get(channel.canvas)
        if file is None:
            owner = next(member for member in channel.members if member != BOT_USER)
            identifier = self._state.next_id("F")
            file = File(identifier, title, title, CANVAS, owner, content, len(content), shared=True)
            file.channels.append(channel.id)
            self._state.files[file.id] = file
            channel.canvas = file.id
            self._tell(file, "file_created")
        else:
            file.title = title
            self.change(file, content)
        return file

    def _tell(self, file: File, event: str) -> None:
        channels = (self._state.channels.get(each) for each in file.channels)
        if any(channel is not None and BOT_USER in channel.members for channel in channels):
            self._app.event({"type": event, "file_id": file.id, "file": {"id": file.id}})


def _has(message: dict[str, object], file: File) -> bool:
    files = message.get("files")
    return isinstance(files, list) and any(each["id"] == file.id for each in files)
