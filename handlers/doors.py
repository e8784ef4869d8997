"""The doors by which interactions come in: each is acknowledged first, and worked on after."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from handlers.bolt import Bolt
from handlers.errors import new_reference
from handlers.inbound import Inbound, not_kept
from handlers.markdown import shorten
from handlers.origin import Origin
from handlers.permissions import DOORS, Roles
from handlers.shapes import JSON

log = structlog.get_logger(__name__)

LONGEST_IDENTITY = 80
"""Characters of the id under which something is kept."""
SHOWN = 2000
"""Characters of a command that was not kept which the person is shown again, to copy."""
NOT_KEPT = "I could not keep your request, so I did not start on it. Please try again in a minute. (reference {})"


class Doors:
    """Each interaction is acknowledged first, within Slack's three seconds, and worked on after."""

    def __init__(self, app: Bolt, inbound: Inbound, roles: Roles) -> None:
        self._app = app
        self._inbound = inbound
        self._roles = roles

    def _allowed(self, door: str, work: Callable[[JSON], Awaitable[None]]) -> Callable[[JSON], Awaitable[None]]:
        """The work, for whom it is. Who may come in is asked when they do, not when they were shown the door."""
        assert door in DOORS, f"{door} has no role: say in handlers.permissions who may come in"

        async def checked(body: JSON) -> None:
            await self._roles.need_at(door, Origin.of(body).person)
            await work(body)

        return checked

    def command(self, name: str, run: Callable[[Origin, str], Awaitable[None]]) -> None:
        async def worked(body: JSON) -> None:
            origin = Origin.of(body)
            log.info("command", command=name, arguments=body.get("text"), person=origin.person)
            await run(origin, body.get("text") or "")

        work = self._allowed(name, worked)

        async def listen(ack: Any, body: JSON) -> None:
            await ack()
            await self._inbound.attend(body, lambda: work(body))

        self._app.command(name)(listen)

    def kept_command(self, name: str, kind: str, heard: Callable[[JSON], str]) -> None:
        async def listen(ack: Any, body: JSON) -> None:
            if problem := await self._keep(body["trigger_id"], kind, body):
                typed = f"{name} {body.get('text') or ''}"  # Slack has taken it out of the box
                await ack(f"{problem}\n>{shorten(typed, SHOWN)}")
                return
            wait = self._inbound.room.words(body["trigger_id"])
            await ack(" ".join(filter(None, (heard(body), wait))))

        self._app.command(name)(listen)

    def action(self, action_id: str | re.Pattern[str], work: Callable[[JSON], Awaitable[None]], name: str = "") -> None:
        work = self._allowed(f"button {name or action_id}", work)

        async def listen(ack: Any, body: JSON) -> None:
            await ack()
            await self._inbound.attend(body, lambda: work(body))

        self._app.action(action_id)(listen)

    def kept_action(self, action_id: re.Pattern[str], kind: str, identity: Callable[[JSON], str]) -> None:
        self._app.action(action_id)(self._kept(kind, identity))

    def kept_shortcut(self, callback_id: str, kind: str) -> None:
        self._app.message_shortcut(callback_id)(self._kept(kind, by_press))

    def _kept(self, kind: str, identity: Callable[[JSON], str]) -> Callable[..., Awaitable[None]]:
        async def listen(ack: Any, body: JSON) -> None:
            problem = await self._keep(identity(body), kind, body)
            await ack()
            if problem:
                await self._inbound.attend(body, lambda: Origin.of(body).line(self._app.client).say(problem))

        return listen

    def shortcut(self, callback_id: str, work: Callable[[JSON], Awaitable[None]]) -> None:
        work = self._allowed(f"shortcut {callback_id}", work)

        async def listen(ack: Any, body: JSON) -> None:
            await ack()
            await self._inbound.attend(body, lambda: work(body))

        self._app.message_shortcut(callback_id)(listen)

    def modal(
        self,
        callback_id: str,
        work: Callable[[JSON], Awaitable[None]],
        wrong: Callable[[JSON], dict[str, str]] = lambda _: {},
    ) -> None:
        work = self._allowed(f"modal {callback_id}", work)

        async def listen(ack: Any, body: JSON) -> None:
            if errors := wrong(body):
                log.info("modal_refused", callback_id=callback_id, reference=new_reference(), errors=errors)
                await ack(response_action="errors", errors=errors)
                return
            await ack()
            await self._inbound.attend(body, lambda: work(body))

        self._app.view(callback_id)(listen)

    def closed(self, callback_id: str, work: Callable[[JSON], Awaitable[None]]) -> None:
        work = self._allowed(f"modal {callback_id}", work)

        async def listen(ack: Any, body: JSON) -> None:
            await ack()
            await self._inbound.attend(body, lambda: work(body))

        self._app.view_closed(callback_id)(listen)

    def kept_modal(self, callback_id: str, kind: str, wrong: Callable[[JSON], dict[str, str]] = lambda _: {}) -> None:
        async def listen(ack: Any, body: JSON) -> None:
            errors = wrong(body)
            if not errors and (problem := await self._keep(body["view"]["id"], kind, body)):
                errors = {_first_input(body): problem}
            if errors:
                log.info("modal_refused", callback_id=callback_id, reference=new_reference(), errors=errors)
                await ack(response_action="errors", errors=errors)
            else:
                await ack()

        self._app.view(callback_id)(listen)

    def everything_else(self) -> None:
        """What an older version put into Slack is acknowledged too, so that no button hangs."""

        async def listen(ack: Any, body: JSON) -> None:
            await ack()
            log.info("nothing_listens", type=body.get("type"), callback_id=body.get("callback_id"))

        anything = re.compile(".*")
        self._app.action(anything)(listen)
        self._app.view(anything)(listen)
        self._app.view_closed(anything)(listen)
        self._app.shortcut(anything)(listen)
        self._app.command(anything)(self._unknown_command)
        self._app.options(anything)(listen)

    @staticmethod
    async def _unknown_command(ack: Any, body: JSON) -> None:
        await ack(f"I do not know {body['command']}. `/switchboard` tells what I can do.")

    async def _keep(self, identity: str, kind: str, body: JSON) -> str:
        """What to tell the person where it cannot be kept, "" where it is."""
        try:
            await self._inbound.accept(identity[:LONGEST_IDENTITY], kind, body)
        except Exception as error:
            reference = new_reference()
            not_kept(log, "interaction_not_kept", error, kind=kind, reference=reference)
            return NOT_KEPT.format(reference)
        return ""


def by_press(body: JSON) -> str:
    """Each press once, however often Slack tells of it."""
    acted = (body.get("actions") or [body])[0]
    return f"{acted.get('action_ts')}:{Origin.of(body).person}:{acted.get('value') or ''}"


def _first_input(body: JSON) -> str:
    """The block under which what is wrong with the whole modal is told."""
    blocks = (block for block in body["view"].get("blocks", ()) if block.get("type") == "input")
    return str(next((block["block_id"] for block in blocks if "block_id" in block), "question"))
