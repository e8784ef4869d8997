"""Contents of files by their ids, from one running git."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from contextlib import AsyncExitStack
from pathlib import Path

from knowledge.sources.git.program import Git, GitFailed

LONGEST = 600.0  # seconds for one file, which may have to be fetched first


class BlobTooLarge(Exception):
    """A file is larger than what may be read; `size` is in bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class Blobs:
    """Reads one file at a time; git is started with the first and ends with `close`."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._stack = AsyncExitStack()
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def read(self, folder: Path, blob: str, most_bytes: int) -> bytes:
        """The content. Raises GitFailed where it cannot be had, and BlobTooLarge."""
        async with self._turn:
            try:
                async with asyncio.timeout(LONGEST):
                    return await self._ask(folder, blob, most_bytes)
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                await self._end()
                raise GitFailed(f"git cat-file ended ({type(error).__name__})") from None
            except BaseException:
                await self._end()  # what is still to come would be taken for the next file
                raise

    async def close(self) -> None:
        """Ends git, after the file that is read."""
        async with self._turn:
            await self._end()

    async def _ask(self, folder: Path, blob: str, most_bytes: int) -> bytes:
        if self._process is None:
            running = self._git.started("cat-file", "--batch", folder=folder, takes_input=True, checked=False)
            self._process = await self._stack.enter_async_context(running)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{blob}\n".encode())
        await self._process.stdin.drain()
        head = (await self._process.stdout.readline()).decode().split()
        if len(head) != 3 or head[1] != "blob":
            raise GitFailed(f"git has no file {blob}")
        size = int(head[2])
        if size > most_bytes:
            raise BlobTooLarge(size)
        return (await self._process.stdout.readexactly(size + 1))[:-1]

    async def _end(self) -> None:
        self._process = None
        await self._stack.aclose()
