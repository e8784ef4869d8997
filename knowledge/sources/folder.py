"""A folder of files: Markdown, text, HTML, PDF, docx, pptx, xlsx, CSV."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import stat
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from knowledge import access
from knowledge.errors import DocumentUnreachable, DocumentUnreadable, SourceUnavailable
from knowledge.reports import Problem
from knowledge.sources.base import Complete, Listed, Listing, Past, Reading
from knowledge.sources.kinds import SourceContext, SourceOptions
from knowledge.sources.names import printable, title_of
from knowledge.sources.parsers.registry import parser_for

MOST_BYTES = 50_000_000
_AT_ONCE = 2_000  # files looked at in one go


class FolderSource:
    """Files below a folder; hidden ones and those that no parser reads are passed over.

    Links are followed as long as they stay inside the folder: what lies outside has not been shared. `link_base` is
    the address under which a person finds the files; without it documents have no link. `most_bytes`: larger files are
    named as problems and not read.
    """

    kind = "folder"

    def __init__(
        self,
        name: str,
        path: Path,
        readers: frozenset[str] = access.PUBLIC,
        link_base: str | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.name = name
        self._root = path.expanduser()
        self._readers = access.parse_scopes(readers)
        self._link_base = link_base.rstrip("/") if link_base else None
        self._most_bytes = most_bytes

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        """Every file that can be read, by its size and time of change. Raises SourceUnavailable."""
        walk = await asyncio.to_thread(self._list)
        while some := await asyncio.to_thread(lambda: list(itertools.islice(walk, _AT_ONCE))):
            for found in some:
                yield found
        yield Complete()

    async def read(self, listing: Listing) -> Reading:
        """One file, parsed. Raises DocumentUnreadable."""
        return await asyncio.to_thread(self._read, listing)

    async def close(self) -> None:
        """Holds nothing."""

    def _list(self) -> Iterator[Listing | Problem]:
        if not self._root.exists():
            raise SourceUnavailable(
                f"The folder {self._root} of the source “{self.name}” does not exist. "
                "Create it, mount it, or change its path in the configuration; what was read before is kept."
            )
        if not self._root.is_dir():
            raise SourceUnavailable(
                f"{self._root} of the source “{self.name}” is a file. Name the folder that holds it."
            )
        try:
            top = list(os.scandir(self._root))
        except OSError as error:
            raise SourceUnavailable(
                f"The folder {self._root} of the source “{self.name}” cannot be read ({error.strerror}). "
                "Let the user who runs this program read it; what was read before is kept."
            ) from error
        return self._walk(top)

    def _walk(self, top: list[os.DirEntry[str]]) -> Iterator[Listing | Problem]:
        root = os.path.realpath(self._root)
        status = self._root.stat()
        visited = {(status.st_dev, status.st_ino)}
        above = len(os.path.join(self._root, ""))
        waiting = sorted(top, key=_by_name, reverse=True)
        while waiting:
            entry = waiting.pop()
            if entry.name.startswith("."):
                continue
            path = entry.path[above:]
            shown = printable(os.fsencode(path))
            try:
                status = entry.stat()
                outside = entry.is_symlink() and not _inside(os.path.realpath(entry.path), root)
                if outside and (stat.S_ISDIR(status.st_mode) or parser_for(entry.name)):
                    yield Problem(shown, f"{shown} is a link that leads out of the folder; not followed.")
                elif stat.S_ISDIR(status.st_mode):
                    here = (status.st_dev, status.st_ino)
                    if here not in visited:
                        visited.add(here)
                        waiting += sorted(os.scandir(entry.path), key=_by_name, reverse=True)
                elif stat.S_ISREG(status.st_mode) and parser_for(entry.name):
                    yield self._listing(shown, path, entry.path, status)
            except OSError as error:
                yield Problem(shown, f"{shown} cannot be read ({error.strerror}).")

    def _listing(self, shown: str, path: str, handle: str, status: os.stat_result) -> Listing:
        url = f"{self._link_base}/{quote(os.fsencode(path))}" if self._link_base else None
        # The time of the inode's change moves too when permissions do, and when a file keeps its old time on purpose.
        version = f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"
        return Listing(shown, version, self._readers, url, handle)

    def _read(self, listing: Listing) -> Reading:
        name = listing.path
        try:
            # Not blocking: a pipe that took the file's place since would never end.
            with open(os.open(listing.handle, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
                status = os.fstat(file.fileno())
                self._check(name, status)
                data = file.read(self._most_bytes + 1)
        except OSError as error:
            raise DocumentUnreachable(f"{name} cannot be read ({error.strerror}).") from error
        parser = parser_for(listing.handle)
        if parser is None:
            raise DocumentUnreadable(f"{name} is of a kind that is not read.")
        content = parser(data, name)
        updated = content.updated or datetime.fromtimestamp(status.st_mtime, UTC)
        title = content.title or title_of(name)
        return Reading(title, content, hashlib.sha256(data).hexdigest(), updated, content.author)

    def _check(self, name: str, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise DocumentUnreachable(f"{name} is not a file any more.")
        if status.st_size > self._most_bytes:
            raise DocumentUnreadable(
                f"{name} has {status.st_size / 1e6:,.0f} MB; files above {self._most_bytes / 1e6:,.0f} MB "
                "are not read. Split it, or raise the limit."
            )


class FolderOptions(SourceOptions):
    """Where a folder is."""

    path: Path
    """The folder; a relative one is looked for where the program is started."""
    link_base: str | None = None
    """Address that a document's path is added to for its link."""


class FolderKind:
    """Folders, as a kind of source."""

    name = "folder"
    options = FolderOptions

    def recognise(self, text: str) -> dict[str, object] | None:
        """An absolute path of a folder that is there."""
        return {"path": text} if text.startswith(("/", "~")) and Path(text).expanduser().is_dir() else None

    def open(self, name: str, readers: frozenset[str], options: FolderOptions, context: SourceContext) -> FolderSource:
        """The folder."""
        return FolderSource(name, options.path, readers, options.link_base)


KIND = FolderKind()


def _by_name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root + os.sep)
