"""How all houses of a process are, in one answer: numbers for whoever is on call, and no workspace by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bot.errors import Closing
from bot.health import Check, checks, look_at, state_of
from bot.storage.engine import ping
from bot.tenancy.tenancy import Tenancy

if TYPE_CHECKING:
    from bot.costs.metrics import Metrics


def tenancy_checks(tenancy: Tenancy) -> list[Check]:
    """The registry's database, without which nobody is answered, and how many houses are well."""

    async def registry() -> str:
        await ping(tenancy.engine)
        return "It answers."

    async def houses() -> str:
        there, wanted = tenancy.houses.there(), tenancy.houses.wanted()
        ill = 0
        for house in there.values():
            found = [await look_at(check) for check in checks(house.core) if check.needed]
            ill += not all(well for well, _ in found)
        told = f"{len(there)} of {wanted} workspaces are open"
        if ill or len(there) < wanted:
            raise Closing(f"{told}, and {ill} of them cannot answer. The log says which and why.")
        return f"{told}."

    async def tokens() -> str:
        kept = await tenancy.registry.installations()
        refused = [each.refused_at for each in kept if each.refused_at is not None]
        if refused:
            raise Closing(
                f"Slack refuses {len(refused)} of {len(kept)} tokens, the first since {min(refused):%Y-%m-%d %H:%M} "
                "UTC. `switchboard workspaces list` says whose and why."
            )
        return f"None of {len(kept)} is refused."

    return [
        Check("database", registry),
        Check("workspaces", houses, needed=False),
        Check("tokens", tokens, needed=False),
    ]


def tenancy_metrics(tenancy: Tenancy, process: Metrics) -> web.RouteDef:
    """GET /metrics for all: what one workspace's bot tells, with the label `workspace`; "" is the process itself."""

    from bot.costs.metrics import together

    async def read(_request: web.Request) -> web.Response:
        there = tenancy.houses.there()
        parts = {"": process.families([])}
        for workspace, metrics in tenancy.metrics.items():
            states = [await state_of(there[workspace].core)] if workspace in there else []
            parts[workspace] = metrics.families(states)
        return web.Response(body=together(parts), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return web.get("/metrics", read)
