"""A git repository as a source: by commit, so that a refresh costs what changed."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from knowledge.errors import DocumentUnreachable, DocumentUnreadable, SourceUnavailable
from knowledge.sources.base import Checkpoint, Complete, Gone, Listed, Listing, Past, Reading
from knowledge.sources.folder import MOST_BYTES
from knowledge.sources.git.blobs import Blobs, BlobTooLarge
from knowledge.sources.git.clone import Clone, Entry, Touch
from knowledge.sources.git.links import Links, links_for
from knowledge.sources.git.program import Git, GitFailed
from knowledge.sources.git.remote import Remote, Tip
from knowledge.sources.names import printable, title_of
from knowledge.sources.parsers.registry import PARSERS, parser_for

_LFS = b"version https://git-lfs.github.com/spec/"
_LFS_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """What of a repository is read: the branch (None: the remote's main one), the folder (None: all), the links."""

    url: str
    branch: str | None = None
    folder: str | None = None
    link_base: str | None = None


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at a commit gave: everything, or what changed."""

    commit: str
    found: list[Listed]
    is_whole: bool


class GitSource:
    """Files of a branch that a parser reads; hidden ones, links and submodules are passed over.

    A document's version is the id of its content; its age and author are those of the last commit that touched it.
    """

    kind = "git"

    def __init__(
        self,
        name: str,
        readers: frozenset[str],
        place: Place,
        git: Git,
        clone: Clone,
        token_env: str | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.name = name
        self._readers = readers
        self._place = place
        self._clone = clone
        self._remote = Remote(git, place.url, name, token_env)
        self._blobs = Blobs(git)
        self._most_bytes = most_bytes
        self._one_at_a_time = asyncio.Lock()
        self._is_damaged = False
        self._tip: Tip | None = None

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        """What changed since the last commit that was read, or everything. Raises SourceUnavailable."""
        tip = self._tip = await self._remote.tip(self._place.branch)
        asked = self._asked(tip)
        known = _commit_of(past.state, asked)
        if known == tip.commit:
            return
        async with self._one_at_a_time:
            try:
                look = await self._look(tip, known, past.versions)
            except GitFailed as error:
                look = await self._look_again(tip, known, past.versions, error)
        for each in look.found:
            yield each
        yield Checkpoint(json.dumps({"commit": look.commit, "asked": asked}))
        if look.is_whole:
            yield Complete()

    async def find(self, path: str) -> Listing | None:
        """One file as it is now; None where it is gone. Raises SourceUnavailable."""
        tip = self._tip or await self._remote.tip(self._place.branch)
        async with self._one_at_a_time:
            try:
                if self._is_damaged:
                    await self._throw_away()
                is_here = self._clone.is_there and await self._clone.has(tip.commit)
                commit = tip.commit if is_here else await self._clone.update(tip.ref)
                # A name that had to be written out cannot be asked for.
                entries = await self._clone.entries(commit, self._place.folder if "\\x" in path else path)
                found = [entry for entry in entries if entry.blob and printable(entry.path) == path]
                listed = await self._listed(commit, tip, found, {}, None)
            except GitFailed as error:
                raise self._remote.explained(error) or self._remote.failed(error) from None
        return next((each for each in listed if isinstance(each, Listing)), None)

    async def read(self, listing: Listing) -> Reading:
        """One file, parsed. Raises DocumentUnreadable, and DocumentUnreachable where the copy has lost it."""
        blob, seconds, author = json.loads(listing.handle)
        try:
            data = await self._blobs.read(self._clone.folder, blob, self._most_bytes)
        except BlobTooLarge as error:
            raise DocumentUnreadable(
                f"{listing.path} has {error.size / 1e6:,.0f} MB; files above {self._most_bytes / 1e6:,.0f} MB are not "
                "read. Split it."
            ) from None
        except GitFailed:
            self._is_damaged = True
            raise DocumentUnreachable(
                f"{listing.path} could not be had from the copy of the repository, which is made anew at the next "
                "refresh."
            ) from None
        return await asyncio.to_thread(_parsed, data, listing.path, _time(seconds), author)

    async def close(self) -> None:
        """Ends the git that reads files."""
        await self._blobs.close()

    async def _look_again(self, tip: Tip, known: str | None, versions: Mapping[str, str], error: GitFailed) -> _Look:
        """The remote has answered before; where it is not to blame, the copy is damaged and a new one is made."""
        if explained := self._remote.explained(error):
            raise explained from None
        await self._throw_away()
        try:
            return await self._look(tip, known, versions)
        except GitFailed as again:
            raise self._remote.explained(again) or self._remote.failed(again) from None

    async def _look(self, tip: Tip, known: str | None, versions: Mapping[str, str]) -> _Look:
        if self._is_damaged:
            await self._throw_away()
        await self._blobs.close()  # it would go on to read packs that are gone
        commit = await self._clone.update(tip.ref)
        folder = self._place.folder
        if folder and not await self._clone.has_folder(commit, folder):
            raise SourceUnavailable(
                f"The repository {self._place.url} of the source “{self.name}” has no folder {folder} on "
                f"{tip.branch}. Correct the option folder; what was read before is kept."
            )
        since = known if known and await self._clone.has(known) else None
        if since is None:
            entries = await self._clone.entries(commit, folder)
        else:
            entries = await self._clone.changes(since, commit, folder)
        return _Look(commit, await self._listed(commit, tip, entries, versions, since), since is None)

    async def _listed(
        self, commit: str, tip: Tip, entries: list[Entry], versions: Mapping[str, str], since: str | None
    ) -> list[Listed]:
        links = links_for(self._place.url, tip.branch, self._place.link_base)
        shown = {entry.path: printable(entry.path) for entry in entries if self._is_read(entry.path, links)}
        new = {
            entry.path: entry.blob
            for entry in entries
            if entry.path in shown and entry.blob and versions.get(shown[entry.path]) != entry.blob
        }
        await self._clone.fetch_blobs(commit, frozenset(new.values()))
        touches = await self._clone.touches(commit, since, new.keys())
        return [
            self._listing(entry, shown[entry.path], touches.get(entry.path), links)
            if entry.blob
            else Gone(shown[entry.path])
            for entry in entries
            if entry.path in shown
        ]

    def _is_read(self, path: bytes, links: Links) -> bool:
        below = path[len(self._place.folder.encode()) + 1 :] if self._place.folder else path
        parts = below.split(b"/")
        if any(part.startswith(b".") for part in parts):
            return False
        if links.by_page and parts[-1].startswith(b"_"):
            return False  # what a wiki shows around each of its pages
        return parser_for(printable(path)) is not None

    def _listing(self, entry: Entry, path: str, touch: Touch | None, links: Links) -> Listing:
        assert entry.blob is not None
        handle = json.dumps([entry.blob, touch.seconds if touch else None, touch.author if touch else None])
        return Listing(path, entry.blob, self._readers, links.url(entry.path), handle, links.anchor(path))

    async def _throw_away(self) -> None:
        await self._blobs.close()
        await self._clone.discard()
        self._is_damaged = False

    def _asked(self, tip: Tip) -> str:
        """A digest of all that decides what is listed and how; another one means that everything is listed again."""
        place = self._place
        parts = [place.url, tip.branch, place.folder, place.link_base, sorted(self._readers), sorted(PARSERS)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _commit_of(state: str | None, asked: str) -> str | None:
    """The commit of a state that was kept for the same question."""
    try:
        kept = json.loads(state or "{}")
        return str(kept["commit"]) if kept["asked"] == asked else None
    except (ValueError, KeyError, TypeError):
        return None


def _parsed(data: bytes, path: str, touched: datetime | None, author: str | None) -> Reading:
    if data.startswith(_LFS) and len(data) < _LFS_LONGEST:
        raise DocumentUnreadable(
            f"{path} is kept in Git LFS, whose files are not fetched. Put it into the repository itself, or into "
            "another source."
        )
    parser = parser_for(path)
    if parser is None:
        raise DocumentUnreadable(f"{path} is of a kind that is not read.")
    content = parser(data, path)
    digest = hashlib.sha256(data).hexdigest()
    return Reading(
        content.title or title_of(path), content, digest, content.updated or touched, content.author or author
    )


def _time(seconds: int | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
