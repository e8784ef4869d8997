"""Finds the answers whose source has changed: holds what they lean on against the documents as they stand."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import PlaceKind
from bot.recall.leanings import Leaning
from bot.storage.bases import bases
from bot.storage.recall_tables import leanings, recalls
from bot.storage.tables import channel_settings, questions
from bot.storage.upsert import insert
from knowledge import access
from knowledge.documents import Document, SearchResult
from knowledge.records import Pieces, Settled
from knowledge.still_stands import Difference, Text

log = structlog.get_logger("bot.recall")

AGAIN_AFTER = timedelta(days=1)
"""A thread hears of one document once in this time at most, however often that changes."""
GONE = "gone"
_LOOKED_AT = 5
_SEARCHED = 1_000  # characters of a passage that it is looked for by

Flag = Callable[[str, str, str], Awaitable[None]]
"""Hears of a question whose answer leans on words that changed, in a sentence how, and of which document (its id). May
be called again."""


class Documents(Protocol):
    """What this needs of the knowledge."""

    async def digests_of(self, document_ids: Sequence[str]) -> dict[str, str]:
        """The digests of these documents; those that are gone are left out."""
        ...

    async def pieces_of(self, document_id: str, scopes: frozenset[str] | None) -> Pieces | None:
        """A document in its pieces."""
        ...

    async def same_as(self, digest: str) -> list[str]:
        """The documents that were read with this digest."""
        ...

    async def settled(self) -> Settled:
        """What is not being read."""
        ...

    async def search(self, text: str, *, scopes: frozenset[str], k: int, joined: bool) -> SearchResult:
        """The chunks nearest to a text."""
        ...


class Noticing:
    """Looks at what was cited within `age`, and makes the notes to tell. `flag` hears of each answer concerned."""

    def __init__(
        self,
        engine: AsyncEngine,
        knowledge: Documents,
        clock: Callable[[], datetime],
        *,
        age: timedelta,
        flag: Flag | None = None,
    ) -> None:
        self._engine = engine
        self._knowledge = knowledge
        self._clock = clock
        self._age = age
        self._flag = flag

    async def run(self) -> int:
        """Looks at every document that changed since it was looked at; says how many notes there are to tell."""
        for document in await self._changed():
            await self._look_at(document)
        return await self._make_notes()

    async def _changed(self) -> list[str]:
        """The documents that are others than when they were looked at, of sources that nobody is reading."""
        table = leanings.c
        query = sa.select(table.document, table.source, table.path, table.checked).distinct()
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query.where(table.cited_at >= self._clock() - self._age))).all()
        digests = await self._knowledge.digests_of(sorted({row.document for row in rows}))
        # Asked after the digests: what was missing because a refresh was half-way is there by now, or that still runs.
        settled = await self._knowledge.settled()
        return sorted(
            {
                row.document
                for row in rows
                if digests.get(row.document, GONE) != row.checked
                and row.source in settled.sources
                and (row.document in digests or (row.source, row.path) not in settled.unread)
            }
        )

    async def _look_at(self, document: str) -> None:
        """Holds all that leans on one document against it."""
        digest = (await self._knowledge.digests_of([document])).get(document, GONE)
        there = await self._knowledge.pieces_of(document, None)
        text = Text(there.parts if there is not None else ())
        known: dict[tuple[tuple[str, ...], str], list[Difference]] = {}
        for leaning in await self._leaning_on(document, digest):
            key = (leaning.heading, leaning.text)
            if key not in known:
                known[key] = await asyncio.to_thread(text.lacks, *key)
            differences = known[key]
            # What stands there otherwise is a change; what is not there at all may stand elsewhere now.
            if there is None and await self._renamed(leaning):
                continue
            if differences and not any(each.after for each in differences) and await self._follow(leaning):
                continue
            now = _digest(differences) if differences else None
            if now not in (None, leaning.now) and self._flag is not None:  # of what changed before it heard before
                await self._flag(leaning.question_id, why(leaning, is_gone=there is None), document)
            await self._set(leaning, checked=digest, now=now)

    async def _leaning_on(self, document: str, digest: str) -> list[Leaning]:
        query = sa.select(leanings).where(leanings.c.document == document, leanings.c.checked != digest)
        async with self._engine.connect() as connection:
            return [Leaning.of(row) for row in await connection.execute(query.order_by(leanings.c.question_id))]

    async def _renamed(self, leaning: Leaning) -> bool:
        """Whether the whole document is another one now, letter by letter, and what was known of the words holds."""
        for other in await self._knowledge.same_as(leaning.checked):
            pieces = await self._knowledge.pieces_of(other, await self._scopes(leaning))
            if pieces is not None:
                await self._move(leaning, pieces.document, now=leaning.now)
                return True
        return False

    async def _follow(self, leaning: Leaning) -> bool:
        """Whether the words stand in another document that the audience of then could read; it is looked at from here
        on."""
        scopes = await self._scopes(leaning)
        if not scopes:
            return False
        found = await self._knowledge.search(leaning.text[:_SEARCHED], scopes=scopes, k=_LOOKED_AT, joined=False)
        for other in dict.fromkeys(passage.document_id for passage in found.passages):
            pieces = await self._knowledge.pieces_of(other, scopes)
            if other == leaning.document or pieces is None:
                continue
            if not await asyncio.to_thread(Text(pieces.parts).lacks, leaning.heading, leaning.text):
                await self._move(leaning, pieces.document, now=None)
                return True
        return False

    async def _scopes(self, leaning: Leaning) -> frozenset[str]:
        query = sa.select(questions.c.scopes).where(questions.c.id == leaning.question_id)
        async with self._engine.connect() as connection:
            return frozenset((await connection.execute(query)).scalar() or ())

    async def _move(self, leaning: Leaning, to: Document, *, now: str | None) -> None:
        """The answer rests on that document too from here on, and is for those alone who may read it."""
        values = {"document": to.id, "source": to.source, "path": to.path, "checked": to.digest, "now": now}
        rests = {"subject": leaning.question_id, "document": to.id, "readers": access.to_key(to.readers)}
        async with self._engine.begin() as connection:
            await connection.execute(insert(connection, bases).values(rests).on_conflict_do_nothing())
            await connection.execute(_of(leaning).values(**values))

    async def _set(self, leaning: Leaning, **values: Any) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(_of(leaning).values(**values))

    async def _make_notes(self) -> int:
        """A note for each thread, and for each person who alone has an answer, where something is to be told."""
        now, made = self._clock(), 0
        for rows in (await self._to_tell(now)).values():
            made += await self._make_note(rows, now)
        return made

    async def _to_tell(self, now: datetime) -> dict[tuple[str, str], list[Any]]:
        """What changed and was not told, by where it is to be told."""
        table = leanings.c
        changed = table.now.is_not(None) & (table.now.is_distinct_from(table.noted))
        own = [table[name] for name in ("question_id", "number", "document", "now", "noted")]
        place = [questions.c[name] for name in ("channel", "thread", "private", "asker", "asked_at")]
        both = sa.select(*own, *place).join(questions, questions.c.id == table.question_id)
        open_to = (questions.c.place_kind != PlaceKind.CONSOLE.value, table.cited_at >= now - self._age)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(both.where(changed, *open_to).order_by(questions.c.asked_at))).all()
            lately = both.where(table.noted_at > now - AGAIN_AFTER, *open_to)
            told = {(_place(row), row.document) for row in await connection.execute(lately)}
        found: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
        for row in rows:
            if (_place(row), row.document) not in told:
                found[_place(row)].append(row)
        return found

    async def _make_note(self, rows: Sequence[Any], now: datetime) -> bool:
        """Whether this process made it: what another one took into its note meanwhile is left out."""
        newest, id = rows[-1], secrets.token_hex(16)
        silent = sa.select(channel_settings.c.channel).where(
            channel_settings.c.channel == newest.channel, channel_settings.c.recall.is_(False)
        )
        async with self._engine.begin() as connection:
            is_silent = not newest.private and (await connection.execute(silent)).first() is not None
            mine = 0
            for row in rows:
                same = (leanings.c.now == row.now) & leanings.c.noted.is_not_distinct_from(row.noted)
                taking = _of(row).where(same)
                values = {"noted": row.now, "noted_at": now, "recall": None if is_silent else id}
                mine += (await connection.execute(taking.values(**values))).rowcount
            if not mine or is_silent:
                return False
            note = {"id": id, "question_id": newest.question_id, "channel": newest.channel, "noticed_at": now}
            person = newest.asker if newest.private else None
            await connection.execute(sa.insert(recalls).values(**note, person=person, state="waiting"))
        log.info("source_of_answer_changed", question=newest.question_id, recall=id, passages=mine)
        return True


def _of(one: Any) -> sa.Update:
    this = (leanings.c.question_id == one.question_id) & (leanings.c.number == one.number)
    return sa.update(leanings).where(this)


def why(leaning: Leaning, *, is_gone: bool) -> str:
    """One sentence on what became of what an answer leans on."""
    return f"Its source “{leaning.title}” {'is gone' if is_gone else 'has changed'}."


def _place(row: Any) -> tuple[str, str]:
    """Where somebody hears of it: a thread, or a question that one person alone has the answer to."""
    return (row.channel, row.question_id if row.private or row.thread is None else row.thread)


def _digest(differences: Sequence[Difference]) -> str:
    """The same for the same words in the same places."""
    sides = [[" ".join(word.text for word in side) for side in (each.before, each.after)] for each in differences]
    return hashlib.sha256(json.dumps(sides, ensure_ascii=False).encode()).hexdigest()[:32]
