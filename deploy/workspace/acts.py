"""What a person can do on the page, one method for each `do`."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from collections.abc import Awaitable, Callable

from deploy.workspace.core import Core
from deploy.workspace.errors import ActError, ApiError
from deploy.workspace.membership import channel_for_page
from deploy.workspace.state import BOT_USER, JSON, Channel, File
from deploy.workspace.typed import slack_text


class Acts:
    """Acts of people. Each takes the person and what the page sent, and returns what `ok: true` comes with."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._known: dict[str, Callable[[str, JSON], Awaitable[JSON]]] = {
            "post": self.post,
            "edit": self.edit,
            "delete": self.delete,
            "react": self.react,
            "unreact": self.react,
            "click": self.click,
            "options": self.options,
            "submit_view": self.submit_view,
            "close_view": self.close_view,
            "command": self.command,
            "shortcut": self.shortcut,
            "open_home": self.open_home,
            "open_dm": self.open_dm,
            "join": self.join,
            "leave": self.leave,
            "invite": self.invite,
            "stop": self.stop,
            "context": self.context,
            "change_file": self.change_file,
            "delete_file": self.delete_file,
        }

    async def do(self, user: str, act: JSON) -> JSON:
        """Do one act; ActError with a sentence where it cannot be done."""
        method = self._known.get(str(act.get("do")))
        if method is None:
            raise ActError(f"Nobody can do {act.get('do')!r} here.")
        try:
            return await method(user, act)
        except ApiError as refused:
            raise ActError(f"The app's answer was refused: {_explained(refused)}") from refused

    async def post(self, user: str, act: JSON) -> JSON:
        channel = self._channel(user, act)
        typed, thread_ts = str(act.get("text") or ""), act.get("thread") or None
        if typed.startswith("/") and not act.get("files"):
            command, _, rest = typed.partition(" ")
            return await self.command(user, {**act, "command": command, "text": rest.strip()})
        if channel.is_archived:
            raise ActError(f"#{channel.name} is archived.")
        if user not in channel.members:
            raise ActError(f"Join #{channel.name} before you write there.")
        if thread_ts and thread_ts not in channel.messages:
            raise ActError("This thread is no longer there.")
        files = [self._file(user, each) for each in act.get("files") or []]
        if not typed.strip() and not files:
            raise ActError("There is nothing to send.")
        text = slack_text(typed, self._core.state)
        message = self._core.messages.post(channel, user, text, thread_ts=thread_ts, files=files)
        return {"ts": message["ts"]}

    async def edit(self, user: str, act: JSON) -> JSON:
        channel, message = self._message(user, act)
        if message["user"] != user:
            raise ActError("You can only edit your own messages.")
        text = slack_text(str(act.get("text") or ""), self._core.state)
        self._core.messages.update(channel, message["ts"], text=text, edited_by=user)
        return {}

    async def delete(self, user: str, act: JSON) -> JSON:
        channel, message = self._message(user, act)
        if message["user"] != user and not self._core.state.people[user].is_admin:
            raise ActError("You can only delete your own messages.")
        self._core.streams.expire(channel.id, message["ts"])
        self._core.messages.delete(channel, message["ts"])
        return {}

    async def react(self, user: str, act: JSON) -> JSON:
        channel, message = self._message(user, act)
        name = str(act.get("name") or "").strip(":")
        self._core.messages.react(channel, message["ts"], user, name, add=act["do"] == "react")
        return {}

    async def click(self, user: str, act: JSON) -> JSON:
        await self._core.interactions.click(user, act)
        return {}

    async def options(self, user: str, act: JSON) -> JSON:
        return await self._core.interactions.options(user, act)

    async def submit_view(self, user: str, act: JSON) -> JSON:
        state = act.get("state") or {}
        values: dict[str, JSON] = state.get("values", {})
        for entry in (entry for block in values.values() for entry in block.values()):
            if entry.get("type") == "file_input":
                files = [self._file(user, each) for each in entry.get("files") or []]
                for file in files:
                    file.given = True
                entry["files"] = [self._core.messages.file_object(file) for file in files]
        return await self._core.interactions.submit_view(user, str(act.get("view_id")), values)

    async def close_view(self, user: str, act: JSON) -> JSON:
        await self._core.interactions.close_view(user, str(act.get("view_id")))
        return {}

    async def command(self, user: str, act: JSON) -> JSON:
        channel = self._channel(user, act)
        command = "/" + str(act.get("command") or "").lstrip("/")
        if act.get("thread"):
            raise ActError(f"{command} is not supported in threads. Sorry!")
        await self._core.interactions.command(user, channel, command, str(act.get("text") or ""))
        return {}

    async def shortcut(self, user: str, act: JSON) -> JSON:
        channel = self._channel(user, act) if act.get("channel") else None
        await self._core.interactions.shortcut(user, str(act.get("callback_id")), channel, str(act.get("ts")))
        return {}

    async def open_home(self, user: str, act: JSON) -> JSON:
        """Open the app's Home or Messages tab: the app hears of it, and the Home that is there is shown at once."""
        tab = "messages" if act.get("tab") == "messages" else "home"
        home = self._core.state.homes.get(user)
        channel = self._core.state.direct_messages(user)
        event: JSON = {"type": "app_home_opened", "user": user, "channel": channel.id, "tab": tab}
        if tab == "home" and home is not None:
            event["view"] = home
            self._core.feed.publish([user], {"type": "home", "view": home})
        self._core.app.event(event)
        return {"channel": channel.id}

    async def open_dm(self, user: str, act: JSON) -> JSON:
        if act.get("user", BOT_USER) != BOT_USER:
            raise ActError("Direct messages here are with the bot only.")
        channel = self._core.state.direct_messages(user)
        self._core.membership.opened(channel, user)
        return {"channel": channel.id}

    async def join(self, user: str, act: JSON) -> JSON:
        channel = self._channel(user, act)
        if channel.is_im:
            raise ActError("Direct messages cannot be joined.")
        self._core.membership.join(channel, user)
        return {"channel": channel_for_page(channel, user)}

    async def leave(self, user: str, act: JSON) -> JSON:
        channel = self._channel(user, act)
        if channel.is_im:
            raise ActError("Direct messages cannot be left.")
        self._core.membership.leave(channel, user)
        return {}

    async def invite(self, user: str, act: JSON) -> JSON:
        channel = self._channel(user, act)
        if user not in channel.members or channel.is_im:
            raise ActError("You can only invite people to a channel that you are in.")
        invited = str(act.get("user"))
        if invited not in self._core.state.people:
            raise ActError(f"There is nobody with the id {invited!r} here.")
        self._core.membership.join(channel, invited, inviter=user)
        return {}

    async def stop(self, user: str, act: JSON) -> JSON:
        """The stop button of an agent: Slack ends the streams of the thread and tells the app."""
        channel = self._channel(user, act)
        thread_ts = str(act.get("thread_ts") or act.get("thread"))
        stopped = self._core.streams.stop_thread(channel, thread_ts)
        if BOT_USER in channel.members:
            self._core.app.event(
                {
                    "type": "agent_session_stopped",
                    "channel": channel.id,
                    "thread_ts": thread_ts,
                    "user": user,
                    "streaming_message_ts": stopped,
                }
            )
        return {"stopped": stopped}

    async def context(self, user: str, act: JSON) -> JSON:
        """Tell the agent what the person looks at, next to its pane."""
        channel = self._channel(user, act)
        team = self._core.state.team_id
        entities: list[JSON] = [{"type": "slack#/types/channel_id", "value": channel.id, "team_id": team}]
        if act.get("thread_ts"):
            value = {"channel_id": channel.id, "message_ts": act["thread_ts"]}
            entities.insert(0, {"type": "slack#/types/message_context", "value": value, "team_id": team})
        self._core.app.event(
            {
                "type": "app_context_changed",
                "user": user,
                "channel": self._core.state.direct_messages(user).id,
                "context": {"entities": entities},
            }
        )
        return {}

    async def change_file(self, user: str, act: JSON) -> JSON:
        """Put other content into a file of one's own, or into a canvas."""
        file = self._known_file(user, act)
        self._core.files.change(file, _bytes(act))
        return {}

    async def delete_file(self, user: str, act: JSON) -> JSON:
        self._core.files.delete(self._known_file(user, act))
        return {}

    def _known_file(self, user: str, act: JSON) -> File:
        file = self._core.state.files.get(str(act.get("file")))
        if file is None:
            raise ActError("This file is no longer there.")
        if file.user != user and not self._core.state.people[user].is_admin:
            raise ActError("You can only change your own files.")
        return file

    def _channel(self, user: str, act: JSON) -> Channel:
        channel = self._core.state.channels.get(str(act.get("channel")))
        if channel is None or not self._core.state.sees(user, channel):
            raise ActError("This channel is not there, or not open to you.")
        return channel

    def _message(self, user: str, act: JSON) -> tuple[Channel, JSON]:
        channel = self._channel(user, act)
        message = channel.messages.get(str(act.get("ts")))
        if message is None:
            raise ActError("This message is no longer there.")
        return channel, message

    def _file(self, user: str, sent: JSON) -> File:
        content, name = _bytes(sent), str(sent.get("name") or "")
        if not name:
            raise ActError("A file needs a name.")
        guessed = mimetypes.guess_type(name)[0]
        mimetype = str(sent.get("mimetype") or guessed or "application/octet-stream")
        file = File(self._core.state.next_id("F"), name, name, mimetype, user, content, len(content), shared=True)
        file.duration_ms = int(sent.get("duration_ms") or 0)
        self._core.state.files[file.id] = file
        return file


def _bytes(sent: JSON) -> bytes:
    try:
        return base64.b64decode(sent["content_base64"], validate=True)
    except (KeyError, TypeError, binascii.Error) as broken:
        raise ActError("A file needs its content_base64.") from broken


def _explained(refused: ApiError) -> str:
    messages = (refused.details.get("response_metadata") or {}).get("messages") or []
    return "; ".join([refused.error, *messages])
