"""Looks through the sources of knowledge for changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
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
        current = set(report.problems)
        new = [problem for problem in report.problems if problem not in told]
        log_refresh(report, new)
        if new:
            await tell(_sentence(new))
        told.clear()
        told.update(current)

    return work


def log_refresh(report: RefreshReport, problems: Sequence[tuple[str, Problem]]) -> None:
    """One line about a refresh, and one for each of these problems."""
    for source, problem in problems:
        log.warning("document_not_read", source=source, path=problem.path, problem=problem.sentence)
    log.info(
        "knowledge_refreshed",
        documents=sum(source.seen for source in report.sources),
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
