"""The truth: sources, documents and chunks in SQL, as a refresh finds and writes them.

Every method is one transaction: what a search index is told has been committed here before. What is written for a
source goes by a mark: another process may have forgotten or restricted it since, or followed one of its documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, replace
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from knowledge import access
from knowledge.change_log import KEPT, Change, ChangeLog
from knowledge.changes import Changes, indexed_as, said_of
from knowledge.database import Database, parts
from knowledge.documents import Chunk, document_id
from knowledge.errors import RefreshStopped
from knowledge.records import Embedded, IndexedChunk, Known, KnownProblem, Mark, Replacement, Restricted, Written
from knowledge.rows import document_of, has_vector, values_of, vector_rows
from knowledge.schema import (
    chunks,
    documents,
    embeddings,
    fingerprints,
    follows,
    forgotten,
    imports,
    problems,
    saved,
    sources,
)
from knowledge.secrets import masking

_MASKED = "\nmasked "


class Store:
    """What a refresh goes on from, and what it writes. Raises StorageFull or StoreUnavailable; a failed write leaves
    nothing behind."""

    def __init__(self, database: Database, log: ChangeLog) -> None:
        self._database = database
        self._log = log
        # Digests that chunks went away from; None where all have to be looked through, as after a process was killed.
        self._loose: set[str] | None = None

    async def known(self, source: str) -> dict[str, Known]:
        """All documents of a source by path."""
        columns = [documents.c[name] for name in ("path", "version", "readers", "url", "anchor")]
        readers = cache(access.from_key)  # one set for all that have the same
        async with self._database.reading() as connection:
            rows = await connection.execute(sa.select(*columns).where(documents.c.source == source))
            return {
                path: Known(_unmarked(version), readers(who), url, anchor)
                for path, version, who, url, anchor in rows.all()
            }

    async def known_problems(self, source: str) -> dict[str, KnownProblem]:
        """What could not be read at the last refresh, by path."""
        async with self._database.reading() as connection:
            rows = await connection.execute(sa.select(problems).where(problems.c.source == source))
            return {row.path: KnownProblem(row.version, row.sentence) for row in rows}

    async def begin(self, source: str, kind: str) -> tuple[Mark, str | None]:
        """Makes sure that the source has a row. Returns the mark to write with, and the state that it goes on from,
        None where it has none."""
        async with self._log.changing() as change:
            mark, state = await self._mark(change, source, kind)
            # No other refresh of the source runs, and nobody follows a document for so many writes.
            old = (follows.c.source == source) & (follows.c.number < change.number - KEPT)
            await change.connection.execute(sa.delete(follows).where(old))
        # What was read with other masks has to be listed anew.
        return mark, (_unmarked(state) or None) if state else None

    async def follow(self, source: str, kind: str, path: str) -> Mark:
        """Notes that a document is followed now: whoever began before writes it no more. Returns the mark to write it
        with."""
        async with self._log.changing() as change:
            mark, _ = await self._mark(change, source, kind)
            row = self._database.insert(follows).values(source=source, path=path, number=change.number)
            newer = row.on_conflict_do_update(index_elements=["source", "path"], set_={"number": change.number})
            await change.connection.execute(newer)
        return mark

    async def _mark(self, change: Change, source: str, kind: str) -> tuple[Mark, str | None]:
        """The mark of now and the state of a source, which has a row from here on."""
        connection = change.connection
        row = self._database.insert(sources).values(name=source, kind=kind, born=change.number)
        await connection.execute(row.on_conflict_do_nothing(index_elements=["name"]))
        there = sa.update(sources).where(sources.c.name == source, sources.c.kind != kind)
        # What another kind of source went on from says nothing to this one.
        await connection.execute(there.values(kind=kind, state=None))
        kept = await connection.execute(sa.select(sources.c.state, sources.c.born).where(sources.c.name == source))
        state, born = kept.one()
        return Mark(source, born, change.number), state

    async def keep_state(self, mark: Mark, state: str) -> None:
        """Keeps what the source can go on from: everything that it listed before has been written."""
        ours = (sources.c.name == mark.source) & (sources.c.born == mark.born)
        async with self._database.writing() as connection:
            await connection.execute(sa.update(sources).where(ours).values(state=_marked(state)))

    async def finish(self, source: str, at: datetime | None, seconds: float) -> None:
        """Notes when the source was refreshed (None: it could not be) and how long it took."""
        async with self._database.writing() as connection:
            values = {"refreshed": at, "seconds": seconds} if at is not None else {"seconds": seconds}
            await connection.execute(sa.update(sources).where(sources.c.name == source).values(values))

    async def note(self, mark: Mark, found: Mapping[str, KnownProblem], solved: Iterable[str]) -> None:
        """Notes what could not be read, by path, and which problems are none any more."""
        source = mark.source
        rows = [
            {"source": source, "path": path, "version": one.version, "sentence": one.sentence}
            for path, one in found.items()
        ]
        async with self._log.changing() as change:
            connection = change.connection
            await _source(change, mark)
            for some in parts([*found, *solved]):
                await connection.execute(
                    sa.delete(problems).where(problems.c.source == source, problems.c.path.in_(some))
                )
            if rows:
                await connection.execute(sa.insert(problems), rows)

    async def write(self, mark: Mark, read: Sequence[Replacement], embedded: Embedded, model: str) -> Written:
        """Puts documents in the place of what they were, keeping the chunks that did not change.

        What somebody followed since `mark` is not written: who may read it, and what it says, may be known better by
        now. Where the source was restricted since, they get those readers. `embedded` holds a vector for every chunk;
        no document is named twice.
        """
        async with self._log.changing() as change:
            connection = change.connection
            replacements = await self._current(change, mark, read)
            out = await self._kept_out(connection, [each.document.id for each in replacements])
            replacements = [each for each in replacements if each.document.id not in out]
            ids = [replacement.document.id for replacement in replacements]
            said: dict[str, tuple[object, ...]] = {}
            there: dict[str, list[Any]] = {}
            for some in parts(ids):
                for row in await connection.execute(sa.select(documents).where(documents.c.id.in_(some))):
                    said[row.id] = said_of(document_of(row))
                ordered = sa.select(chunks).where(chunks.c.document_id.in_(some)).order_by(chunks.c.position)
                for row in await connection.execute(ordered):
                    there.setdefault(row.document_id, []).append(row)
            changes = Changes()
            for each in replacements:
                changes.compare(each.document, each.chunks, there.get(each.document.id, ()), said.get(each.document.id))
            await self._put_documents(connection, replacements)
            added = await self._put_chunks(connection, changes, embedded)
            # Those too that were there when they were looked up: another source may have been forgotten since.
            await self._keep_vectors(connection, embedded, model, {chunk.digest for chunk in added})
            moved = [chunk.key for chunk in changes.moved]
            change.note(added=(chunk.key for chunk in added), removed=changes.gone, moved=moved)
        rows = [embedded.vectors[chunk.digest] for chunk in added]
        vectors = np.stack(rows) if rows else np.empty((0, 0), np.float32)
        self._loosen(changes.loose)
        paths = [each.document.path for each in replacements]
        return Written(added, vectors, changes.gone, changes.moved, paths, change.number, change.previous)

    async def _current(self, change: Change, mark: Mark, read: Sequence[Replacement]) -> list[Replacement]:
        """Those that nobody told anything newer about, with the readers that they have now."""
        there = await _source(change, mark)
        followed = await _followed(change, mark, [each.document.path for each in read])
        current = [each for each in read if each.document.path not in followed]
        if there.restricted <= mark.number:
            return current
        readers = access.from_key(there.restricted_to)
        return [replace(each, document=replace(each.document, readers=readers)) for each in current]

    async def _keep_vectors(
        self, connection: AsyncConnection, embedded: Embedded, model: str, digests: Set[str]
    ) -> None:
        rows = vector_rows(model, ((d, embedded.vectors[d], embedded.words.get(d)) for d in sorted(digests)))
        if rows:
            await connection.execute(self._database.insert(embeddings).on_conflict_do_nothing(), rows)
        prints = [
            {"digest": digest, **asdict(embedded.fingerprints[digest])}
            for digest in sorted(digests & embedded.fingerprints.keys())
        ]
        if prints:
            await connection.execute(self._database.insert(fingerprints).on_conflict_do_nothing(), prints)

    async def _put_documents(self, connection: AsyncConnection, replacements: Sequence[Replacement]) -> None:
        rows = [
            values_of(replacement.document) | {"version": _marked(replacement.version)} for replacement in replacements
        ]
        if rows:
            row = self._database.insert(documents)
            values = {name: row.excluded[name] for name in rows[0] if name != "id"}
            await connection.execute(row.on_conflict_do_update(index_elements=["id"], set_=values), rows)

    async def _put_chunks(
        self, connection: AsyncConnection, changes: Changes, embedded: Embedded
    ) -> list[IndexedChunk]:
        for some in parts(changes.gone):
            await connection.execute(sa.delete(chunks).where(chunks.c.key.in_(some)))
        if changes.kept:
            there = sa.update(chunks).where(chunks.c.key == sa.bindparam("there"))
            await connection.execute(there, [{"there": key} | _place(chunk) for key, chunk in changes.kept])
        if not changes.new:
            return []
        homes = [embedded.homes[chunk.digest] for _, chunk in changes.new]
        rows = [
            {"document_id": document.id, "digest": home, "own": chunk.digest} | _place(chunk)
            for (document, chunk), home in zip(changes.new, homes, strict=True)
        ]
        # In no order: sorted by the rows handed over, SQLite would get every row in a statement of its own.
        inserting = sa.insert(chunks).returning(chunks.c.key, chunks.c.document_id, chunks.c.position)
        keys = {(row.document_id, row.position): row.key for row in await connection.execute(inserting, rows)}
        return [
            indexed_as(document, chunk, keys[document.id, chunk.position], home)
            for (document, chunk), home in zip(changes.new, homes, strict=True)
        ]

    async def keep_out(self, document_ids: Sequence[str], at: datetime) -> None:
        """From now on these documents are not written any more."""
        rows = [{"document": one, "at": at} for one in document_ids]
        if rows:
            async with self._database.writing() as connection:
                await connection.execute(self._database.insert(forgotten).on_conflict_do_nothing(), rows)

    async def note_gone(self, document_ids: Sequence[str]) -> None:
        """Drops what could not be read of these documents, and the records that they were imported from; what was saved
        from Slack is saved no more."""
        async with self._database.writing() as connection:
            for some in parts(document_ids):
                where = sa.select(documents.c.source, documents.c.path).where(documents.c.id.in_(some))
                for source, path in (await connection.execute(where)).all():
                    for table in (problems, imports, saved):
                        there = (table.c.source == source, table.c.path == path)
                        await connection.execute(sa.delete(table).where(*there))

    async def kept_out(self) -> frozenset[str]:
        """The ids of all documents that are not written any more."""
        async with self._database.reading() as connection:
            return frozenset((await connection.execute(sa.select(forgotten.c.document))).scalars())

    async def _kept_out(self, connection: AsyncConnection, ids: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for some in parts(ids):
            query = sa.select(forgotten.c.document).where(forgotten.c.document.in_(some))
            found.update((await connection.execute(query)).scalars())
        return found

    async def restamp(self, mark: Mark, path: str, known: Known) -> Written:
        """Notes a new version, new readers or a new link of a document whose text did not change; the readers are
        those of a restriction that came since `mark`, and no others than it has where somebody followed it since."""
        ours = documents.c.id == document_id(mark.source, path)
        async with self._log.changing() as change:
            there = await _source(change, mark)
            before = (await change.connection.execute(sa.select(documents.c.readers).where(ours))).scalar() or ""
            readers = access.from_key(there.restricted_to) if there.restricted > mark.number else known.readers
            values = {"version": _marked(known.version), "url": known.url, "anchor": known.anchor}
            if await _followed(change, mark, [path]):
                readers, values = readers & access.from_key(before), {}
            key = access.to_key(readers)
            await change.connection.execute(sa.update(documents).where(ours).values(readers=key, **values))
            keys = sa.select(chunks.c.key).join(documents, documents.c.id == chunks.c.document_id).where(ours)
            moved = [] if before == key else list((await change.connection.execute(keys)).scalars())
            change.note(moved=moved)
        return _restricted(change, moved, readers)

    async def restrict(self, source: str, readers: frozenset[str]) -> Written:
        """Gives all documents of a source these readers, those too that a refresh under way still writes."""
        ours, key = documents.c.source == source, access.to_key(readers)
        async with self._log.changing() as change:
            noted = sa.update(sources).where(sources.c.name == source)
            await change.connection.execute(noted.values(restricted=change.number, restricted_to=key))
            await change.connection.execute(sa.update(documents).where(ours).values(readers=key))
            keys = sa.select(chunks.c.key).join(documents, documents.c.id == chunks.c.document_id).where(ours)
            moved = list((await change.connection.execute(keys)).scalars())
            change.note(moved=moved)
        return _restricted(change, moved, readers)

    async def remove(
        self, mark: Mark | None, document_ids: Mapping[str, str], *, unless_followed: bool = False
    ) -> Written:
        """Removes documents, named by path with their ids; with `unless_followed` not those that somebody followed
        since `mark`. Without a mark, whatever their source is."""
        removed: list[int] = []
        async with self._log.changing() as change:
            if mark is not None:
                await _source(change, mark)
            going = dict(document_ids)
            if mark is not None and unless_followed:
                for path in await _followed(change, mark, [*going]):
                    del going[path]
            for some in parts([*going.values()]):
                ours = sa.select(chunks.c.key, chunks.c.digest).where(chunks.c.document_id.in_(some))
                rows = (await change.connection.execute(ours)).all()
                removed += [row.key for row in rows]
                self._loosen(row.digest for row in rows)
                await change.connection.execute(sa.delete(chunks).where(chunks.c.document_id.in_(some)))
                await change.connection.execute(sa.delete(documents).where(documents.c.id.in_(some)))
            change.note(removed=removed)
        return _removed(change, removed, [*going])

    async def forget(self, source: str) -> Written:
        """Removes a source and all that came from it."""
        ours = sa.select(documents.c.id).where(documents.c.source == source)
        async with self._log.changing() as change:
            removing = sa.delete(chunks).where(chunks.c.document_id.in_(ours)).returning(chunks.c.key)
            removed = list((await change.connection.execute(removing)).scalars())
            for table in (documents, problems, follows):
                await change.connection.execute(sa.delete(table).where(table.c.source == source))
            await change.connection.execute(sa.delete(sources).where(sources.c.name == source))
            change.note(removed=removed)
        self._loose = None
        return _removed(change, removed, [])

    async def let_go(self, model: str) -> int:
        """Lets go of the documents that have chunks which this model has not embedded, and returns how many they were.

        Their sources lose their state: the next refresh lists everything anew, and until then they count as not read.
        """
        async with self._log.changing() as change:
            connection = change.connection
            found = sa.select(chunks.c.document_id).where(~has_vector(model)).distinct()
            ids = list((await connection.execute(found)).scalars())
            for some in parts(ids):
                owners = sa.select(documents.c.source).where(documents.c.id.in_(some))
                await connection.execute(
                    sa.update(sources).where(sources.c.name.in_(owners)).values(state=None, refreshed=None)
                )
                going = sa.delete(chunks).where(chunks.c.document_id.in_(some)).returning(chunks.c.key)
                change.note(removed=(await connection.execute(going)).scalars())
                await connection.execute(sa.delete(documents).where(documents.c.id.in_(some)))
        return len(ids)

    async def prune(self) -> None:
        """Drops the vectors of texts that no document has any more: they would tell what the texts said."""
        if self._loose is not None and not self._loose:
            return
        # As a write: else what another process just gives a chunk could be taken for unused.
        async with self._log.changing() as change:
            connection = change.connection
            for table in (embeddings, fingerprints):
                unused = sa.delete(table).where(~sa.exists().where(chunks.c.digest == table.c.digest))
                if self._loose is None:
                    await connection.execute(unused)
                    continue
                for some in parts(sorted(self._loose)):
                    await connection.execute(unused.where(table.c.digest.in_(some)))
        self._loose = set()

    def _loosen(self, digests: Iterable[str]) -> None:
        if self._loose is not None:
            self._loose.update(digests)


async def _source(change: Change, mark: Mark) -> Any:
    """The row of the source that is written for. Raises RefreshStopped where it was forgotten since."""
    query = sa.select(sources).where(sources.c.name == mark.source, sources.c.born == mark.born)
    row = (await change.connection.execute(query)).first()
    if row is None:
        raise RefreshStopped(f"The refresh of “{mark.source}” was stopped: the source was forgotten.")
    return row


async def _followed(change: Change, mark: Mark, paths: Sequence[str]) -> set[str]:
    """Those of these documents that somebody followed since."""
    found: set[str] = set()
    for some in parts(paths):
        newer = sa.select(follows.c.path).where(follows.c.source == mark.source, follows.c.number > mark.number)
        found.update((await change.connection.execute(newer.where(follows.c.path.in_(some)))).scalars())
    return found


def _removed(change: Change, keys: list[int], paths: list[str]) -> Written:
    return Written([], np.empty((0, 0), np.float32), keys, [], paths, change.number, change.previous)


def _restricted(change: Change, keys: list[int], readers: frozenset[str]) -> Written:
    nothing = np.empty((0, 0), np.float32)
    return Written([], nothing, [], [], [], change.number, change.previous, Restricted(keys, readers))


def _place(chunk: Chunk) -> dict[str, object]:
    return {"position": chunk.position, "text": chunk.text, "heading": list(chunk.heading), "line": chunk.line}


def _marked(version: str) -> str:
    """A version as it is kept: with that of the masks, so that what was read with others is read once more."""
    return f"{version}{_MASKED}{masking().version}"


def _unmarked(kept: str) -> str:
    """The version, "" where other masks were used."""
    version, _, masks = kept.rpartition(_MASKED)
    return version if masks == masking().version else ""
