"""A server that tunes models, by OpenAI's jobs API as it is documented: files, jobs, events, checkpoints, cancelling.

It trains nothing: tests say what becomes of a job. It counts what would be paid.

    python job_server.py FOLDER    # for a test whose client is another process: the address is written to FOLDER/url
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from aiohttp import web


@dataclass
class JobServer:
    """`hold`: nobody hears of a creation; `cut`: the job is made and the connection ends; `break_next`: so many looks
    at a job are answered by 500; `ends_after`: a job ends well after so many looks (0: when `end` says so)."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    checkpoints: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    created: asyncio.Event = field(default_factory=asyncio.Event)
    cut: bool = False
    hold: bool = False
    break_next: int = 0
    ends_after: int = 0
    url: str = ""
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/v1/files", self._files)
        app.router.add_post("/v1/files", self._upload)
        jobs = "/v1/fine_tuning/jobs"
        app.router.add_get(jobs, self._jobs)
        app.router.add_post(jobs, self._create)
        app.router.add_get(jobs + "/{id}", self._job)
        app.router.add_get(jobs + "/{id}/events", self._events)
        app.router.add_get(jobs + "/{id}/checkpoints", self._checkpoints)
        app.router.add_post(jobs + "/{id}/cancel", self._cancel)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def step(self, number: int, **figures: float) -> None:
        """Every job tells of a step."""
        for id in self.jobs:
            self._say(id, f"Step {number}", {"step": number, **figures})

    def end(self, status: str, *, tokens: int | None = 5_000, error: str = "") -> None:
        """Every job that runs ends so."""
        for id, job in self.jobs.items():
            if job["status"] != "running":
                continue
            job |= {"status": status, "trained_tokens": tokens, "finished_at": int(time.time())}
            if status == "succeeded":
                job["fine_tuned_model"] = f"ft:{job['model']}:team:{id[-4:]}"
            if error:
                job["error"] = {"code": "invalid_training_file", "message": error, "param": None}

    def _say(self, id: str, message: str, data: dict[str, Any] | None = None) -> None:
        known = self.events.setdefault(id, [])
        event = {"id": f"ftevent-{len(known)}", "object": "fine_tuning.job.event", "created_at": int(time.time())}
        kind = {"level": "info", "message": message, "type": "metrics" if data else "message", "data": data}
        known.append(event | kind)

    async def _files(self, _: web.Request) -> web.Response:
        return _page([_file(id, *known) for id, known in self.files.items()])

    async def _upload(self, request: web.Request) -> web.Response:
        said = await request.post()
        sent: Any = said["file"]
        id = f"file-{len(self.files) + 1}"
        self.files[id] = (sent.filename, sent.file.read())
        return web.json_response(_file(id, *self.files[id]))

    async def _jobs(self, _: web.Request) -> web.Response:
        return _page([*self.jobs.values()][::-1])

    async def _create(self, request: web.Request) -> web.StreamResponse:
        said = await request.json()
        id = f"ftjob-{len(self.jobs) + 1:04}"
        job = {"id": id, "object": "fine_tuning.job", "created_at": int(time.time()), "status": "running"}
        job |= {"fine_tuned_model": None, "finished_at": None, "trained_tokens": None, "error": None}
        job |= {"hyperparameters": {}, "organization_id": "team", "result_files": [], "validation_file": None}
        self.jobs[id] = job | {name: value for name, value in said.items() if name != "suffix"}
        self._say(id, "Created")
        self.created.set()
        if self.hold:
            await asyncio.Event().wait()
        if self.cut:
            assert request.transport is not None
            request.transport.close()
        return web.json_response(self.jobs[id])

    async def _job(self, request: web.Request) -> web.Response:
        if self.break_next:
            self.break_next -= 1
            return web.json_response({"error": {"message": "Boom.", "type": "server_error"}}, status=500)
        if self.ends_after:
            self.ends_after -= 1
            if not self.ends_after:
                self.step(7, train_loss=0.5)
                self.end("succeeded")
        return _found(self.jobs.get(request.match_info["id"]))

    async def _events(self, request: web.Request) -> web.Response:
        return _page(self.events.get(request.match_info["id"], [])[::-1])

    async def _checkpoints(self, request: web.Request) -> web.Response:
        return _page(self.checkpoints.get(request.match_info["id"], []))

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is not None and job["status"] != "running":
            return web.json_response(
                {"error": {"message": "It has ended.", "type": "invalid_request_error"}}, status=400
            )
        if job is not None:
            job |= {"status": "cancelled", "trained_tokens": 0}
        return _found(job)


def _file(id: str, name: str, content: bytes) -> dict[str, Any]:
    kept = {"id": id, "object": "file", "filename": name, "bytes": len(content), "created_at": 1}
    return kept | {"purpose": "fine-tune", "status": "processed"}


def _page(data: list[dict[str, Any]]) -> web.Response:
    return web.json_response({"object": "list", "data": data, "has_more": False})


def _found(job: dict[str, Any] | None) -> web.Response:
    if job is None:
        return web.json_response({"error": {"message": "No such job.", "type": "invalid_request_error"}}, status=404)
    return web.json_response(job)


def rows_of(server: JobServer, name: str) -> list[dict[str, Any]]:
    """The rows of the file that was uploaded under a name that ends so."""
    ((_, content),) = [known for known in server.files.values() if re.search(f"{name}$", known[0])]
    return [json.loads(line) for line in content.decode().splitlines()]


async def _serve(folder: Path) -> None:
    async with JobServer(hold=(folder / "hold").exists()) as server:
        (folder / "url.half").write_text(server.url)
        (folder / "url.half").rename(folder / "url")
        await server.created.wait()
        (folder / "created").touch()
        server.hold, server.ends_after = False, 3
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
