"""Looks through the sources of knowledge for changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

import structlog

from bot.jobs.schedule import Work
from knowledge.reports import Problem, RefreshReport

TOLD = 5
"""How many problems a message names; the others are counted."""

log = structlog.get_logger("bot.jobs")


class Refreshable(Protocol):
    """What this job needs of the knowledge base."""

    async def refresh(self) -> RefreshReport:
        """Takes in what changed."""
        ...


def refresh_job(knowledge: Refreshable, tell: Callable[[str], Awaitable[None]]) -> Work:
    """Work that refreshes. `tell` gets a sentence about each problem when it first comes, and not at every refresh."""
    told: set[tuple[str, Problem]] = set()

    async def work(_fire_at: datetime) -> None:
        report = await knowledge.refresh()
        _log(report)
        current = set(report.problems)
        if new := [problem for problem in report.problems if problem not in told]:
            await tell(_sentence(new))
        told.clear()
        told.update(current)

    return work


def _log(report: RefreshReport) -> None:
    log.info(
        "knowledge_refreshed",
        added=sum(source.added for source in report.sources),
        changed=sum(source.changed for source in report.sources),
        removed=sum(source.removed for source in report.sources),
        problems=len(report.problems),
        seconds=round(report.seconds, 2),
    )


def _sentence(problems: list[tuple[str, Problem]]) -> str:
    many = len(problems) > 1
    lines = [f"{len(problems)} things could" if many else "One thing could"]
    lines[0] += " not be read when the knowledge was refreshed. Everything else is up to date."
    lines.extend(f"• {_place(source, problem)}: {problem.sentence}" for source, problem in problems[:TOLD])
    if len(problems) > TOLD:
        lines.append(f"• and {len(problems) - TOLD} more, which /knowledge names")
    return "\n".join(lines)


def _place(source: str, problem: Problem) -> str:
    return f"{problem.path} in {source}" if problem.path else source
