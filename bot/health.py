"""How the bot is, for machines that ask: /healthz, /readyz, and /metrics for Prometheus."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa
import structlog
from aiohttp import web

from bot.core import Core
from bot.errors import ModelUnavailable, SwitchboardError
from bot.logs import mask
from bot.storage.engine import ping
from bot.storage.tables import inbox, job_runs
from knowledge.errors import IndexBroken, KnowledgeError

if TYPE_CHECKING:  # its library takes a tenth of a second to load, and only for those who ask for metrics
    from bot.costs.metrics import Metrics, State

log = structlog.get_logger("bot.health")

SECONDS = 5
"""How long one service may take to say how it is."""
BEAT = 0.5
"""Seconds between two looks at the loop's own clock."""


@dataclass(frozen=True, slots=True)
class Check:
    """One service. `look` gives a sentence, or raises where it is not well; no question is answered without a `needed`
    one."""

    name: str
    look: Callable[[], Awaitable[str]]
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """How a service stands, and since when it is well or is not."""

    ok: bool
    how: str
    needed: bool
    since: datetime


Checks = Callable[[], Iterable[Check]]


def checks(core: Core) -> list[Check]:
    """What a core needs, as far as asking costs nothing: its database, its indexes, its model servers."""

    async def database() -> str:
        await ping(core.engine)
        return "It answers."

    async def knowledge() -> str:
        await core.knowledge.ping()
        return f"It can be searched, with {core.knowledge.embedder.name}."

    async def indexes() -> str:
        if broken := core.knowledge.troubles:
            raise IndexBroken(f"Not in use until rebuilt: {', '.join(broken)}. Search goes on with the others.")
        return "All are in use."

    async def embedding() -> str:
        if core.knowledge.disagreement is not None:
            raise KnowledgeError(core.knowledge.disagreement)
        return f"All processes want {core.knowledge.wanted.name}."

    async def models(provider: str | None) -> str:
        cards = [card for card in core.models.usable() if provider in (None, card.provider)]
        broken = core.models.breakers.broken(cards)
        why = " ".join(dict.fromkeys(broken.values()))
        if len(broken) == len(cards):
            raise ModelUnavailable(why)
        return f"{len(cards) - len(broken)} of {len(cards)} can be asked. {why}".strip()

    providers = dict.fromkeys(card.provider for card in core.models.usable())
    return [
        Check("database", database),
        Check("knowledge", knowledge),
        Check("search indexes", indexes, needed=False),
        Check("embedding model", embedding, needed=False),
        *chroma_checks(core),
        Check("models", partial(models, None)),
        *(Check(f"models: {name}", partial(models, name), needed=False) for name in providers),
    ]


def chroma_checks(core: Core) -> list[Check]:
    """The server of the vector index, where there is one: without it search goes on in memory."""

    async def look() -> str:
        await core.knowledge.ping_chroma()
        return f"The server at {core.settings.knowledge.chroma} answers."

    return [Check("chroma", look, needed=False)] if core.settings.knowledge.chroma else []


async def look_at(check: Check) -> tuple[bool, str]:
    """Whether a service is well, and the sentence that says how; never a secret."""
    try:
        async with asyncio.timeout(SECONDS):
            return True, mask(await check.look())
    except (SwitchboardError, KnowledgeError) as error:
        return False, mask(str(error))
    except TimeoutError:
        return False, f"Nothing was heard within {SECONDS} seconds."
    except Exception as error:  # the outermost door of one look: the others are looked at all the same
        log.exception("look_failed", name=check.name)
        return False, f"It broke: {type(error).__name__}."


class Health:
    """What this process needs, and whether it is well. Not ready before `opened` and from `closing` on."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._sources: list[Checks] = []
        self._standings: dict[str, Standing] = {}
        self._phase: Literal["starting", "open", "closing"] = "starting"
        self._looking: asyncio.Task[dict[str, Standing]] | None = None

    def add(self, source: Checks) -> None:
        """Adds services; they are asked for anew each time, since models come and go."""
        self._sources.append(source)

    def opened(self) -> None:
        """All is there: whether questions can be answered is now up to the services."""
        self._phase = "open"

    def closing(self) -> None:
        """Nothing new is to be sent here."""
        self._phase = "closing"

    async def ready(self) -> tuple[bool, dict[str, object]]:
        """Whether questions can be answered, and how each service stands, as JSON values."""
        # Whoever asks meanwhile gets the same answer: no number of askers makes more work than one.
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        standings = await asyncio.shield(self._looking)
        well = self._phase == "open" and all(one.ok for one in standings.values() if one.needed)
        services = {
            name: {"ok": one.ok, "how": one.how, "needed": one.needed, "since": one.since.isoformat(timespec="seconds")}
            for name, one in standings.items()
        }
        return well, {"ready": well, "phase": self._phase, "services": services}

    async def _look(self) -> dict[str, Standing]:
        every = [check for source in self._sources for check in source()]
        found = await asyncio.gather(*map(look_at, every))
        now, before = self._clock(), self._standings
        self._standings = {}
        for check, (ok, how) in zip(every, found, strict=True):
            last = before.get(check.name)
            same = last is not None and last.ok == ok
            self._standings[check.name] = Standing(ok, how, check.needed, last.since if last and same else now)
            if not same and (last is not None or not ok):
                log.log(20 if ok else 30, "service_well" if ok else "service_not_well", service=check.name)
        return self._standings


def health_routes(health: Health) -> list[web.RouteDef]:
    """GET /healthz: 200 as long as the loop turns. GET /readyz: 503 where no question can be answered."""

    async def lives(_request: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    async def ready(_request: web.Request) -> web.Response:
        well, told = await health.ready()
        return web.json_response(told, status=200 if well else 503)

    return [web.get("/healthz", lives), web.get("/readyz", ready)]


def metrics_routes(metrics: Metrics, cores: Sequence[Core]) -> list[web.RouteDef]:
    """GET /metrics in Prometheus's text format. `cores` may grow while it is served."""

    async def read(_request: web.Request) -> web.Response:
        text = metrics.exposition([await state_of(core) for core in cores])
        return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return [web.get("/metrics", read)]


async def watch_loop(metrics: Metrics) -> None:
    """Measures, until it is cancelled, how late this process's loop comes to what is due."""
    while True:
        due = time.monotonic() + BEAT
        await asyncio.sleep(BEAT)
        metrics.loop_was_late(max(0.0, time.monotonic() - due))


async def state_of(core: Core) -> State:
    """How a core stands now, for `Metrics`."""
    from bot.costs.metrics import State

    waiting = sa.select(sa.func.count(), sa.func.min(inbox.c.received_at)).where(
        inbox.c.state.in_(("waiting", "working"))
    )
    ended_well = job_runs.c.finished_at.is_not(None) & job_runs.c.problem.is_(None)
    jobs = sa.select(job_runs.c.job, sa.func.max(job_runs.c.finished_at)).where(ended_well).group_by(job_runs.c.job)
    now = core.clock()
    async with core.engine.connect() as connection:
        count, oldest = (await connection.execute(waiting)).one()
        ended = {job: at.timestamp() for job, at in await connection.execute(jobs)}
    return State(
        budgets=await core.budgets.standing(now),
        waiting=count,
        oldest=max(0.0, (now - oldest).total_seconds()) if oldest else 0.0,
        jobs=ended,
        behind=tuple(sorted(core.knowledge.troubles)),
    )
