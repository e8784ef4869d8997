"""Servers that answer as hosted services do, in the shapes of their public API documentation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from knowledge.sources.base import Checkpoint, Complete, Gone, Listing, Past, Reading, Source

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
TOKEN = "secret-token-of-the-team"


@dataclass
class ServiceServer:
    """A running server: `refuse` is what every request gets while it is set, `asked` all paths that were asked for."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    refuse: Callable[[], web.Response] | None = None


@asynccontextmanager
async def serving(routes: Iterable[web.RouteDef], server: ServiceServer) -> AsyncIterator[None]:
    @web.middleware
    async def note(request: web.Request, handler: Answer) -> web.StreamResponse:
        server.asked.append(request.path_qs)
        if server.refuse is not None:
            return server.refuse()
        return await handler(request)

    app = web.Application(middlewares=[note])
    app.add_routes(routes)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield
    finally:
        await runner.cleanup()


@dataclass
class Run:
    """What one look at a source gave."""

    listings: dict[str, Listing]
    gone: list[str]
    state: str | None
    is_complete: bool
    problems: list[Any]

    def past(self) -> Past:
        return Past(self.state, {path: listing.version for path, listing in self.listings.items()})


async def look(source: Source, past: Past | None = None) -> Run:
    run = Run({}, [], None, False, [])
    async for found in source.listings(past or Past(None, {})):
        match found:
            case Listing():
                run.listings[found.path] = found
            case Gone(path):
                run.gone.append(path)
            case Checkpoint(state):
                run.state = state
            case Complete():
                run.is_complete = True
            case _:
                run.problems.append(found)
    return run


def said(reading: Reading) -> str:
    return "\n".join(block.text for block in reading.content.blocks)
