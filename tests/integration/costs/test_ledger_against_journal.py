"""The short form of the proof; `make prove-ledger` makes 10,000 calls."""

import pytest
from prove_ledger import prove
from sqlalchemy.ext.asyncio import AsyncEngine

pytestmark = pytest.mark.proof


async def test_the_ledger_is_the_model_servers_own_journal_to_the_last_picodollar_also_when_callers_are_killed(
    engine: AsyncEngine,
) -> None:
    found = await prove(engine, engine.url.render_as_string(hide_password=False), calls=200, kills=1)
    assert (found.missing, found.doubled, found.wrong) == ([], [], [])
    assert found.compared > 120
    assert {"answered", "stopped", "unavailable", "rate_limited", "lost"} <= found.outcomes.keys()
