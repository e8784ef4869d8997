"""What PostgreSQL tells of a channel, for as long as somebody listens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import psycopg
import structlog

_RECONNECT = 5.0
_log = structlog.get_logger(__name__)


async def listen(
    arguments: Mapping[str, Any], channel: str, told: asyncio.Event, *, payload: str | None = None
) -> None:
    """Sets `told` whenever something is told in `channel` (with `payload`: only that), until it is cancelled.

    `arguments` are psycopg's. A connection that is lost is opened again, and `told` is set then too, since something
    may have been missed.
    """
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(**arguments, autocommit=True) as connection:
                await connection.execute(f"LISTEN {channel}")
                told.set()  # something may have been told before
                async for each in connection.notifies():
                    if payload is None or each.payload == payload:
                        told.set()
        except (psycopg.Error, OSError) as error:
            _log.info("knowledge.not_told", problem=str(error).strip(), next="it looks instead")
        await asyncio.sleep(_RECONNECT)
