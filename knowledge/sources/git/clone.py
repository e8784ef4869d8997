"""The program's own copy of a repository: bare, with the history and without the files, which come when wanted."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from pathlib import Path

from knowledge.sources.git.program import Git, GitFailed

MOST_COMMITS = 20_000  # of the history that is walked for the files' ages
_TIP = "refs/followed/tip"
_BLOBS_AT_ONCE = 2_000
_PIECE = 1 << 16
_FILES = frozenset({"100644", "100755", "100664"})  # no links, no submodules


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a commit. `blob` is the id of its content; None where the file is gone, or is a file no more."""

    path: bytes
    blob: str | None


@dataclass(frozen=True, slots=True)
class Touch:
    """The last commit that touched a file: its time in seconds since 1970, and its author's name."""

    seconds: int
    author: str


class Clone:
    """The copy, in a folder of its own that may be deleted at any time. GitFailed means that it is of no use."""

    def __init__(self, git: Git, url: str, cache_dir: Path) -> None:
        self._git = git
        self._cache = cache_dir
        self.folder = cache_dir / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.git"

    @property
    def is_there(self) -> bool:
        return self.folder.is_dir()

    async def update(self, ref: str) -> str:
        """Brings the copy to where the remote stands; the answer is the commit. Raises GitFailed."""
        if self.is_there:
            await self._fetch(self.folder, ref)
            return await self._commit(self.folder)
        # What another repository or a killed attempt left goes; half a copy never takes the name of a whole one.
        await self.discard()
        self._cache.mkdir(parents=True, exist_ok=True)
        part = self.folder.with_suffix(".part")
        await self._git.run("init", "--quiet", "--bare", "--template=", "--", os.fspath(part))
        await self._fetch(part, ref)
        commit = await self._commit(part)
        part.rename(self.folder)
        return commit

    async def discard(self) -> None:
        """Throws the copy away."""
        await asyncio.to_thread(shutil.rmtree, self._cache, ignore_errors=True)

    async def has(self, commit: str) -> bool:
        """Whether the commit can be compared with."""
        try:
            await self._run("cat-file", "-e", f"{commit}^{{tree}}")
        except GitFailed:
            return False
        return True

    async def has_folder(self, commit: str, folder: str) -> bool:
        """Whether the commit has a folder of this name."""
        return (await self._run("ls-tree", "-d", "-z", commit, "--", folder)).startswith(b"040000 tree")

    async def entries(self, commit: str, below: str | None = None) -> list[Entry]:
        """All files of the commit, or those below a folder; or the one file of that name."""
        found = []
        for line in _parts(await self._run("ls-tree", "-r", "-z", commit, "--", *([below] if below else []))):
            about, _, path = line.partition(b"\t")
            mode, _, blob = about.decode().split(" ")
            if mode in _FILES:
                found.append(Entry(path, blob))
        return found

    async def changes(self, old: str, new: str, below: str | None) -> list[Entry]:
        """The files that differ between two commits. One with a new name is gone and there anew."""
        pathspec = ["--", *([below] if below else [])]
        told = iter(_parts(await self._run("diff-tree", "-r", "-z", "--raw", "--no-renames", old, new, *pathspec)))
        found = []
        for about in told:
            _, mode, _, blob, _ = about.decode().split(" ")
            found.append(Entry(next(told), blob if mode in _FILES else None))
        return found

    async def fetch_blobs(self, commit: str, blobs: Collection[str]) -> None:
        """Fetches those of the commit's files that are not here, many at once. Raises GitFailed."""
        told = await self._run("rev-list", "--objects", "--missing=print", f"{commit}^{{tree}}")
        missing = {line[1:].decode() for line in told.splitlines() if line.startswith(b"?")}
        wanted = sorted(missing.intersection(blobs))
        for start in range(0, len(wanted), _BLOBS_AT_ONCE):
            given = "".join(f"{blob}\n" for blob in wanted[start : start + _BLOBS_AT_ONCE])
            await self._run(*_FETCH, "--stdin", "origin", given=given.encode())

    async def touches(self, commit: str, since: str | None, wanted: Collection[bytes]) -> dict[bytes, Touch]:
        """Which commit touched each file last, as far as the walk back goes (to `since`, or `MOST_COMMITS`)."""
        missing, found = set(wanted), dict[bytes, Touch]()
        if not missing:
            return found
        seen = f"{since}..{commit}" if since else commit
        form = "--format=%x01%ct%x02%aN"
        walk = ("log", "-z", "--no-renames", "--name-only", form, f"--max-count={MOST_COMMITS}", seen, "--")
        touch: Touch | None = None
        async with self._git.started(*walk, folder=self.folder, checked=False) as process:
            assert process.stdout is not None
            async for part in _split(process.stdout):
                if part.startswith(b"\x01"):
                    touch = _touch(part)
                    continue
                path = part.removeprefix(b"\n")
                if touch is not None and path in missing:
                    found[path] = touch
                    missing.discard(path)
                    if not missing:
                        break
        return found

    async def _fetch(self, folder: Path, ref: str) -> None:
        await self._git.run(*_FETCH, "origin", f"+{ref}:{_TIP}", folder=folder)

    async def _commit(self, folder: Path) -> str:
        told = await self._git.run("rev-parse", "--verify", "--quiet", f"{_TIP}^{{commit}}", folder=folder)
        return told.decode().strip()

    async def _run(self, *arguments: str, given: bytes = b"") -> bytes:
        return await self._git.run(*arguments, folder=self.folder, given=given)


# Only this command knows that what is missing can be had from the remote: no other goes to the network behind our back.
_FETCH = (
    *("-c", "remote.origin.promisor=true", "-c", "remote.origin.partialCloneFilter=blob:none"),
    *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none"),
)


def _parts(told: bytes) -> list[bytes]:
    return told.split(b"\0")[:-1]


async def _split(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    rest = b""
    while piece := await stream.read(_PIECE):
        *parts, rest = (rest + piece).split(b"\0")
        for part in parts:
            yield part
    if rest:
        yield rest


def _touch(part: bytes) -> Touch:
    seconds, _, author = part[1:].partition(b"\x02")
    return Touch(int(seconds), author.decode("utf-8", "replace").strip())
