"""Real repositories, and a real server for them over HTTP: git's own, behind a small gateway."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

TOKEN = "token-of-the-team-4711"


@dataclass
class Repository:
    """A repository with a work tree."""

    path: Path

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", "-C", self.path, *arguments], check=True, capture_output=True)
        return done.stdout.decode("utf-8", "replace").strip()

    def commit(self, files: dict[str, str | bytes | None], *, author: str = "Maya", day: str = "2026-03-01") -> str:
        """Writes files, takes away those that are None, and commits all."""
        for name, text in files.items():
            file = self.path / name
            if text is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode() if isinstance(text, str) else text)
        return self.commit_all(author, day)

    def commit_all(self, author: str = "Maya", day: str = "2026-03-01") -> str:
        self.git("add", "--all")
        who = ("-c", "user.name=Committer", "-c", "user.email=c@example.org")
        os.environ["GIT_COMMITTER_DATE"] = f"{day}T12:00:00+0000"
        try:
            self.git(*who, "commit", "--quiet", f"--author={author} <a@example.org>", "--message", "A change")
        finally:
            del os.environ["GIT_COMMITTER_DATE"]
        return self.git("rev-parse", "HEAD")


@dataclass
class GitServer:
    """Repositories below a folder over HTTP, for those who log in with the token."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    answer: Callable[[web.Request], web.Response | None] = lambda request: None
    stall: asyncio.Event | None = None
    stalled: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def serving(root: Path) -> AsyncIterator[GitServer]:
    server = GitServer()

    async def backend(request: web.Request) -> web.Response:
        server.asked.append(f"{request.method} {request.path_qs}")
        if (answer := server.answer(request)) is not None:
            return answer
        login = request.headers.get("Authorization", "")
        if not login.startswith("Basic ") or not base64.b64decode(login[6:]).endswith(f":{TOKEN}".encode()):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        body = await request.read()
        if server.stall is not None and request.method == "POST" and b"command=fetch" in body:
            server.stalled.set()
            await server.stall.wait()
        return await _answered(root, request, body)

    app = web.Application(client_max_size=10_000_000)
    app.add_routes([web.route("*", "/{path:.*}", backend)])
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    if server.stall is not None:
        server.stall.set()
    await runner.cleanup()


async def _answered(root: Path, request: web.Request, body: bytes) -> web.Response:
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_PROJECT_ROOT": os.fspath(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_USER": "team",
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query_string,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("git", "http-backend", stdin=pipe, stdout=pipe, env=environment)
    printed, _ = await process.communicate(body)
    head, _, content = printed.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    status = int(headers.pop("Status", "200 OK").split(" ")[0])
    return web.Response(status=status, headers=headers, body=content)
