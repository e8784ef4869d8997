"""The outermost door: what Slack sends is kept before it is acknowledged, worked off once, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError

from bot import tracing
from bot.inbox import Inbox
from handlers.errors import cause, code, is_told, new_reference, sentence
from handlers.shapes import JSON
from handlers.under_way import UnderWay

log = structlog.get_logger(__name__)

Work = Callable[[str, JSON], Awaitable[None]]
"""Works one kept thing off: a correlation id and the payload as Slack sent it."""
Tell = Callable[[JSON, str], Awaitable[None]]
"""Brings a sentence to the person whom a payload came from, where they are."""

ATTEMPTS = 3
EVENT = "event"


class Inbound:
    """Keeps, dedupes, runs and resumes. `work` by kind: "event", and the kinds given to `accept`."""

    def __init__(self, inbox: Inbox, under_way: UnderWay, work: dict[str, Work], tell: Tell) -> None:
        self._inbox = inbox
        self._under_way = under_way
        self._work = work
        self._tell = tell

    async def middleware(self, req: AsyncBoltRequest, resp: BoltResponse, next: Any) -> BoltResponse:
        """For Bolt: every event ends here, acknowledged once it is kept; the rest goes on to its listener."""
        body: JSON = req.body
        if body.get("type") != "event_callback":
            passed: BoltResponse = await next()
            return passed
        try:
            await self.accept(str(body["event_id"]), EVENT, body)
        except Exception:  # without an acknowledgement Slack sends it again, which is what is wanted
            log.exception("event_not_kept", event_id=body.get("event_id"))
            return BoltResponse(status=503, body="")
        return BoltResponse(status=200, body="")

    async def accept(self, identity: str, kind: str, payload: JSON) -> bool:
        """Keeps something and begins to work it off; False where it came before. Raises where it cannot be kept."""
        # Bolt waits three seconds for a listener and then forgets it: what it keeps is waited for here.
        return await self._under_way.run(self._accept(identity, kind, payload))

    async def _accept(self, identity: str, kind: str, payload: JSON) -> bool:
        if not await self._inbox.keep(identity, kind, payload):
            log.info("seen_before", event_id=identity)
            return False
        self._under_way.run(self._work_off(identity, kind, payload))
        return True

    async def resume(self) -> int:
        """Works off what a process that ended left unfinished; says how much that is."""
        waiting = await self._inbox.waiting()
        for kept in waiting:
            if kept.attempts >= ATTEMPTS or kept.kind not in self._work:
                await self._inbox.failed(kept.event_id, f"given up after {kept.attempts} attempts")
                log.error("given_up", event_id=kept.event_id, attempts=kept.attempts)
                await self._told(
                    kept.payload, "I was interrupted each time that I tried to answer this. Please ask again."
                )
            else:
                self._under_way.run(self._work_off(kept.event_id, kept.kind, kept.payload))
        return len(waiting)

    async def attend(self, payload: JSON, work: Callable[[], Awaitable[None]]) -> None:
        """Runs work for an interaction that is not kept; it is waited for, and the person hears what goes wrong."""
        task = self._under_way.run(self._attend(payload, work))
        await asyncio.wait({task})

    async def _work_off(self, identity: str, kind: str, payload: JSON) -> None:
        reference = new_reference()
        named = structlog.contextvars.bound_contextvars(reference=reference, event_id=identity)
        with named, tracing.span(f"work {kind}", {"switchboard.reference": reference}, kind="consumer") as span:
            try:
                await self._inbox.start(identity)
                await self._work[kind](reference, payload)
                await self._inbox.done(identity)
            except Exception as error:
                span.failed(type(error).__name__)
                _log_failure(error, kind)
                await self._told(payload, sentence(error, reference))
                await self._gave_up(identity, f"{type(error).__name__} (reference {reference})")

    async def _attend(self, payload: JSON, work: Callable[[], Awaitable[None]]) -> None:
        reference = new_reference()
        named, what = structlog.contextvars.bound_contextvars(reference=reference), _named(payload)
        with named, tracing.span(f"attend {what}", {"switchboard.reference": reference}, kind="consumer") as span:
            try:
                await work()
            except Exception as error:
                span.failed(type(error).__name__)
                _log_failure(error, what)
                await self._told(payload, sentence(error, reference))

    async def _told(self, payload: JSON, text: str) -> None:
        try:
            await self._tell(payload, text)
        except SlackApiError as error:
            log.warning("person_not_told", error=code(error))
        except Exception:
            log.exception("person_not_told")

    async def _gave_up(self, identity: str, problem: str) -> None:
        try:
            await self._inbox.failed(identity, problem)
        except Exception:
            log.exception("inbox_not_written", event_id=identity)


def _named(payload: JSON) -> str:
    return str(payload.get("command") or payload.get("type"))


def _log_failure(error: Exception, kind: str) -> None:
    """A refusal is one line; what nobody expected has its traceback."""
    if is_told(error):
        log.warning("refused", kind=kind, error=type(error).__name__, reason=cause(error))
    else:
        log.exception("failed", kind=kind)
