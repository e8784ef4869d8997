"""Compares the search indexes with the database, and tells where one cannot be rebuilt, and when it is mended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Protocol

from bot.jobs.schedule import Work
from bot.jobs.told import INDEXES, ToldProblems
from knowledge.reports import Problem, lacking

OFTEN = "*/10 * * * *"
_NIGHT = 4
"""The hour in which all keys are compared, and what is found."""


class Checkable(Protocol):
    """What this job needs of the knowledge base."""

    async def check(self, *, closely: bool = False) -> Mapping[str, str]:
        """Why an index cannot be used now, by its name."""
        ...

    async def failing_anywhere(self) -> Mapping[str, str]:
        """Why an index could not be rebuilt, by its name, in whichever process that is."""
        ...


def consistency_job(knowledge: Checkable, told: ToldProblems, tell: Callable[[str], Awaitable[None]] | None) -> Work:
    """Work that compares; closely once a night. `tell` gets a sentence where a rebuild failed, once for all processes,
    and one when the index is whole again in all (None: nobody is told). What differs is mended without being told."""

    async def work(fire_at: datetime) -> None:
        troubles = await knowledge.check(closely=fire_at.hour == _NIGHT and fire_at.minute < 10)
        if tell is None:
            return
        failing = await knowledge.failing_anywhere()
        problems = [(INDEXES, Problem(name, why)) for name, why in failing.items()]
        if new := {problem.path: problem.sentence for _, problem in await told.keep(problems, fire_at)}:
            await tell(" ".join(lacking(new)) + " It is tried again every few minutes; the log says more.")
        broken = failing.keys() | troubles.keys()
        whole = [place for place in await told.places() if place[0] == INDEXES and place[1] not in broken]
        if mended := await told.drop(sorted(whole)):
            await tell(f"Mended: the {' and the '.join(name for _, name in mended)}. Search is whole again.")

    return work
