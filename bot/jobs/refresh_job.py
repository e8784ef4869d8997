"""Looks through the sources of knowledge for changes, and tells of problems when they come and when they are mended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from bot.jobs.schedule import Work
from bot.jobs.told import Place, ToldProblems
from knowledge.reports import Problem, RefreshReport, SourceStatus

TOLD = 5
"""How many problems a message names; the others are counted."""

log = structlog.get_logger("bot.jobs")


class Refreshable(Protocol):
    """What this job needs of the knowledge base."""

    async def refresh(self) -> RefreshReport:
        """Takes in what changed."""
        ...

    async def status(self) -> list[SourceStatus]:
        """How each source stands."""
        ...


def refresh_job(
    knowledge: Refreshable,
    told: ToldProblems,
    tell: Callable[[str], Awaitable[None]] | None,
    tellable: Callable[[], Awaitable[Collection[str]]],
) -> Work:
    """Work that refreshes. `tell` gets a sentence about each problem once, and one when it is mended (None: nobody is
    told). `tellable` gives the names of the sources that everybody may hear of."""

    async def work(fire_at: datetime) -> None:
        report = await knowledge.refresh()
        if tell is None:
            log_refresh(report, report.problems)
            return
        # What a source that lists only its changes could not read stays in its status, not in the report.
        public = await tellable()
        statuses = [status for status in await knowledge.status() if status.name in public]
        known = await told.places()
        current = {(status.name, problem.path): problem for status in statuses for problem in status.problems}
        new = [(source, problem) for (source, path), problem in current.items() if (source, path) not in known]
        log_refresh(report, new)
        if new:
            await tell(_sentence(new))
            await told.keep(new, fire_at)
        names = {status.name for status in statuses}
        away = {source for source, path in current if not path}
        # Of a source that is away as a whole nothing can be said about its documents.
        mended = sorted(place for place in known - current.keys() if place[0] in names and place[0] not in away)
        if mended:
            await tell(_relief(mended))
        await told.drop([*mended, *(place for place in known if place[0] not in names)])

    return work


def log_refresh(report: RefreshReport, problems: Sequence[tuple[str, Problem]]) -> None:
    """One line about a refresh, and one for each of these problems."""
    for source, problem in problems:
        log.warning("document_not_read", source=source, path=problem.path, reason=problem.sentence)
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
    lines.extend(f"• {_named((source, problem.path))}: {problem.sentence}" for source, problem in problems[:TOLD])
    if len(problems) > TOLD:
        lines.append(f"• and {len(problems) - TOLD} more, which /knowledge names")
    return "\n".join(lines)


def _relief(places: list[Place]) -> str:
    named = ", ".join(_named(place) for place in places[:TOLD])
    more = f" and {len(places) - TOLD} more" if len(places) > TOLD else ""
    return f"Mended: {named}{more}. Nothing is wrong there any more."


def _named(place: Place) -> str:
    source, path = place
    return f"{path} in {source}" if path else source
