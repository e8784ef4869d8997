"""The outermost door: what Slack sends is kept before it is acknowledged, worked off once, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from bot import tracing
from bot.errors import Closing
from bot.inbox import Inbox, Kept
from bot.storage.engine import reason
from bot.worker import HEARTBEAT, Lease, work_under
from handlers.errors import cause, code, is_told, new_reference, sentence
from handlers.shapes import JSON, is_spoken
from handlers.under_way import UnderWay
from handlers.waiting import WaitingRoom
from knowledge.uninterrupted import uninterrupted

log = structlog.get_logger(__name__)

Work = Callable[[str, JSON], Awaitable[None]]
"""Works one kept thing off: a correlation id and the payload as Slack sent it."""
Tell = Callable[[JSON, str, str], Awaitable[None]]
"""Brings a sentence, with the correlation id, to the person whom a payload came from, where they are."""

ATTEMPTS = 3
EVENT = "event"
AT_ONCE = 32
"""Questions that one process works on at once. A hosted model takes about ten seconds for an answer, nearly all of it
waiting, so these keep three answers a second going, about half of what one processor core can prepare and write. More
at once would make each answer slower where the processor is what they wait for, and a crash would cut more short."""
LOOK = 1.0
"""Seconds between two looks at whether what is worked on was changed through another process."""
LONGEST_PAUSE = 60.0
"""Seconds that are waited at most after a try in which the database failed: 1, 4 and 9 after the first three, so that
a trouble of some seconds does not use up all of them."""
GIVEN_UP = "I was interrupted each time that I tried to answer this. Please ask again."


class Spoken(Protocol):
    """What was said because of a piece of work."""

    async def conclude(self, reference: str, sentence: str) -> bool:
        """Ends what was begun with a sentence; False where nothing was."""
        ...

    async def withdraw(self, reference: str, *, settled: bool) -> None:
        """Takes it away; also what is `settled`, or nothing but what was left unfinished."""
        ...


@dataclass(slots=True, eq=False)
class _Held:
    kept: Kept
    lease: Lease
    work: asyncio.Task[None] | None = None

    def end(self, why: Any) -> None:
        """What is being done for it stops, without another word."""
        if self.lease.over is None:
            self.lease.over = why
            if self.work is not None:
                self.work.cancel()


class Inbound:
    """Keeps, dedupes, runs, waits and takes up. `work` by kind: "event", and the kinds given to `accept`."""

    def __init__(
        self,
        inbox: Inbox,
        under_way: UnderWay,
        work: dict[str, Work],
        tell: Tell,
        *,
        spoken: Spoken | None = None,
        room: WaitingRoom | None = None,
        hear: Callable[[], Awaitable[None]] | None = None,
        concerns: Callable[[JSON], bool] = lambda _: True,
        at_once: int = AT_ONCE,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._inbox = inbox
        self._pause = pause
        self._under_way = under_way
        self._work = work
        self._tell = tell
        self._spoken = spoken
        self._concerns = concerns  # whether an event is worth keeping
        self._hear = hear  # looks at what else came to other processes about what is worked on here
        self.room = room or WaitingRoom(at_once)
        self._free = at_once
        self._held: set[_Held] = set()
        self._behind = False  # whether something may wait that nobody has begun on
        self._wake = asyncio.Event()
        self._taking: asyncio.Task[None] | None = None
        self._changed = False  # whether something that is worked on here was changed by an event that came here
        inbox.on_change = self._see_changes
        inbox.worker.on_lost = self._lost

    async def middleware(self, req: AsyncBoltRequest, resp: BoltResponse, next: Any) -> BoltResponse:
        """For Bolt: every event ends here, acknowledged once it is kept; the rest goes on to its listener."""
        body: JSON = req.body
        if body.get("type") != "event_callback":
            passed: BoltResponse = await next()
            return passed
        if not self._concerns(body):
            return BoltResponse(status=200, body="")
        try:
            await self.accept(str(body["event_id"]), EVENT, body)
        except Exception as error:  # without an acknowledgement Slack sends it again, which is what is wanted
            not_kept(log, "event_not_kept", error, event_id=body.get("event_id"))
            return BoltResponse(status=503, body="")
        return BoltResponse(status=200, body="")

    async def accept(self, identity: str, kind: str, payload: JSON) -> bool:
        """Keeps something and begins to work it off; False where it came before. Raises where it cannot be kept.

        Where all hands are full, it waits for its turn, and whoever asked is told how long about.
        """
        # Bolt waits three seconds for a listener and then forgets it: what it keeps is waited for here.
        return await self._under_way.run(self._accept(identity, kind, payload))

    async def _accept(self, identity: str, kind: str, payload: JSON) -> bool:
        message = _message(kind, payload)
        asks = kind != EVENT or message is not None  # the rest takes no time and never waits
        at_once = not asks or (self._free > 0 and not self._behind)
        self._free -= at_once and asks
        kept = Kept(identity, kind, payload, 1, new_reference())
        worker, new = self._inbox.worker.id, False
        try:
            new = await self._inbox.keep(
                identity, kind, payload, reference=kept.reference, message=message, begin=at_once
            )
        finally:
            self._free += at_once and asks and not new
        if not new:
            log.info("seen_before", event_id=identity)
        elif at_once and self._inbox.worker.id == worker:
            self._begin(kept, Lease(self._inbox.worker), takes_place=asks)
        else:
            self._free += at_once and asks
            self._behind = True
            self._wake.set()
            if self.room.enter(identity, payload):
                self._under_way.run(self.room.tell(identity, payload))
        return new

    async def start(self) -> None:
        """Begins to take up what nobody works on: what waits, and what processes left that ended."""
        await self._take_up()
        self._taking = asyncio.create_task(self._take())

    async def stop(self) -> None:
        """Takes up nothing more; what is under way goes on."""
        if self._taking is not None:
            self._taking.cancel()
            await asyncio.wait({self._taking})

    async def attend(self, payload: JSON, work: Callable[[], Awaitable[None]]) -> None:
        """Runs work for an interaction that is not kept; it is waited for, and the person hears what goes wrong."""
        task = self._under_way.run(self._attend(payload, work))
        await asyncio.wait({task})

    async def _take(self) -> None:
        due = asyncio.get_running_loop().time() + HEARTBEAT
        while True:
            try:
                async with asyncio.timeout(LOOK):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            now = asyncio.get_running_loop().time()
            try:
                if self._held and (self._changed or not self._inbox.worker.alone):
                    self._changed = False
                    await self._look_for_changes()
                if self._behind or now >= due:
                    due = now + HEARTBEAT
                    await self._take_up()
            except (SQLAlchemyError, OSError) as error:
                log.warning("nothing_taken_up", problem=reason(error))
            await self.room.remind(self._inbox.queued)

    async def _take_up(self) -> None:
        while self._free > 0:
            places, worker = self._free, self._inbox.worker.id
            self._free, self._behind = 0, False  # nobody comes before those who wait
            found: list[Kept] = []
            try:
                found = await self._inbox.claim(places)
            finally:
                self._free += places - len(found)
            if self._inbox.worker.id != worker:  # they are a dead worker's again
                self._free += len(found)
                return
            for kept in found:
                self.room.leave(kept.event_id)
                self._begin(kept, self._later(kept), takes_place=True)
            if len(found) == places:
                self._behind = True
            elif not self._behind:
                return

    async def _look_for_changes(self) -> None:
        revisions = await self._inbox.revisions()
        for held in self._held:
            if revisions.get(held.kept.event_id, 0) > held.kept.revision:
                held.end("changed")
        if self._hear is not None:
            await self._hear()

    def _see_changes(self) -> None:
        self._changed = True
        self._wake.set()

    def _lost(self) -> None:
        for held in self._held:
            held.end("lost")

    def _begin(self, kept: Kept, lease: Lease, *, takes_place: bool) -> None:
        held = _Held(kept, lease)
        self._held.add(held)

        def ended(_task: asyncio.Task[None]) -> None:
            self._held.discard(held)
            if takes_place:
                self._free += 1
                self.room.served()
            if self._behind:
                self._wake.set()

        try:
            self._under_way.run(self._work_off(held)).add_done_callback(ended)
        except Closing:  # it stays as it is: another process finds it
            self._held.discard(held)

    def _later(self, kept: Kept) -> Lease:
        """For work that somebody may have begun on before."""
        return Lease(self._inbox.worker, fresh=False, changed=kept.revision > 0)

    async def _work_off(self, held: _Held) -> None:
        reference = held.kept.reference
        named = structlog.contextvars.bound_contextvars(reference=reference, event_id=held.kept.event_id)
        about: dict[str, str | int] = {"switchboard.reference": reference, "switchboard.attempt": held.kept.attempts}
        with named, tracing.span(f"work {held.kept.kind}", about, kind="consumer") as span:
            while await self._worked(held, span):
                kept = await self._surely(held, lambda: self._inbox.held(held.kept.event_id))
                if kept is None:
                    return
                held.kept, held.lease = kept, self._later(kept)
                log.info("begun_anew", revision=kept.revision, gone=kept.gone)

    async def _worked(self, held: _Held, span: tracing.Span) -> bool:
        """One attempt; whether it has to begin anew, because what was asked has changed."""
        kept = held.kept
        held.work = work = asyncio.create_task(self._attempt(held))
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:  # the process ends: somebody else goes on
            held.end("closing")
            await asyncio.wait({work})
            if work.cancelled() and held.lease.is_held:
                await uninterrupted(self._hand_back(kept))
            raise
        if work.cancelled():
            log.info("stopped", why=held.lease.over)
            return held.lease.over == "changed"
        if (error := work.exception()) is None:
            await self._surely(held, lambda: self._inbox.done(kept.event_id))
            return False
        span.failed(type(error).__name__)
        is_database = isinstance(error, SQLAlchemyError)
        if is_database:
            log.warning("database_failed", kind=kept.kind, error=type(error).__name__, reason=reason(error))
        # What was begun for a question that is gone must not stay because Slack had a bad moment.
        if is_database or (kept.gone and kept.attempts < ATTEMPTS):
            await self._pause(min(kept.attempts**2, LONGEST_PAUSE))
            await self._surely(held, lambda: self._inbox.release(kept.event_id, tried=True))
            self._behind = True
        else:
            problem = f"{type(error).__name__} (reference {kept.reference})"
            await self._surely(held, lambda: self._inbox.failed(kept.event_id, problem))
        return False

    async def _attempt(self, held: _Held) -> None:
        work_under(held.lease)
        try:
            await self._done(held)
        except SQLAlchemyError:
            raise
        except Exception as error:
            _log_failure(error, held.kept.kind)
            if not held.kept.gone:  # else nobody waits for anything
                await self._told(held.kept.payload, error, held.kept.reference)
            raise

    async def _done(self, held: _Held) -> None:
        kept = held.kept
        if kept.gone:
            log.info("question_gone", attempts=kept.attempts)
        elif kept.attempts > ATTEMPTS or kept.kind not in self._work:
            await self._give_up(kept)
            return
        else:
            await self._work[kept.kind](kept.reference, kept.payload)
        if self._spoken is not None and (kept.gone or held.lease.changed):
            await self._spoken.withdraw(kept.reference, settled=kept.gone)

    async def _give_up(self, kept: Kept) -> None:
        log.error("given_up", attempts=kept.attempts - 1)
        told = f"{GIVEN_UP} (reference {kept.reference})"
        if self._spoken is None or not await self._spoken.conclude(kept.reference, told):
            await self._tell(kept.payload, told, kept.reference)
        await self._inbox.failed(kept.event_id, f"given up after {kept.attempts - 1} attempts")

    async def _surely(self, held: _Held, write: Callable[[], Awaitable[Any]]) -> Any:
        """Writes, as soon as the database can; not once the work is another's."""
        while held.lease.is_held or held.lease.over == "changed":
            try:
                return await write()
            except (SQLAlchemyError, OSError) as error:
                log.warning("inbox_not_written", problem=reason(error))
                await asyncio.sleep(LOOK)
        return None

    async def _hand_back(self, kept: Kept) -> None:
        try:
            await self._inbox.release(kept.event_id)
            log.info("handed_back")
        except (SQLAlchemyError, OSError) as error:
            log.warning("not_handed_back", problem=reason(error))

    async def _attend(self, payload: JSON, work: Callable[[], Awaitable[None]]) -> None:
        reference = new_reference()
        named, what = structlog.contextvars.bound_contextvars(reference=reference), _named(payload)
        with named, tracing.span(f"attend {what}", {"switchboard.reference": reference}, kind="consumer") as span:
            try:
                await work()
            except Exception as error:
                span.failed(type(error).__name__)
                _log_failure(error, what)
                await self._told(payload, error, reference)

    async def _told(self, payload: JSON, what: Exception, reference: str) -> None:
        try:
            await self._tell(payload, sentence(what, reference), reference)
        except SlackApiError as error:
            log.warning("person_not_told", error=code(error))
        except Exception:
            log.exception("person_not_told")


def not_kept(to: Any, event: str, error: BaseException, **about: Any) -> None:
    """One line where the database is in trouble, which hits whatever comes; else the traceback."""
    if isinstance(error, OperationalError):
        to.error(event, problem=reason(error), **about)
    else:
        to.error(event, exc_info=error, **about)


def _message(kind: str, payload: JSON) -> tuple[str, str] | None:
    """Channel and ts of the message with which somebody may ask something; None for whatever else it is."""
    event: JSON = payload.get("event") or {}
    if kind != EVENT or event.get("type") not in ("message", "app_mention") or not is_spoken(event):
        return None
    return str(event.get("channel")), str(event.get("ts"))


def _named(payload: JSON) -> str:
    return str(payload.get("command") or payload.get("type"))


def _log_failure(error: BaseException, kind: str) -> None:
    """A refusal is one line; what nobody expected has its traceback."""
    if is_told(error):
        log.warning("refused", kind=kind, error=type(error).__name__, reason=cause(error))
    else:
        log.error("failed", kind=kind, exc_info=error)
