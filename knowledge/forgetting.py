"""Forgets single documents: out of the store, and out of it for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.change_log import ChangeLog
from knowledge.database import Database
from knowledge.store import Store


async def forget_documents(engine: AsyncEngine, documents: Sequence[str], at: datetime, *, for_good: bool) -> None:
    """Removes documents, by their ids, with their chunks, problems and vectors that nobody else has.

    With `for_good` they stay out when their source lists them again. The indexes of a process follow; no search finds
    them from here on, since the store has the last word. Raises StorageFull and StoreUnavailable.
    """
    database = Database(engine)
    store = Store(database, ChangeLog(database))
    if for_good:
        await store.keep_out(documents, at)
    await store.note_gone(documents)
    await store.remove(None, {one: one for one in documents})
    await store.prune()
