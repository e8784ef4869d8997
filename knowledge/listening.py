"""Changes that other processes made: told by PostgreSQL, and found by looking where nothing is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

import psycopg
import structlog

LOOK = 1.0
"""Seconds between two looks where nothing is told."""
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


async def look_and_listen(
    look: Callable[[], Awaitable[None]],
    told: asyncio.Event,
    listening: Coroutine[Any, Any, None] | None,
    away: tuple[type[Exception], ...],
    say: Callable[[Exception], None],
) -> None:
    """Looks once a second, and at once when it is `told`, until it is cancelled; `listening` goes on beside.

    A database that is away, which `look` raises as one of `away`, is asked again; `say` is called the first time.
    """
    beside = [asyncio.create_task(listening)] if listening is not None else []
    is_away = False
    try:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await told.wait()
            told.clear()
            try:
                await look()
                is_away = False
            except away as error:
                if not is_away:
                    say(error)
                is_away = True
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
