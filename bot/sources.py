"""All sources of knowledge: those that the configuration names, and those that people add while the bot runs."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.audit import Action, Change, record
from bot.config import Settings
from bot.errors import ConfigError, SourceExists, SourceNotFound
from bot.secrets import read_secret
from bot.storage.tables import added_sources
from bot.storage.upsert import insert
from knowledge import access
from knowledge.database import Database
from knowledge.errors import SourceUnavailable, UnknownSource
from knowledge.knowledge_base import KnowledgeBase
from knowledge.sources.base import Source
from knowledge.sources.kinds import DATABASE, SourceContext, SourceSpec, kinds, open_source
from knowledge.sources.records import KIND as RECORDS
from knowledge.sources.records.kept import digest_of, drop_records, keep_records
from knowledge.sources.slack import take_in_saved
from knowledge.sources.unavailable import UnavailableSource

SAVED = SourceSpec("saved from Slack", "slack", access.PUBLIC, {"saved": True})
"""What the shortcut "Add to knowledge" keeps. It is always there, so that no refresh forgets what was saved."""
_BROAD = ("git", "folder", "web")
"""Kinds that recognise much, the narrower first; any other kind knows better what it recognises."""
_NOT_IN_NAMES = re.compile(r"[^\w.#-]+")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Added:
    """A source that somebody added. `origin`: "configuration", or the id of the person."""

    spec: SourceSpec
    origin: str
    added_at: datetime | None = None

    @property
    def is_configured(self) -> bool:
        """Whether it stands in the configuration, where alone it can be removed."""
        return self.origin == "configuration"


class Sources:
    """Opens the sources and hands them to the knowledge base; keeps in SQL what was added."""

    def __init__(
        self, engine: AsyncEngine, knowledge: KnowledgeBase, settings: Settings, clock: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._knowledge = knowledge
        self._settings = settings
        self._configured = [Added(spec, "configuration") for spec in settings.knowledge.specs]
        self._clock = clock
        self._database = Database(engine)
        self._services: dict[str, object] = {DATABASE: self._database}
        self._opened: dict[str, Source] = {}
        self._specs: dict[str, SourceSpec] = {}
        self._syncing = asyncio.Lock()

    async def open(self) -> None:
        """Opens all sources. Raises InvalidScope, and ConfigError where two of the configuration have one name."""
        await self._take_in_files()
        await self._take_in_saved()
        for added in await self.all():
            name = added.spec.name
            if name in self._opened:
                raise ConfigError(f"Two sources in the configuration are called “{name}”. Give each a name of its own.")
            self._opened[name] = self._open(added.spec)
        self._opened[SAVED.name] = self._open(SAVED)
        self._hand_over()

    async def sync(self) -> None:
        """Opens what another process added or changed, and closes what it removed."""
        async with self._syncing:
            wanted = {added.spec.name: added.spec for added in await self.all()} | {SAVED.name: SAVED}
            before, changed = dict(self._specs), False
            for name in before.keys() | wanted.keys():
                if _same(before.get(name), wanted.get(name)):
                    continue
                changed = True
                source = self._opened.pop(name, None)
                self._specs.pop(name, None)
                if name in wanted:
                    self._opened[name] = self._open(wanted[name])
                if source is not None:
                    await source.close()
            if changed:
                self._hand_over()

    async def connect(self, name: str, service: object) -> None:
        """Lends the sources a connection that is open now ("slack"); those that waited for it are opened again."""
        self._services[name] = service
        waiting = [SAVED, *(added.spec for added in await self.all())]
        for spec in waiting:
            if spec.kind == name:
                await self._opened[spec.name].close()
                self._opened[spec.name] = self._open(spec)
        self._hand_over()

    async def all(self) -> list[Added]:
        """Every source, the configured ones first."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(sa.select(added_sources).order_by(added_sources.c.added_at))).all()
        added = [
            Added(SourceSpec(r.name, r.kind, access.from_key(r.readers), r.options), r.added_by, r.added_at)
            for r in rows
        ]
        taken = {one.spec.name for one in self._configured}
        return [*self._configured, *(one for one in added if one.spec.name not in taken)]

    def recognise(self, text: str) -> list[SourceSpec]:
        """What `text` (an address, a path, a channel) may mean, likeliest first, each with a name that is free.

        Readers: everyone.
        """
        wanted = text.strip()
        if link := re.fullmatch(r"<(\w+://[^|>]+)(?:\|[^>]*)?>", wanted):
            wanted = link.group(1)  # as Slack writes an address in a message
        found = [(kind.name, options) for kind in kinds().values() if (options := kind.recognise(wanted)) is not None]
        found.sort(key=lambda each: _BROAD.index(each[0]) if each[0] in _BROAD else -1)
        return [SourceSpec(self.free_name(wanted), kind, access.PUBLIC, options) for kind, options in found]

    def is_taken(self, name: str) -> bool:
        """Whether a source has this name."""
        return name in self._opened

    def free_name(self, text: str) -> str:
        """A short name for what somebody wrote: the last telling part of an address, a path or a channel."""
        bare = re.sub(r"^\w+://(?:www\.)?|\.git$|/+$", "", text.split("?")[0])
        parts = [part for part in bare.split("/") if part]
        name = _NOT_IN_NAMES.sub("-", parts[-1] if parts else text).strip("-")[:40] or "source"
        number = 2
        free = name
        while free in self._opened:
            free, number = f"{name}-{number}", number + 1
        return free

    async def told_to_all(self) -> frozenset[str]:
        """The names of sources that all members may hear of: names of files that are for a few are theirs alone."""
        return frozenset(a.spec.name for a in await self.all() if access.readable(a.spec.readers, access.MEMBERS))

    async def add(self, spec: SourceSpec, person: str, file: Path | None = None) -> Source:
        """Keeps a source and opens it, with the records of `file` where it is imported.

        Raises SourceExists and InvalidScope, and SourceUnavailable where the file holds no records.
        """
        if spec.name in self._opened:
            raise _exists(spec.name)
        row = {
            "name": spec.name,
            "kind": spec.kind,
            "options": dict(spec.options),
            "readers": access.to_key(spec.readers),
            "added_by": person,
            "added_at": self._clock(),
        }
        async with self._syncing:
            source = self._open(spec)
            try:
                async with self._engine.begin() as connection:
                    added = insert(connection, added_sources).values(row).on_conflict_do_nothing()
                    if (await connection.execute(added.returning(added_sources.c.name))).first() is None:
                        raise _exists(spec.name)  # somebody was faster
                    if file is not None:
                        await keep_records(connection, spec.name, file, str(spec.options["digest"]))
                    await record(connection, _change(Action.SOURCE_ADDED, None, spec), by=person, at=self._clock())
            except BaseException:
                await source.close()
                self._specs.pop(spec.name, None)
                raise
            self._opened[spec.name] = source
            self._hand_over()
        return source

    async def change(self, spec: SourceSpec, *, by: str, file: Path | None = None) -> None:
        """Gives a source that was added other options or readers, and the records of `file`. Raises SourceNotFound, and
        SourceUnavailable where the file holds no records."""
        if spec.name not in self._opened:
            raise self._not_found(spec.name)
        before = next(added.spec for added in await self.all() if added.spec.name == spec.name)
        async with self._syncing:
            async with self._engine.begin() as connection:
                await _put(connection, spec, file)
                await record(connection, _change(Action.SOURCE_CHANGED, before, spec), by=by, at=self._clock())
            await self._opened[spec.name].close()
            self._opened[spec.name] = self._open(spec)
            self._hand_over()

    async def forget(self, name: str, *, by: str) -> None:
        """Removes a source that was added, with all that came from it. Raises SourceNotFound."""
        known = next((added for added in await self.all() if added.spec.name == name), None)
        if known is None:
            raise self._not_found(name)
        if known.is_configured:
            raise SourceNotFound(
                f"“{name}” stands in the configuration. Remove it there and start again; then it is forgotten."
            )
        async with self._syncing:
            async with self._engine.begin() as connection:
                await connection.execute(sa.delete(added_sources).where(added_sources.c.name == name))
                await drop_records(connection, name)
                change = _change(Action.SOURCE_FORGOTTEN, known.spec, None)
                await record(connection, change, by=by, at=self._clock())
            source = self._opened.pop(name, None)
            self._specs.pop(name, None)
            self._hand_over()
        await self._knowledge.forget(name)
        if source is not None:
            await source.close()
        await asyncio.to_thread(shutil.rmtree, self._cache_of(name), ignore_errors=True)
        if (old := self._file_of(known)) is not None:
            await asyncio.to_thread(old.unlink, missing_ok=True)

    async def close(self) -> None:
        """Closes every source."""
        opened, self._opened = self._opened, {}
        for source in opened.values():
            await source.close()

    def _open(self, spec: SourceSpec) -> Source:
        context = SourceContext(self._cache_of(spec.name), _secret, self._services)
        self._specs[spec.name] = spec
        try:
            return open_source(spec, context)
        except UnknownSource as error:
            # A plug-in that is not installed any more takes the others not down.
            return UnavailableSource(spec.name, spec.kind, str(error))

    def _cache_of(self, name: str) -> Path:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]  # names that differ in signs alone stay apart
        return self._settings.data_dir / "sources" / f"{_NOT_IN_NAMES.sub('-', name)[:60]}-{digest}"

    async def _take_in_files(self) -> None:
        """Takes in the imported files that a version before this one kept in the data folder."""
        for added in await self.all():
            file = self._file_of(added)
            if file is None or not file.is_file():
                continue
            try:
                spec = await imported(file, added.spec.name, added.spec.readers)
                async with self._engine.begin() as connection:
                    await _put(connection, spec, file)
            except SourceUnavailable as error:
                log.warning("import_not_taken_in", source=added.spec.name, reason=str(error))
                continue
            await asyncio.to_thread(file.unlink, missing_ok=True)
            log.info("import_taken_in", source=added.spec.name, file=str(file))

    async def _take_in_saved(self) -> None:
        """Takes in the lists of saved threads that a version before this one kept in the data folder."""
        for spec in (SAVED, *(added.spec for added in self._configured)):
            file = self._cache_of(spec.name) / "saved.json"
            if spec.options.get("saved") and await asyncio.to_thread(file.is_file):
                try:
                    count = await take_in_saved(self._database, spec.name, file)
                except (OSError, ValueError) as error:
                    log.warning("saved_threads_not_taken_in", file=str(file), reason=type(error).__name__)
                    continue
                await asyncio.to_thread(file.unlink, missing_ok=True)
                log.info("saved_threads_taken_in", source=spec.name, paths=count)

    def _file_of(self, added: Added) -> Path | None:
        """Where a version before this one kept an imported file; a file that stands elsewhere is not ours."""
        options = added.spec.options
        path = Path(str(options.get("path", "")))
        is_ours = added.spec.kind == RECORDS.name and not added.is_configured and "digest" not in options
        return path if is_ours and path.parent == imports_of(self._settings) else None

    def _hand_over(self) -> None:
        self._knowledge.set_sources(list(self._opened.values()))

    def _not_found(self, name: str) -> SourceNotFound:
        there = ", ".join(f"“{known}”" for known in self._opened if known != SAVED.name) or "none yet"
        return SourceNotFound(f"There is no source called “{name}”. The sources are: {there}.")


async def imported(file: Path, name: str, readers: frozenset[str]) -> SourceSpec:
    """A file of records as a source of that name. Raises SourceUnavailable where it is none or cannot be read."""
    options = {"path": file.name, "digest": await asyncio.to_thread(digest_of, file)}
    return SourceSpec(name, RECORDS.name, readers, options)


async def _put(connection: AsyncConnection, spec: SourceSpec, file: Path | None) -> None:
    values = {"kind": spec.kind, "options": dict(spec.options), "readers": access.to_key(spec.readers)}
    await connection.execute(sa.update(added_sources).where(added_sources.c.name == spec.name).values(values))
    if file is not None:
        await keep_records(connection, spec.name, file, str(spec.options["digest"]))


def _exists(name: str) -> SourceExists:
    return SourceExists(f"There is a source called “{name}” already. Choose another name, or forget that one.")


def _same(one: SourceSpec | None, other: SourceSpec | None) -> bool:
    """Whether they open the same; options that came out of the database are compared as it keeps them."""
    plain = [
        each and (each.kind, each.readers, json.dumps(dict(each.options), sort_keys=True, default=str))
        for each in (one, other)
    ]
    return plain[0] == plain[1]


def _change(action: Action, before: SourceSpec | None, after: SourceSpec | None) -> Change:
    named = after or before
    assert named is not None, "a change has a source before or after it"
    return Change(action=action, subject=f"source {named.name}", before=_told(before), after=_told(after))


def _told(spec: SourceSpec | None) -> str:
    return "" if spec is None else f"{spec.kind} for {access.to_key(spec.readers)}"


def imports_of(settings: Settings) -> Path:
    """Where imported files were kept before their records were in the database."""
    return settings.data_dir / "imports"


def _secret(name: str) -> str | None:
    secret = read_secret(name)
    return secret.get_secret_value() if secret else None
