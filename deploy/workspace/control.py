"""The control route for tests: failures on request, the app's deliveries, the whole state to look at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from deploy.workspace.app_link import RETRY_SECONDS
from deploy.workspace.calls import Fault
from deploy.workspace.core import Core
from deploy.workspace.errors import ActError, NotDelivered
from deploy.workspace.http_delivery import HttpDelivery
from deploy.workspace.state import JSON, Channel


class ControlRoutes:
    """`POST /_/control {do, …}`; a test's hand behind the scenes, not an act of a person."""

    def __init__(self, core: Core, reset: Callable[[], None]) -> None:
        self._core = core
        self._reset = reset
        self._known: dict[str, Callable[[JSON], Awaitable[JSON]]] = {
            "fault": self.fault,
            "close_sockets": self.close_sockets,
            "redeliver": self.redeliver,
            "event": self.event,
            "expire_stream": self.expire_stream,
            "set_app": self.set_app,
            "set_delivery": self.set_delivery,
            "set_member": self.set_member,
            "set_person": self.set_person,
            "add_channel": self.add_channel,
            "set_channel": self.set_channel,
            "set_canvas": self.set_canvas,
            "fill": self.fill,
            "set_pages": self.set_pages,
            "state": self.state,
            "wait": self.wait,
            "reset": self.reset,
        }

    def table(self) -> list[web.RouteDef]:
        return [web.post("/_/control", self.control)]

    async def control(self, request: web.Request) -> web.Response:
        try:
            order = await request.json()
            method = self._known.get(str(order.get("do")))
            if method is None:
                raise ActError(f"There is no control {order.get('do')!r}.")
            answer = await method(order)
        except (ValueError, KeyError, TypeError, AttributeError) as broken:
            return web.json_response({"ok": False, "error": f"The order is malformed: {broken!r}."}, status=400)
        except ActError as refused:
            return web.json_response({"ok": False, "error": str(refused)})
        return web.json_response({"ok": True, **answer})

    async def fault(self, order: JSON) -> JSON:
        """Let `times` calls of `method` fail, after `skip` of them; kind `none` takes all faults away."""
        if order.get("kind") == "none":
            self._core.faults.clear()
            return {}
        if order.get("kind") not in ("rate_limited", "http_500", "error"):
            raise ActError("A fault's kind is rate_limited, http_500, error or none.")
        given = {key: order[key] for key in ("method", "kind", "error", "times", "skip", "retry_after") if key in order}
        self._core.faults.add(Fault(**{"method": "*", **given}))
        return {}

    async def close_sockets(self, order: JSON) -> JSON:
        how = order.get("how", "disconnect")
        if how not in ("disconnect", "hard"):
            raise ActError("Sockets close by disconnect or hard.")
        return {"closed": await self._core.sockets.close_sockets(how)}

    async def redeliver(self, order: JSON) -> JSON:
        body = self._core.app.redeliver(order.get("event_id"), int(order.get("times", 1)))
        if body is None:
            raise ActError("There is no such event.")
        return {"event_id": body["event_id"]}

    async def event(self, order: JSON) -> JSON:
        """Send the app any event, such as another bot's message or one that Slack has never sent."""
        event = order["event"]
        if not isinstance(event, dict) or "type" not in event:
            raise ActError("An event is an object with a type.")
        return {"event_id": self._core.app.event(event)["event_id"]}

    async def expire_stream(self, order: JSON) -> JSON:
        return {"expired": self._core.streams.expire(str(order["channel"]), str(order["ts"]))}

    async def set_app(self, order: JSON) -> JSON:
        """The slash commands and shortcuts of the app's manifest."""
        state = self._core.state
        state.commands = list(order.get("commands", state.commands))
        state.shortcuts = list(order.get("shortcuts", state.shortcuts))
        return {}

    async def set_delivery(self, order: JSON) -> JSON:
        """Reach the app over its sockets, or by HTTP; `verify` sends Slack's challenge to the address first."""
        if order.get("mode") == "socket":
            sockets = self._core.sockets
            sockets.retry_seconds = tuple(map(float, order.get("retry_seconds", sockets.retry_seconds)))
            await self._use(self._core.sockets)
            return {}
        delivery = HttpDelivery(
            str(order.get("signing_secret") or self._core.signing_secret),
            str(order["events_url"]),
            str(order.get("commands_url") or ""),
            str(order.get("interactivity_url") or ""),
            retry_seconds=tuple(order.get("retry_seconds", RETRY_SECONDS)),
            ack_seconds=self._core.ack_seconds,
        )
        if order.get("verify"):
            try:
                await delivery.verify()
            except NotDelivered as failure:
                await delivery.close()
                raise ActError(f"The events address did not answer the challenge: {failure.reason}.") from failure
        await self._use(delivery)
        return {}

    async def _use(self, delivery: Any) -> None:
        old = self._core.app.delivery
        self._core.app.delivery = delivery
        if old is not self._core.sockets and old is not delivery:
            await old.close()

    async def set_member(self, order: JSON) -> JSON:
        """Put somebody (the bot too) into a channel or take them out, with the events that come with it."""
        channel = self._channel(order)
        change = self._core.membership.join if order.get("member", True) else self._core.membership.leave
        return {"changed": change(channel, str(order["user"]))}

    async def set_person(self, order: JSON) -> JSON:
        """Open somebody's account or change it: {name, real_name, is_restricted, is_ultra_restricted, deleted,
        team_id}, with the event that comes with it."""
        changes = {key: value for key, value in order.items() if key not in ("do", "user")}
        self._core.people.change(str(order["user"]), changes)
        return {}

    async def add_channel(self, order: JSON) -> JSON:
        """Open a channel, or a group's direct messages: {channel, name, members, is_private, is_mpim}."""
        group = bool(order.get("is_mpim"))
        private, members = group or bool(order.get("is_private")), [str(each) for each in order["members"]]
        channel = Channel(str(order["channel"]), str(order["name"]), members, is_private=private, is_mpim=group)
        self._core.state.channels[channel.id] = channel
        return {}

    async def set_channel(self, order: JSON) -> JSON:
        """Change a channel, with the events that come with it: {private, shared, org_shared, archived, name} or
        {deleted: true}."""
        channel, changes = self._channel(order), self._core.changes
        for key, change in {
            "private": changes.convert,
            "shared": changes.share,
            "org_shared": changes.share_in_organisation,
            "archived": changes.archive,
        }.items():
            if key in order and bool(order[key]) != changes.is_now(channel, key):
                change(channel, bool(order[key]))
        if "name" in order:
            changes.rename(channel, str(order["name"]))
        if order.get("deleted"):
            changes.delete(channel)
        return {}

    async def set_canvas(self, order: JSON) -> JSON:
        """Give a channel its canvas, or other HTML where it has one."""
        file = self._core.files.canvas(self._channel(order), str(order["title"]), str(order["html"]))
        return {"file": file.id}

    async def fill(self, order: JSON) -> JSON:
        """Put messages {user, text, ts, thread_ts?, …} into a channel that nobody is told of, as from long ago."""
        channel = self._channel(order)
        for message in order["messages"]:
            self._core.state.add(channel, {"type": "message", "team": self._core.state.team_id, **message})
        return {}

    async def set_pages(self, order: JSON) -> JSON:
        """How many messages a page of history holds at most."""
        self._core.state.most_messages = int(order["most"])
        return {}

    async def state(self, order: JSON) -> JSON:
        """Everything: the app's calls, the events it was sent, and all messages by channel."""
        state = self._core.state
        return {
            "calls": self._core.calls.entries,
            "events": self._core.app.sent,
            "acknowledged": self._core.app.acknowledged,
            "messages": {
                channel.id: [self._core.messages.for_page(channel, each) for each in channel.messages.values()]
                for channel in state.channels.values()
            },
            "ephemerals": {
                channel.id: [{"to": each.to, "message": each.message} for each in channel.ephemerals]
                for channel in state.channels.values()
            },
            "homes": state.homes,
            "prompts": state.prompts,
            "files": [self._core.messages.file_object(file) for file in state.files.values()],
        }

    async def wait(self, order: JSON) -> JSON:
        """Wait for {method, args?, after?}, a Web API call, or for {quiet: true}: all events acknowledged."""
        wanted, seconds = order["for"], float(order.get("timeout", 10))
        if wanted.get("quiet"):
            try:
                async with asyncio.timeout(seconds):
                    await self._core.app.quiet()
            except TimeoutError as late:
                raise ActError(f"There are events without an acknowledgement after {seconds:g} s.") from late
            return {}
        method, after = str(wanted["method"]), int(wanted.get("after", 0))
        found = await self._core.calls.wait_for(method, dict(wanted.get("args") or {}), after, seconds)
        if found is None:
            raise ActError(f"There was no such call of {method} within {seconds:g} s.")
        index, entry = found
        return {"index": index, "call": entry}

    async def reset(self, order: JSON) -> JSON:
        """Back to the state of the start; open pages are told to load anew."""
        self._reset()
        self._core.feed.publish_to_all({"type": "reset"})
        return {}

    def _channel(self, order: JSON) -> Channel:
        channel = self._core.state.channels.get(str(order.get("channel")))
        if channel is None:
            raise ActError(f"There is no channel {order.get('channel')!r}.")
        return channel
