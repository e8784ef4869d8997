"""Posting, editing, deleting and reacting: what changes, who sees it live, and what the app hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from deploy.workspace.app_link import AppLink
from deploy.workspace.elements import with_ids
from deploy.workspace.feed import Feed
from deploy.workspace.state import APP_ID, BOT_ID, BOT_USER, JSON, Channel, Ephemeral, File, State
from deploy.workspace.typed import MAX_TEXT, mentions_bot


class Messages:
    """Everything that happens to messages, whoever does it."""

    def __init__(self, state: State, feed: Feed, app: AppLink) -> None:
        self._state = state
        self._feed = feed
        self._app = app
        self.page_fields: dict[tuple[str, str], JSON] = {}

    def post(
        self,
        channel: Channel,
        user: str,
        text: str,
        *,
        thread_ts: str | None = None,
        broadcast: bool = False,
        blocks: Sequence[JSON] | None = None,
        files: Sequence[File] = (),
        page_fields: JSON | None = None,
        **more: Any,
    ) -> JSON:
        """Post a message; `page_fields` are shown by the page alone, `more` become fields of the message."""
        message = self._message(user, text, blocks, **more)
        if thread_ts:
            message["thread_ts"] = thread_ts
            parent = channel.messages.get(thread_ts)
            if parent is not None:
                message["parent_user_id"] = parent["user"]
        if broadcast and thread_ts:
            message["subtype"] = "thread_broadcast"
        if files:
            message |= {"subtype": "file_share", "files": [self.file_object(file) for file in files], "upload": False}
        if page_fields is not None:
            self.page_fields[channel.id, message["ts"]] = page_fields
        self._state.add(channel, message)
        self._show(channel, "message", message)
        self._tell_app(channel, message)
        for file in files:
            self._share(file, channel, message)
        if thread_ts and thread_ts in channel.messages:
            self._show(channel, "message_changed", channel.messages[thread_ts])
        return message

    def ephemeral(
        self,
        channel: Channel,
        to: str,
        text: str,
        *,
        thread_ts: str | None = None,
        blocks: Sequence[JSON] | None = None,
    ) -> JSON:
        """A message from the bot that only `to` sees, and that no page remembers when it is loaded anew by another."""
        message = self._message(BOT_USER, text, blocks)
        if thread_ts:
            message["thread_ts"] = thread_ts
        channel.ephemerals.append(Ephemeral(to, message))
        self._feed.publish([to], {"type": "message", "channel": channel.id, "message": self._as_ephemeral(message)})
        return message

    def change_ephemeral(self, channel: Channel, ts: str, text: str, blocks: Sequence[JSON] | None) -> bool:
        """Replace an ephemeral message's content; false where there is none such."""
        for each in channel.ephemerals:
            if each.message["ts"] == ts:
                each.message["text"] = text[:MAX_TEXT]
                each.message.pop("blocks", None)
                if blocks:
                    each.message["blocks"] = self._with_ids(blocks)
                event = {"type": "message_changed", "channel": channel.id, "message": self._as_ephemeral(each.message)}
                self._feed.publish([each.to], event)
                return True
        return False

    def delete_ephemeral(self, channel: Channel, ts: str) -> bool:
        for each in channel.ephemerals:
            if each.message["ts"] == ts:
                channel.ephemerals.remove(each)
                self._feed.publish([each.to], {"type": "message_deleted", "channel": channel.id, "ts": ts})
                return True
        return False

    def update(
        self,
        channel: Channel,
        ts: str,
        *,
        text: str | None = None,
        blocks: Sequence[JSON] | None = None,
        quiet: bool = False,
        edited_by: str | None = None,
        **more: Any,
    ) -> JSON:
        """Change a message; `quiet` keeps it from the app, as the parts of a stream are."""
        message = channel.messages[ts]
        previous = dict(message)
        if text is not None:
            message["text"] = text[:MAX_TEXT]
        if blocks is not None:
            message["blocks"] = self._with_ids(blocks)
            if not blocks:
                del message["blocks"]
        if edited_by:
            message["edited"] = {"user": edited_by, "ts": self._state.next_ts()}
        message.update(more)
        self._show(channel, "message_changed", message)
        if not quiet:
            self._tell_app_of_change(channel, "message_changed", previous, message=dict(message))
        return message

    def delete(self, channel: Channel, ts: str) -> None:
        """Delete a message; the parent of a thread leaves a tombstone, so that its replies stay reachable."""
        message = channel.messages[ts]
        if any(reply in channel.messages for reply in channel.replies.get(ts, [])):
            tombstone = {
                "type": "message",
                "subtype": "tombstone",
                "user": "USLACKBOT",
                "text": "This message was deleted.",
                "hidden": True,
                "ts": ts,
                "thread_ts": ts,
            }
            channel.messages[ts] = tombstone
            self._show(channel, "message_changed", tombstone)
            self._tell_app_of_change(channel, "message_changed", message, message=dict(tombstone))
            return
        del channel.messages[ts]
        self._unshare(channel, message)
        self.page_fields.pop((channel.id, ts), None)
        parent_ts = message.get("thread_ts")
        event = {"type": "message_deleted", "channel": channel.id, "ts": ts}
        if parent_ts:
            event["thread_ts"] = parent_ts
        self._feed.publish(self._state.audience(channel), event)
        if parent_ts and parent_ts in channel.messages:
            self._show(channel, "message_changed", channel.messages[parent_ts])
        self._tell_app_of_change(channel, "message_deleted", message, deleted_ts=ts)

    def react(self, channel: Channel, ts: str, user: str, name: str, *, add: bool) -> bool:
        """Add or take away a reaction; false where that changes nothing."""
        message = channel.messages[ts]
        reactions: list[JSON] = message.setdefault("reactions", [])
        entry = next((each for each in reactions if each["name"] == name), None)
        if (user in entry["users"] if entry else False) == add:
            return False
        if entry is None:
            entry = {"name": name, "users": [], "count": 0}
            reactions.append(entry)
        if add:
            entry["users"].append(user)
        else:
            entry["users"].remove(user)
        entry["count"] = len(entry["users"])
        message["reactions"] = [each for each in reactions if each["users"]]
        if not message["reactions"]:
            del message["reactions"]
        self._show(channel, "message_changed", message)
        if BOT_USER in channel.members:
            self._app.event(
                {
                    "type": "reaction_added" if add else "reaction_removed",
                    "user": user,
                    "reaction": name,
                    "item": {"type": "message", "channel": channel.id, "ts": ts},
                    "item_user": message["user"],
                }
            )
        return True

    def for_page(self, channel: Channel, message: JSON) -> JSON:
        """The message as the page gets it: Slack's own fields and those that only the page knows."""
        shown = {**self._state.with_thread(channel, message), **self.page_fields.get((channel.id, message["ts"]), {})}
        if "files" in shown:
            shown["files"] = [self._file_for_page(file) for file in shown["files"]]
        return shown

    def history(self, channel: Channel, user: str, thread_ts: str | None) -> list[JSON]:
        """What `user` sees in the channel, or in one of its threads, oldest first."""
        kept = channel.thread(thread_ts) if thread_ts else channel.top_level()
        shown = [self.for_page(channel, message) for message in kept]
        shown += [
            self._as_ephemeral(each.message)
            for each in channel.ephemerals
            if each.to == user and each.message.get("thread_ts") == thread_ts
        ]
        return sorted(shown, key=lambda message: str(message["ts"]))

    def file_object(self, file: File) -> JSON:
        """A file as Slack's Web API and events describe it."""
        private = f"{self._state.url}/files-pri/{file.id}/{quote(file.name, safe='')}"
        shared: dict[str, list[str]] = {"channels": [], "groups": [], "ims": []}
        for channel in (self._state.channels.get(each) for each in file.channels):
            if channel is not None:
                shared["groups" if channel.is_mpim else f"{channel.kind}s"].append(channel.id)
        return {
            "id": file.id,
            "name": file.name,
            "title": file.title,
            "mimetype": file.mimetype,
            "filetype": "quip" if file.is_canvas else _ending(file.name),
            "user": file.user,
            "size": file.size,
            "created": file.created,
            "timestamp": file.created,
            **({"updated": file.updated} if file.updated else {}),
            **({"alt_txt": file.alt} if file.alt else {}),
            **({"subtype": "slack_audio", "duration_ms": file.duration_ms} if file.duration_ms else {}),
            "mode": "quip" if file.is_canvas else "hosted",
            "is_external": False,
            "url_private": private,
            "url_private_download": private,
            "permalink": f"{self._state.url}/_/file/{file.id}",
            **shared,
        }

    @staticmethod
    def _file_for_page(file: JSON) -> JSON:
        shown = ("id", "name", "title", "mimetype", "size", "alt_txt")
        kept: JSON = {key: file[key] for key in shown if key in file}
        return {**kept, "url": f"/_/file/{file['id']}"}

    @staticmethod
    def _as_ephemeral(message: JSON) -> JSON:
        return {**message, "ephemeral": True}

    def _message(self, user: str, text: str, blocks: Sequence[JSON] | None, **more: Any) -> JSON:
        message: JSON = {
            "type": "message",
            "ts": self._state.next_ts(),
            "user": user,
            "text": text[:MAX_TEXT],
            "team": self._state.team_id,
        }
        if user == BOT_USER:
            profile = {"id": BOT_ID, "app_id": APP_ID, "name": "Switchboard", "team_id": self._state.team_id}
            message |= {"bot_id": BOT_ID, "app_id": APP_ID, "bot_profile": profile}
        if blocks:
            message["blocks"] = self._with_ids(blocks)
        return {**message, **more}

    def _with_ids(self, blocks: Sequence[JSON]) -> list[JSON]:
        return with_ids(blocks, iter(lambda: self._state.next_id("b"), ""))

    def _show(self, channel: Channel, event: str, message: JSON) -> None:
        shown = {"type": event, "channel": channel.id, "message": self.for_page(channel, message)}
        self._feed.publish(self._state.audience(channel), shown)

    def _tell_app(self, channel: Channel, message: JSON) -> None:
        if BOT_USER not in channel.members:
            return
        event = {**message, "channel": channel.id, "event_ts": message["ts"]}
        if channel.is_ext_shared and "files" in event:
            event["files"] = [_to_be_looked_up(file) for file in event["files"]]
        self._app.event({**event, "channel_type": channel.kind})
        if channel.is_im or message["user"] == BOT_USER or not mentions_bot(message["text"]):
            return
        mention = {key: value for key, value in event.items() if key not in ("subtype", "upload", "parent_user_id")}
        self._app.event({**mention, "type": "app_mention"})

    def _tell_app_of_change(self, channel: Channel, subtype: str, previous: JSON, **more: Any) -> None:
        if BOT_USER not in channel.members:
            return
        ts = self._state.next_ts()
        self._app.event(
            {
                "type": "message",
                "subtype": subtype,
                "hidden": True,
                "channel": channel.id,
                "channel_type": channel.kind,
                "ts": ts,
                "event_ts": ts,
                "previous_message": previous,
                **more,
            }
        )

    def _unshare(self, channel: Channel, message: JSON) -> None:
        """A file goes out of the channel with the last message that shared it."""
        still = {file["id"] for other in channel.messages.values() for file in other.get("files", [])}
        for gone in message.get("files", []):
            file = self._state.files.get(gone["id"])
            if file is not None and gone["id"] not in still and channel.id in file.channels:
                file.channels.remove(channel.id)

    def _share(self, file: File, channel: Channel, message: JSON) -> None:
        file.channels.append(channel.id)
        if BOT_USER in channel.members:
            self._app.event(
                {
                    "type": "file_shared",
                    "channel_id": channel.id,
                    "file_id": file.id,
                    "user_id": message["user"],
                    "file": {"id": file.id},
                }
            )


def _to_be_looked_up(file: JSON) -> JSON:
    """A file of another workspace, as events of Slack Connect name it: the app has to ask for it."""
    return {**{key: file[key] for key in ("id", "created", "timestamp")}, "file_access": "check_file_info"}


def _ending(name: str) -> str:
    return name.rsplit(".", 1)[-1].lower() if "." in name else "binary"
