"""What `switchboard coverage` prints: the topics of the week on which questions found no answer."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from bot.config import Settings
from bot.core import open_core


async def show(settings: Settings, out: Console) -> None:
    """Prints every topic with its count, how it was the week before, an example and whom to ask."""
    async with open_core(settings) as core:
        topics = await core.coverage.topics(core.clock(), everything=True)
        if not topics:
            out.print("Every question of the last seven days found an answer that nobody disliked.")
            return
        total = sum(topic.count for topic in topics)
        out.print(f"{total:,} questions of the last seven days found no good answer, on {len(topics)} topics:\n")
        for topic in topics:
            owner = f", ask {topic.owner}" if topic.owner else ""
            out.print(f"[bold]{escape(topic.name)}[/]  {topic.count} (the week before: {topic.before}){owner}")
            out.print(f"    “{escape(topic.example)}”")
