"""What the ledger's rows say that was spent of a budget: counted once more, from the rows alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.costs.outcomes import OPEN, UNBILLED
from bot.storage.cost_tables import ledger

_COLUMNS = {"channel": ledger.c.channel, "person": ledger.c.asker, "purpose": ledger.c.purpose}


@dataclass(frozen=True, slots=True)
class Counted:
    """US dollars spent and held for calls under way; and how many calls there are whose cost nobody knows."""

    spent: Decimal = Decimal(0)
    held: Decimal = Decimal(0)
    unknown: int = 0


async def counted(connection: AsyncConnection, scope: str, key: str, since: datetime, until: datetime) -> Counted:
    """The calls of a scope and key that were started in [since, until)."""
    within = [ledger.c.started_at >= since, ledger.c.started_at < until]
    if scope != "workspace":
        within.append(_COLUMNS[scope] == key)
    is_open = ledger.c.outcome == OPEN
    free = is_open | (ledger.c.cost.is_(None) & ledger.c.outcome.in_(UNBILLED))
    # A call whose cost nobody knows may have been billed: as far as the budget goes, it was.
    spent = sa.case((free, 0), (ledger.c.cost.is_(None), ledger.c.reserved), else_=ledger.c.cost)
    sums = sa.select(
        sa.func.coalesce(sa.func.sum(sa.type_coerce(spent, sa.BigInteger)), 0),
        sa.func.coalesce(sa.func.sum(sa.type_coerce(ledger.c.reserved, sa.BigInteger)).filter(is_open), 0),
        sa.func.count().filter(ledger.c.cost.is_(None), sa.not_(free)),
    ).where(*within)
    row = (await connection.execute(sums)).one()
    return Counted(Decimal(row[0]).scaleb(-12), Decimal(row[1]).scaleb(-12), row[2])
