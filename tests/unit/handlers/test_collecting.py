from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from bot.domain import AnswerEvent, TextDelta
from handlers.collecting import Collector


async def test_whoever_is_stopped_while_waiting_for_words_leaves_nothing_waiting_behind() -> None:
    async def silent() -> AsyncGenerator[AnswerEvent, None]:
        await asyncio.Event().wait()
        yield TextDelta("never")

    before = asyncio.all_tasks()
    collector = Collector(silent(), "q1")
    waiting = asyncio.create_task(collector.wait_for_words(60))
    for _ in range(3):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    await collector.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
