"""What people do with buttons, menus, modals, commands and shortcuts, brought to the app and back."""

from __future__ import annotations

import time
from typing import Any

from deploy.workspace.app_link import AppLink, Kind
from deploy.workspace.elements import find_element, initial_state, missing_inputs
from deploy.workspace.errors import ActError, ApiError, NotDelivered
from deploy.workspace.feed import Feed
from deploy.workspace.limits import check_message_blocks
from deploy.workspace.messages import Messages
from deploy.workspace.state import APP_ID, BOT_USER, JSON, Channel, State
from deploy.workspace.triggers import ResponseUrl, ResponseUrls, Triggers
from deploy.workspace.typed import command_text
from deploy.workspace.views import Views

TROUBLE = "We had some trouble connecting. Try again?"
_CARRIED = (
    "value", "selected_option", "selected_options", "selected_user", "selected_users", "selected_channel",
    "selected_channels", "selected_conversation", "selected_conversations", "selected_date", "selected_time",
    "selected_date_time",
)  # fmt: skip


class Interactions:
    """Everything that an app answers within three seconds."""

    def __init__(
        self,
        state: State,
        feed: Feed,
        app: AppLink,
        messages: Messages,
        views: Views,
        triggers: Triggers,
        response_urls: ResponseUrls,
    ) -> None:
        self._state = state
        self._feed = feed
        self._app = app
        self._messages = messages
        self._views = views
        self._triggers = triggers
        self._response_urls = response_urls

    async def click(self, user: str, act: JSON) -> None:
        """A person used an element of a message or of a view: `block_actions`."""
        action_id, block_id = str(act.get("action_id", "")), str(act.get("block_id", ""))
        place, blocks = self._place(user, act)
        element = find_element(blocks, block_id, action_id)
        if element is None:
            raise ActError(f"There is no element {action_id!r} in block {block_id!r} any more.")
        action: JSON = {
            "type": element["type"],
            "action_id": action_id,
            "block_id": block_id,
            "action_ts": self._state.next_ts(),
        }
        for key in ("value", "text", "url"):
            if key in element:
                action[key] = element[key]
        action |= {key: act[key] for key in _CARRIED if key in act}
        if "view" in place:
            carried = {key: act[key] for key in _CARRIED if key in act}
            self._views.set_values(place["view"], {block_id: {action_id: {"type": element["type"], **carried}}})
            self._views.set_values(place["view"], _values(act))
        else:
            place["state"] = {"values": {**initial_state(blocks), **_values(act)}}
        await self._send("interactive", user, {"type": "block_actions", **place, "actions": [action]})

    async def options(self, user: str, act: JSON) -> JSON:
        """What an external select offers for what the person typed: {options} or {option_groups}."""
        action_id, block_id = str(act.get("action_id", "")), str(act.get("block_id", ""))
        place, blocks = self._place(user, act)
        if find_element(blocks, block_id, action_id) is None:
            raise ActError(f"There is no element {action_id!r} in block {block_id!r} any more.")
        asked = {"type": "block_suggestion", "action_id": action_id, "block_id": block_id}
        place.pop("response_url", None)
        answer = await self._send("interactive", user, {**asked, "value": str(act.get("value", "")), **place})
        return answer or {"options": []}

    async def submit_view(self, user: str, view_id: str, values: dict[str, JSON]) -> JSON:
        """Submit a modal; returns the app's answer, {response_action, …}, empty where the modal just closed."""
        view = self._open_view(user, view_id)
        self._views.set_values(view, values)
        errors = missing_inputs(view["blocks"], view["state"]["values"])
        if errors:
            self._views.complain(user, view_id, errors)
            return {"response_action": "errors", "errors": errors}
        payload = {"type": "view_submission", "view": view, "response_urls": []}
        answer = await self._send("interactive", user, payload) or {}
        self._follow(user, view, answer)
        return answer

    async def close_view(self, user: str, view_id: str) -> None:
        """Close a modal; the app hears of it where the view asked for that."""
        view = self._open_view(user, view_id)
        everything = view["clear_on_close"]
        for closed in self._views.close(user, view_id, everything=everything):
            if closed["notify_on_close"]:
                await self._send("interactive", user, {"type": "view_closed", "view": closed, "is_cleared": everything})

    async def command(self, user: str, channel: Channel, command: str, text: str) -> None:
        """Run a slash command; what its acknowledgement says is shown, and so is its failure."""
        known = next((each for each in self._state.commands if each.get("command") == command), None)
        if known is None:
            raise ActError(f"{command} is not a valid command.")
        if known.get("should_escape"):
            text = command_text(text, self._state)
        path = self._response_urls.issue(user, channel)
        payload = {
            "command": command,
            "text": text,
            "user_id": user,
            "user_name": self._state.people[user].name,
            "channel_id": channel.id,
            "channel_name": _channel_name(channel),
            "team_id": self._state.team_id,
            "team_domain": self._state.domain,
            "api_app_id": APP_ID,
            "response_url": self._state.url + path,
            "trigger_id": self._triggers.issue(user),
            "is_enterprise_install": "true" if self._state.installed_by_org else "false",
            **self._enterprise(),
            "token": "local",
        }
        try:
            answer = await self._app.interaction("slash_commands", payload)
        except NotDelivered as failure:
            sentence = f'{command} failed with the error "{failure.reason}"'
            self._feed.publish([user], {"type": "command_reply_failed", "text": sentence})
            raise ActError(sentence) from failure
        if answer and (answer.get("text") or answer.get("blocks")):
            self.respond(ResponseUrl(user, channel, None, None, time.monotonic()), answer)

    async def shortcut(self, user: str, callback_id: str, channel: Channel | None, ts: str) -> None:
        """Use a shortcut: on a message, or from anywhere."""
        shortcut = next((each for each in self._state.shortcuts if each.get("callback_id") == callback_id), None)
        if shortcut is None:
            raise ActError(f"There is no shortcut {callback_id!r}.")
        if shortcut.get("type", "message") != "message":
            anywhere = {"type": "shortcut", "callback_id": callback_id, "action_ts": self._state.next_ts()}
            await self._send("interactive", user, anywhere)
            return
        if channel is None or ts not in channel.messages:
            raise ActError("This message is no longer there.")
        message = channel.messages[ts]
        path = self._response_urls.issue(user, channel, message.get("thread_ts"))
        payload: JSON = {
            "type": "message_action",
            "callback_id": callback_id,
            "action_ts": self._state.next_ts(),
            "message_ts": ts,
            "message": message,
            "channel": {"id": channel.id, "name": _channel_name(channel)},
            "response_url": self._state.url + path,
        }
        await self._send("interactive", user, payload)

    def respond(self, origin: ResponseUrl, answer: JSON) -> None:
        """What an app says through a response URL or in a command's acknowledgement."""
        channel, text, blocks = origin.channel, str(answer.get("text") or ""), answer.get("blocks")
        if answer.get("delete_original") and origin.ts:
            if not self._messages.delete_ephemeral(channel, origin.ts) and origin.ts in channel.messages:
                self._messages.delete(channel, origin.ts)
            return
        if not text and not blocks:
            raise ApiError("no_text")
        if blocks is not None:
            check_message_blocks(blocks)
        if answer.get("replace_original") and origin.ts:
            if self._messages.change_ephemeral(channel, origin.ts, text, blocks):
                return
            if origin.ts in channel.messages:
                self._messages.update(channel, origin.ts, text=text, blocks=blocks or [], edited_by=BOT_USER)
                return
        thread_ts = answer.get("thread_ts") or origin.thread_ts
        if answer.get("response_type") == "in_channel":
            self._messages.post(channel, BOT_USER, text, blocks=blocks, thread_ts=thread_ts)
        else:
            self._messages.ephemeral(channel, origin.user, text, blocks=blocks, thread_ts=thread_ts)

    def _place(self, user: str, act: JSON) -> tuple[JSON, list[JSON]]:
        """Where an element is: the payload's fields that say so, and the blocks around it."""
        if act.get("view_id"):
            view = self._open_view(user, str(act["view_id"]))
            return {"container": {"type": "view", "view_id": view["id"]}, "view": view}, view["blocks"]
        channel = self._state.channels.get(str(act.get("channel")))
        if channel is None or not self._state.sees(user, channel):
            raise ActError("This channel is not there, or not open to you.")
        ts = str(act.get("ts"))
        ephemeral = next((each.message for each in channel.ephemerals if each.message["ts"] == ts), None)
        message = ephemeral or channel.messages.get(ts)
        if message is None:
            raise ActError("This message is no longer there.")
        container: JSON = {
            "type": "message",
            "message_ts": ts,
            "channel_id": channel.id,
            "is_ephemeral": ephemeral is not None,
        }
        if message.get("thread_ts"):
            container["thread_ts"] = message["thread_ts"]
        path = self._response_urls.issue(user, channel, message.get("thread_ts"), ts)
        place: JSON = {
            "container": container,
            "channel": {"id": channel.id, "name": _channel_name(channel)},
            "response_url": self._state.url + path,
        }
        if ephemeral is None:
            place["message"] = self._state.with_thread(channel, message)
        return place, message.get("blocks", [])

    def _open_view(self, user: str, view_id: str) -> JSON:
        view = self._views.top(user, view_id)
        if view is None:
            raise ActError("This dialog is no longer open.")
        return view

    def _follow(self, user: str, view: JSON, answer: JSON) -> None:
        match answer.get("response_action"):
            case "errors":
                self._views.complain(user, view["id"], dict(answer.get("errors") or {}))
            case "update":
                self._views.update(answer["view"], view_id=view["id"])
            case "push":
                self._views.push(user, answer["view"])
            case "clear":
                self._views.close(user, view["id"], everything=True)
            case _:
                # The app may have replaced the view by views.update meanwhile; a submission closes it all the same.
                self._views.close(user, view["id"])

    def _enterprise(self) -> JSON:
        identifier = self._state.enterprise_id
        return {"enterprise_id": identifier, "enterprise_name": identifier} if identifier else {}

    async def _send(self, kind: Kind, user: str, payload: JSON) -> JSON | None:
        person = self._state.people[user]
        full: dict[str, Any] = {
            "token": "local",
            "team": {"id": self._state.team_id, "domain": self._state.domain},
            "user": {
                "id": user,
                "username": person.name,
                "name": person.name,
                "team_id": self._state.team_id,
            },
            "api_app_id": APP_ID,
            "trigger_id": self._triggers.issue(user),
            "enterprise": {"id": self._state.enterprise_id} if self._state.enterprise_id else None,
            "is_enterprise_install": self._state.installed_by_org,
            **payload,
        }
        if self._state.installed_by_org:
            full["team"] = None  # the person alone says which workspace it is
        try:
            return await self._app.interaction(kind, full)
        except NotDelivered as failure:
            raise ActError(TROUBLE) from failure


def _values(act: JSON) -> dict[str, JSON]:
    values = (act.get("state") or {}).get("values")
    return values if isinstance(values, dict) else {}


def _channel_name(channel: Channel) -> str:
    return "privategroup" if channel.is_private else channel.name
