"""How the bot is, for machines that ask: /health, and /metrics for Prometheus."""

from __future__ import annotations

import sqlalchemy as sa
from aiohttp import web

from bot.core import Core
from bot.errors import SwitchboardError
from bot.storage.engine import ping
from bot.storage.tables import inbox, job_runs
from knowledge.errors import KnowledgeError


def health_routes(core: Core) -> list[web.RouteDef]:
    """GET /health: 200, or 503 with a sentence for each thing that is not well."""

    async def health(_request: web.Request) -> web.Response:
        troubles = await _troubles(core)
        return web.json_response({"ok": not troubles, "troubles": troubles}, status=503 if troubles else 200)

    return [web.get("/health", health)]


def metrics_routes(core: Core) -> list[web.RouteDef]:
    """GET /metrics in Prometheus's text format, where the configuration asks for it."""
    metrics = core.metrics
    if metrics is None:
        return []

    async def read(_request: web.Request) -> web.Response:
        waiting, jobs = await _state(core)
        text = metrics.exposition(await core.budgets.standing(core.clock()), waiting, jobs)
        return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return [web.get("/metrics", read)]


async def _state(core: Core) -> tuple[int, dict[str, float]]:
    """How much is waiting in the inbox, and when each job last ended well, in Unix time."""
    waiting = sa.select(sa.func.count()).where(inbox.c.state.in_(("waiting", "working")))
    ended_well = job_runs.c.finished_at.is_not(None) & job_runs.c.problem.is_(None)
    jobs = sa.select(job_runs.c.job, sa.func.max(job_runs.c.finished_at)).where(ended_well).group_by(job_runs.c.job)
    async with core.engine.connect() as connection:
        count: int = (await connection.execute(waiting)).scalar_one()
        return count, {job: at.timestamp() for job, at in await connection.execute(jobs)}


async def _troubles(core: Core) -> list[str]:
    """What the parts of its own that every question needs say when they are not well."""
    troubles = []
    for look in (ping(core.engine), core.knowledge.ping()):
        try:
            await look
        except (SwitchboardError, KnowledgeError) as error:
            troubles.append(str(error))
    return troubles
