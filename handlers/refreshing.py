"""Refreshes knowledge for somebody who waits for it, and says how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from bot.audit import Action, Change, noted
from bot.core import Core
from bot.costs.money import at_least
from handlers.markdown import escape
from handlers.private_line import PrivateLine
from knowledge.reports import RefreshProgress, RefreshReport

PAUSES = (20.0, 60.0, 180.0)
"""Seconds after which a person hears how far a long refresh is."""


async def refreshed(core: Core, line: PrivateLine, names: Sequence[str] | None) -> RefreshReport:
    """Takes in what changed in the sources named (None: all), and holds examples against it. Raises what the refresh
    raises."""
    latest: RefreshProgress | None = None

    def keep(progress: RefreshProgress) -> None:
        nonlocal latest
        latest = progress

    if core.knowledge.is_refreshing:
        await line.say("Another refresh is under way; this one comes right after it.")
    task = asyncio.create_task(core.knowledge.refresh(names, progress=keep))
    try:
        for pause in PAUSES:
            done, _ = await asyncio.wait({task}, timeout=pause)
            if done:
                break
            if latest is not None:
                await line.say(f"{escape(latest.source)}: {latest.done:,} of {latest.total:,} changed documents read.")
        report = await task
        await core.checking_examples.run()
        return report
    finally:
        task.cancel()


async def note_refresh(core: Core, names: Sequence[str] | None, person: str) -> None:
    """Writes down that somebody had sources (None: all) looked through."""
    subject = "all sources" if names is None else f"source {', '.join(names)}"
    await noted(core.engine, Change(action=Action.SOURCE_REFRESHED, subject=subject), by=person, at=core.clock())


async def embedding_cost(core: Core) -> str:
    """What making knowledge searchable cost in the last 30 days, in a sentence."""
    now = core.clock()
    (total,) = await core.ledger.total(now - timedelta(days=30), now, purpose="embedding")
    if not total.calls:
        return "Embedding costs nothing: it runs on this machine."
    price = at_least(total.cost, total.unknown)
    return f"In the last 30 days embedding cost {price}, for {total.prompt_tokens:,} tokens."
