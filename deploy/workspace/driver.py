"""A person at the workspace, for tests: acts, and waits for what becomes of it.

    async with Workspace(port=0) as workspace, Driver(workspace.url, as_user="U0MAYA") as maya:
        ts = await maya.post("C0GENERAL", "<@U0SWITCH> hello")
        reply = await maya.wait_for_reply("C0GENERAL", ts)
        await maya.click(reply, "why")
        view = await maya.wait_for_view()
        answer = await maya.submit_view(view, {"reason": "It was wrong."})

Every message that a driver returns is the page's message with `channel` added, so that it can be handed to `click`,
`react`, `edit`, `delete` and `shortcut`. Every wait ends after `timeout` seconds with a DriverTimeout, which is an
AssertionError and says what was there instead. What the workspace refuses is raised as Refused, with the sentence
that a person would read.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any

import aiohttp

from deploy.workspace.elements import elements_of, value_key
from deploy.workspace.state import JSON

Predicate = Callable[[JSON], bool]
TIMEOUT = 30.0


class Refused(AssertionError):
    """The workspace did not do what was asked; the message is the sentence for the person."""


class DriverTimeout(AssertionError):
    """What a test waited for did not happen."""


def finished(message: JSON) -> bool:
    """Whether a message is whole: not a stream that still grows, nor one that has not begun."""
    return not message.get("streaming") and bool(message["text"] or message.get("blocks") or message.get("files"))


class Driver:
    """One person (`as_user`) at the workspace at `url`; waits last at most `timeout` seconds."""

    def __init__(self, url: str, as_user: str = "U0MAYA", timeout: float = TIMEOUT) -> None:
        self.user = as_user
        self.events: list[JSON] = []
        self._url = url
        self._timeout = timeout
        self._messages: dict[tuple[str, str], JSON] = {}
        self._changed = asyncio.Condition()
        self._stack = AsyncExitStack()

    @property
    def dm(self) -> str:
        """The id of the person's direct messages with the bot."""
        return f"D{self.user[1:]}"

    async def __aenter__(self) -> Driver:
        self._session = await self._stack.enter_async_context(aiohttp.ClientSession(self._url))
        live = await self._stack.enter_async_context(self._session.ws_connect(f"/_/live?as={self.user}"))
        await live.receive_json()  # The greeting: from here on nothing is missed.
        listener = asyncio.create_task(self._listen(live))
        self._stack.push_async_callback(_cancelled, listener)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    # Acting

    async def act(self, do: str, **fields: Any) -> JSON:
        """Any act of the page API; returns its whole answer."""
        return await self._posted("/_/act", {"as": self.user, "do": do, **fields})

    async def post(
        self, channel: str, text: str, *, thread: str | None = None, files: Mapping[str, bytes] | None = None
    ) -> str:
        """Write a message (with `files`, by name); returns its ts. Text with "/" in front runs a command: ts ""."""
        answer = await self.act("post", channel=channel, text=text, thread=thread, files=_sent(files or {}))
        return str(answer.get("ts", ""))

    async def edit(self, message: JSON, text: str) -> None:
        await self.act("edit", channel=message["channel"], ts=message["ts"], text=text)

    async def delete(self, message: JSON) -> None:
        await self.act("delete", channel=message["channel"], ts=message["ts"])

    async def react(self, message: JSON, name: str) -> None:
        await self.act("react", channel=message["channel"], ts=message["ts"], name=name)

    async def unreact(self, message: JSON, name: str) -> None:
        await self.act("unreact", channel=message["channel"], ts=message["ts"], name=name)

    async def click(
        self, where: JSON, action_id: str, *, option: str | None = None, state: JSON | None = None, **value: Any
    ) -> None:
        """Use the element with this action id in a message or a view.

        `option` chooses from a menu or from radio buttons, by value or by text. `value="…"` says which of two feedback
        buttons, or sends what the element does not have (any more). Other elements take their own keyword, such as
        `selected_user="U0LEO"`. `state` is that of a view's inputs, {block_id: {action_id: {…}}}.
        """
        block_id, element = self._element(where, action_id)
        if option is not None:
            value["selected_option"] = _option(element, option)
        await self.act(
            "click", **_place(where), block_id=block_id, action_id=action_id, state={"values": state or {}}, **value
        )

    async def options(self, where: JSON, action_id: str, typed: str = "") -> list[JSON]:
        """What an external select offers for `typed`."""
        block_id, _ = self._element(where, action_id)
        answer = await self.act("options", **_place(where), block_id=block_id, action_id=action_id, value=typed)
        return list(answer.get("options", []))

    async def submit_view(self, view: JSON, values: Mapping[str, Any] | None = None) -> JSON:
        """Submit a modal; returns the app's answer, {response_action, errors, …} or nothing.

        `values` name inputs by block id or action id: the text of a text input, the value (or a list of values) of
        options, the id or date of the other pickers, files by their names. What is not named keeps the value that it
        began with.
        """
        state: dict[str, JSON] = {}
        inputs = list(elements_of(view["blocks"]))
        for name, value in (values or {}).items():
            found = [(b, e) for b, e in inputs if name in (b["block_id"], e["action_id"])]
            if not found:
                raise AssertionError(f"The view has no input {name!r}; it has {[e['action_id'] for _, e in inputs]}.")
            block, element = found[0]
            entry = {"type": element["type"], value_key(element["type"]): _typed(element, value)}
            state.setdefault(block["block_id"], {})[element["action_id"]] = entry
        answer = await self.act("submit_view", view_id=view["id"], state={"values": state})
        return {key: value for key, value in answer.items() if key != "ok"}

    async def close_view(self, view: JSON) -> None:
        await self.act("close_view", view_id=view["id"])

    async def command(self, command: str, text: str = "", *, channel: str = "C0GENERAL") -> None:
        """Run a slash command, such as `command("/ask", "What is new?")`."""
        await self.act("command", channel=channel, command=command, text=text)

    async def shortcut(self, callback_id: str, message: JSON) -> None:
        """Use a message shortcut."""
        await self.act("shortcut", callback_id=callback_id, channel=message["channel"], ts=message["ts"])

    async def open_home(self, tab: str = "home") -> None:
        await self.act("open_home", tab=tab)

    async def stop(self, channel: str, thread_ts: str) -> list[str]:
        """Press the stop button of a thread; returns the ts of the streams that Slack ended."""
        answer = await self.act("stop", channel=channel, thread_ts=thread_ts)
        return list(answer["stopped"])

    # Looking

    async def boot(self) -> JSON:
        """What the page is drawn from: channels, people, commands, unread counts and so on."""
        return await self._got("/_/boot", {"as": self.user})

    async def history(self, channel: str, thread: str | None = None) -> list[JSON]:
        """The channel's top-level messages, or a thread from its parent on, oldest first."""
        query = {"as": self.user, "channel": channel, **({"thread": thread} if thread else {})}
        answer = await self._got("/_/history", query)
        return [{**message, "channel": channel} for message in answer["messages"]]

    async def file(self, file: JSON) -> bytes:
        """The content of a file of a message."""
        async with self._session.get(file["url"]) as response:
            response.raise_for_status()
            return await response.read()

    # Waiting

    async def wait_for(
        self,
        predicate: Predicate,
        timeout: float | None = None,  # noqa: ASYNC109 - the error says what was there instead
        *,
        after: int = 0,
    ) -> JSON:
        """The first live event that fits, also one that is past; `after` skips the first so many of `events`."""

        def found() -> JSON | None:
            return next((event for event in self.events[after:] if predicate(event)), None)

        return await self._until(found, timeout, lambda: f"events: {[event['type'] for event in self.events[after:]]}")

    async def wait_for_message(
        self,
        channel: str,
        predicate: Predicate = finished,
        *,
        thread: str | None = None,
        after: str = "",
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> JSON:
        """The first message that fits as it is now: in a thread or on top level, later than the ts `after`."""
        for message in await self.history(channel, thread):
            self._messages.setdefault((channel, message["ts"]), message)

        def here() -> list[JSON]:
            in_channel = [message for (place, _), message in sorted(self._messages.items()) if place == channel]
            return [each for each in in_channel if _in_thread(each, thread) and each["ts"] > after]

        def found() -> JSON | None:
            return next((message for message in here() if predicate(message)), None)

        return await self._until(found, timeout, lambda: f"messages: {[_brief(each) for each in here()]}")

    async def wait_for_reply(
        self,
        channel: str,
        thread: str,
        predicate: Predicate = finished,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> JSON:
        """The first reply in a thread by somebody else that fits; without a predicate, the first that is finished."""

        def fits(message: JSON) -> bool:
            return message["ts"] != thread and message["user"] != self.user and predicate(message)

        return await self.wait_for_message(channel, fits, thread=thread, timeout=timeout)

    async def wait_for_ephemeral(self, channel: str, predicate: Predicate = finished, *, after: str = "") -> JSON:
        """The first message that only this person sees and that fits, in a thread or not."""

        def found() -> JSON | None:
            mine = [m for (place, ts), m in sorted(self._messages.items()) if place == channel and ts > after]
            return next((m for m in mine if m.get("ephemeral") and predicate(m)), None)

        return await self._until(found, None, lambda: f"messages: {[_brief(m) for m in self._messages.values()]}")

    async def wait_for_view(self, predicate: Predicate = lambda view: True, *, after: int = 0) -> JSON:
        """The first modal that is opened, pushed or updated and fits."""
        kinds = ("view_open", "view_push", "view_update")
        event = await self.wait_for(lambda e: e["type"] in kinds and predicate(e["view"]), after=after)
        return dict(event["view"])

    async def wait_for_home(self, predicate: Predicate = lambda view: True, *, after: int = 0) -> JSON:
        """The first Home tab that is published and fits."""
        event = await self.wait_for(lambda e: e["type"] == "home" and predicate(e["view"]), after=after)
        return dict(event["view"])

    # Behind the scenes

    async def control(self, do: str, **fields: Any) -> JSON:
        """Any order of the control route: fault, close_sockets, redeliver, event, expire_stream, …"""
        return await self._posted("/_/control", {"do": do, **fields})

    async def fault(self, method: str, kind: str, **fields: Any) -> None:
        """Let the next call of a Web API method fail: rate_limited, http_500, or error with `error="…"`."""
        await self.control("fault", method=method, kind=kind, **fields)

    async def calls(self, method: str | None = None) -> list[JSON]:
        """The app's Web API calls so far, {method, args, at, ok, error}."""
        state = await self.control("state")
        return [call for call in state["calls"] if method in (None, call["method"])]

    async def sent(self, event_type: str | None = None) -> list[JSON]:
        """The events that the app was sent so far, whole."""
        state = await self.control("state")
        return [body for body in state["events"] if event_type in (None, body["event"]["type"])]

    async def wait_for_call(self, method: str, *, after: int = 0, **args: Any) -> JSON:
        """The first Web API call with these arguments among its own, from the call with index `after` on."""
        wanted = {"method": method, "args": args, "after": after}
        return dict((await self.control("wait", **{"for": wanted, "timeout": self._timeout}))["call"])

    async def quiet(self) -> None:
        """Wait until the app has acknowledged every event that it was sent."""
        await self.control("wait", **{"for": {"quiet": True}, "timeout": self._timeout})

    async def _listen(self, live: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in live:
            event = frame.json()
            async with self._changed:
                self.events.append(event)
                if event["type"] in ("message", "message_changed"):
                    key = event["channel"], event["message"]["ts"]
                    self._messages[key] = {**event["message"], "channel": event["channel"]}
                elif event["type"] == "message_deleted":
                    self._messages.pop((event["channel"], event["ts"]), None)
                self._changed.notify_all()

    async def _until(self, found: Callable[[], JSON | None], limit: float | None, there: Callable[[], str]) -> JSON:
        seconds = self._timeout if limit is None else limit
        async with self._changed:
            try:
                async with asyncio.timeout(seconds):
                    await self._changed.wait_for(lambda: found() is not None)
            except TimeoutError:
                raise DriverTimeout(f"{self.user} waited {seconds:g} s for nothing; {there()}") from None
            result = found()
        assert result is not None
        return result

    async def _posted(self, path: str, body: JSON) -> JSON:
        # As a stream, since files travel inside and may be large.
        data, headers = io.BytesIO(json.dumps(body).encode()), {"Content-Type": "application/json"}
        async with self._session.post(path, data=data, headers=headers) as response:
            answer: JSON = await response.json()
        if not answer["ok"]:
            raise Refused(answer["error"])
        return answer

    async def _got(self, path: str, query: dict[str, str]) -> JSON:
        async with self._session.get(path, params=query) as response:
            answer: JSON = await response.json()
        if response.status != 200:
            raise Refused(answer["error"])
        return answer

    def _element(self, where: JSON, action_id: str) -> tuple[str, JSON]:
        there = list(elements_of(where.get("blocks", [])))
        for block, element in there:
            if element["action_id"] == action_id:
                return str(block["block_id"]), element
        raise AssertionError(f"There is no element {action_id!r}; there are {[e['action_id'] for _, e in there]}.")


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _place(where: JSON) -> JSON:
    return {"channel": where["channel"], "ts": where["ts"]} if "channel" in where else {"view_id": where["id"]}


def _in_thread(message: JSON, thread: str | None) -> bool:
    parent = message.get("thread_ts", message["ts"] if not message.get("ephemeral") else None)
    return parent == thread if thread else parent in (message["ts"], None)


def _options_of(element: JSON) -> Sequence[JSON]:
    groups = element.get("option_groups") or []
    return [*(element.get("options") or []), *(option for group in groups for option in group["options"])]


def _option(element: JSON, wanted: str) -> JSON:
    if element["type"].endswith("external_select"):
        return {"text": {"type": "plain_text", "text": wanted}, "value": wanted}
    there = _options_of(element)
    for option in there:
        if wanted in (option["value"], option["text"]["text"]):
            return option
    raise AssertionError(f"There is no option {wanted!r}; there are {[option['value'] for option in there]}.")


def _typed(element: JSON, value: Any) -> Any:
    key = value_key(element["type"])
    if key == "selected_option" and isinstance(value, str):
        return _option(element, value)
    if key == "selected_options":
        return [_option(element, each) if isinstance(each, str) else each for each in value]
    return _sent(value) if key == "files" else value


def _sent(files: Mapping[str, bytes]) -> list[JSON]:
    return [{"name": name, "content_base64": base64.b64encode(content).decode()} for name, content in files.items()]


def _brief(message: JSON) -> str:
    mark = " (streaming)" if message.get("streaming") else ""
    return f"{message['user']}{mark}: {message['text'][:80]!r}"
