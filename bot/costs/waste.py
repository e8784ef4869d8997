"""What was paid for and helped nobody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from bot.costs.days import Day
from bot.costs.money import of_picodollars

STOPPED, EMPTY = "stopped", "unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waste:
    """Numbers of calls and their US dollars, as far as these are known: second and later tries (`retries`), answers
    that were stopped before their end, answers with nothing usable in them, and calls that failed in another way."""

    retries: int = 0
    retries_cost: Decimal = Decimal(0)
    stopped: int = 0
    stopped_cost: Decimal = Decimal(0)
    nothing: int = 0
    nothing_cost: Decimal = Decimal(0)
    failed: int = 0
    failed_cost: Decimal = Decimal(0)

    @property
    def cost(self) -> Decimal:
        """What stopped, empty and failed calls cost. A second try that went well is no waste; the first one was."""
        return self.stopped_cost + self.nothing_cost + self.failed_cost


def waste(days: Iterable[Day]) -> Waste:
    """Of some days, for every purpose."""
    calls = dict.fromkeys(("retries", "stopped", "nothing", "failed"), 0)
    costs = dict(calls)
    for day in days:
        for cell in day.cells:
            calls["retries"] += cell.retried
            costs["retries"] += cell.retried_cost
            kind = {STOPPED: "stopped", EMPTY: "nothing"}.get(cell.outcome, "" if cell.good else "failed")
            if kind:
                calls[kind] += cell.calls
                costs[kind] += cell.cost
    told = {f"{kind}_cost": of_picodollars(cost) for kind, cost in costs.items()}
    return Waste(**calls, **told)  # type: ignore[arg-type]
