"""The audit log: who changed what, when and where. It is only added to; each row holds the digest of the one before.

Whoever changes a setting or deletes something calls `record` as the last thing of the transaction that does it: no
change is kept without its entry, and no entry without its change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.storage.audit_table import audit_log

COMMAND_LINE = "command line"
"""Who changed something there: whoever may write the database may say any name."""
LONGEST = 1000
"""Characters of a value, before and after, and of a reason that are kept."""
CHANNEL = "audit"
"""Where PostgreSQL tells that something was written down, so that other processes hear of it at once."""
_LOCK = 4_201_958_115
"""PostgreSQL's advisory lock under which rows are chained; the number is this log's own."""


class Action(StrEnum):
    """What can be done that is written down."""

    PINNED = "model pinned"
    UNPINNED = "model unpinned"
    PINS_MOVED = "pins moved"
    ALLOWED = "models allowed"
    TRIAL_STARTED = "trial started"
    TRIAL_STOPPED = "trial stopped"
    CHANNEL_SET = "channel set"
    OWNER_SET = "owner set"
    BUDGET_SET = "budget set"
    BUDGET_DROPPED = "budget dropped"
    ROLLED_OUT = "model rolled out"
    PROMOTED = "promoted"
    PROMOTION_UNDONE = "promotion undone"
    SOURCE_ADDED = "source added"
    SOURCE_CHANGED = "source changed"
    SOURCE_FORGOTTEN = "source forgotten"
    SOURCE_REFRESHED = "source refreshed"
    THREAD_SAVED = "thread saved"
    THREAD_REMOVED = "thread removed"
    EXAMPLE_SAVED = "example saved"
    ANSWER_REPORTED = "answer reported"
    ANSWER_KEPT = "answer kept"
    ANSWER_PUT_OFF = "answer put off"
    EXAMPLE_CHANGED = "example changed"
    EXAMPLE_RETIRED = "example retired"
    EXAMPLE_RESTORED = "example brought back"
    EXAMPLE_FLAGGED = "example flagged"
    EXAMPLE_CONFIRMED = "example confirmed"
    EXAMPLES_IMPORTED = "examples imported"
    EXAMPLE_REMOVED = "example removed"
    GOLDEN_FLAGGED = "golden question flagged"
    GOLDEN_CONFIRMED = "golden question confirmed"
    GOLDEN_RETIRED = "golden question retired"
    GOLDEN_RESTORED = "golden question brought back"
    TRAINING_CONSENT = "training consent"
    DATASET_MADE = "training data made"
    DATASET_EMPTIED = "training data emptied"
    TRAINING_ORDERED = "training ordered"
    TRAINING_ENDED = "training ended"
    MODEL_REGISTERED = "tuned model registered"
    MODEL_RETIRED = "tuned model retired"
    REPRICED = "calls repriced"
    INSTALLED = "workspace installed"
    UNINSTALLED = "workspace uninstalled"
    WORKSPACE_DELETED = "workspace's data deleted"
    FORGOTTEN = "forgotten"
    EXPORTED = "exported"
    BACKED_UP = "backed up"
    RESTORED = "restored"
    KEYS_ROTATED = "keys rotated"
    AUDIT_DROPPED = "audit log dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change. `subject`: of what or where, such as "channel C0ENG"; `before` and `after`: the values, "" for none.

    Values name things: they hold no text of a message, no question, no answer and no secret.
    """

    action: Action
    subject: str
    before: str = ""
    after: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A change as it was written down. `who`: a Slack id, "command line" or a job; `reference`: the correlation id."""

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    before: str
    after: str
    reason: str
    reference: str
    previous: str
    digest: str

    def digested(self) -> str:
        """What the digest has to be."""
        return _digest(
            self.at,
            (self.who, self.action, self.subject, self.before, self.after, self.reason, self.reference, self.previous),
        )


async def record(connection: AsyncConnection, change: Change, *, by: str, at: datetime) -> None:
    """Writes a change down, in the transaction of the change and as its last statement: others wait from here on until
    it ends. `by`: a Slack id, `COMMAND_LINE` or the name of a job."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    newest = sa.select(audit_log.c.digest).order_by(audit_log.c.id.desc()).limit(1)
    previous = (await connection.execute(newest)).scalar() or ""
    reference = str(structlog.contextvars.get_contextvars().get("reference", ""))
    values = {
        "who": by if by not in ("", "console") else COMMAND_LINE,
        "action": change.action.value,
        "subject": change.subject[:200],
        "before": change.before[:LONGEST],
        "after": change.after[:LONGEST],
        "reason": change.reason[:LONGEST],
        "reference": reference[:40],
        "previous": previous,
    }
    digest = _digest(at, tuple(values.values()))
    await connection.execute(audit_log.insert().values(at=at, digest=digest, **values))
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))


async def noted(engine: AsyncEngine, change: Change, *, by: str, at: datetime) -> None:
    """Writes down what is done outside a transaction of this database, such as a refresh."""
    async with engine.begin() as connection:
        await record(connection, change, by=by, at=at)


class Audit:
    """Reads the log, holds it against its digests, and drops what is old."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock

    async def entries(
        self, *, since: datetime | None = None, who: str = "", what: str = "", most: int | None = None
    ) -> tuple[Entry, ...]:
        """The newest first: since a moment, by somebody, and of an action whose name has these words in it."""
        query = sa.select(audit_log).order_by(audit_log.c.id.desc()).limit(most)
        if since is not None:
            query = query.where(audit_log.c.at >= since)
        if who:
            query = query.where(audit_log.c.who == who)
        if what:
            query = query.where(audit_log.c.action.contains(what.casefold(), autoescape=True))
        async with self._engine.connect() as connection:
            return tuple(Entry(**row._mapping) for row in await connection.execute(query))

    async def broken(self) -> tuple[str, ...]:
        """A sentence for each place where the log is not what was written; none where it is whole."""
        found = []
        entries = list(reversed(await self.entries()))
        dropped = next((e for e in reversed(entries) if e.action == Action.AUDIT_DROPPED.value), None)
        expected = dropped.before if dropped is not None else ""
        for entry in entries:
            if entry.digested() != entry.digest:
                found.append(f"Entry {entry.id} was changed after it was written.")
            if entry.previous != expected:
                found.append(f"What stood before entry {entry.id} was taken out or changed.")
            expected = entry.digest
        return tuple(found)

    async def drop_before(self, moment: datetime, *, by: str) -> int:
        """Takes out what is older than a moment, which is an entry too; says how many.

        The digest of the last one that goes stays in that entry, so that the rest can still be held against it.
        """
        async with self._engine.begin() as connection:
            newest = sa.select(audit_log).where(audit_log.c.at < moment).order_by(audit_log.c.id.desc()).limit(1)
            last = (await connection.execute(newest)).first()
            if last is None:
                return 0
            change = Change(
                action=Action.AUDIT_DROPPED,
                subject=f"the audit log before {moment:%Y-%m-%d}",
                before=last.digest,
                after=str(last.id),
            )
            await record(connection, change, by=by, at=self._clock())
            gone = await connection.execute(audit_log.delete().where(audit_log.c.id <= last.id))
            return gone.rowcount


def _digest(at: datetime, values: tuple[str, ...]) -> str:
    text = json.dumps([at.astimezone(UTC).isoformat(timespec="microseconds"), *values], ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
