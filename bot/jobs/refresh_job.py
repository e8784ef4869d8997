"""Looks through the sources of knowledge for changes, and tells of problems when they come and when they are mended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from bot.jobs.told import INDEXES, Place, ToldProblems
from knowledge.reports import Problem, RefreshReport, SourceStatus

TOLD = 5
"""How many problems a message names; the others are counted."""

Tell = Callable[[str], Awaitable[None]]
"""Brings a sentence to the people who look after the bot."""

log = structlog.get_logger("bot.jobs")


class Refreshable(Protocol):
    """What this job needs of the knowledge base."""

    async def refresh(self, names: Sequence[str] | None = None) -> RefreshReport:
        """Takes in what changed in these sources, in all where none are named."""
        ...

    async def status(self) -> list[SourceStatus]:
        """How each source stands."""
        ...


class Refreshing:
    """Refreshes, and tells. `tell` gets a sentence about each problem once, whichever process finds it, and one when it
    is mended (None: nobody is told). `tellable` gives the names of the sources that everybody may hear of."""

    def __init__(
        self,
        knowledge: Refreshable,
        told: ToldProblems,
        tell: Tell | None,
        tellable: Callable[[], Awaitable[Collection[str]]],
    ) -> None:
        self._knowledge = knowledge
        self._told = told
        self._tell = tell
        self._tellable = tellable

    async def run(self, fire_at: datetime, names: Sequence[str] | None = None) -> None:
        """Refreshes the sources named (None: all). Raises what telling raises; it is told the next time then."""
        report = await self._knowledge.refresh(names)
        if self._tell is None:
            log_refresh(report, report.problems)
            return
        # What a source that lists only its changes could not read stays in its status, not in the report.
        public = await self._tellable()
        statuses = [status for status in await self._knowledge.status() if status.name in public]
        known = {place for place in await self._told.places() if place[0] != INDEXES}
        current = {(status.name, problem.path): problem for status in statuses for problem in status.problems}
        new = [(source, problem) for (source, path), problem in current.items() if (source, path) not in known]
        log_refresh(report, new)
        await self._tell_new(self._tell, await self._told.keep(new, fire_at))
        names_there = {status.name for status in statuses}
        away = {source for source, path in current if not path}
        # Of a source that is away as a whole nothing can be said about its documents.
        mended = sorted(place for place in known - current.keys() if place[0] in names_there and place[0] not in away)
        if mended := await self._told.drop(mended):
            await self._tell(_relief(mended))
        await self._told.drop([place for place in known if place[0] not in names_there])

    async def _tell_new(self, tell: Tell, new: list[tuple[str, Problem]]) -> None:
        if not new:
            return
        try:
            await tell(_sentence(new))
        except BaseException:
            await self._told.drop([(source, problem.path) for source, problem in new])
            raise


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
