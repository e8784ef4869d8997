"""What `switchboard coverage` prints: the topics of the week on which questions found no answer."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from bot.config import Settings
from bot.core import open_core
from bot.people.coverage_words import COVERED, DAYS, lines


async def show(settings: Settings, out: Console) -> None:
    """Prints every topic with its count, how it was the week before, an example and whom to ask."""
    async with open_core(settings) as core:
        topics = await core.coverage.topics(core.clock(), None)
        for line in lines(topics, DAYS, most=len(topics), more="") or [COVERED]:
            out.print(escape(line))
