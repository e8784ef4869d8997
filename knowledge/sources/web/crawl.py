"""One walk over a site: each address is asked for once, at the site's pace, and what came of it is told as it goes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from knowledge.errors import SourceUnavailable
from knowledge.reports import Problem
from knowledge.sources.base import Complete, Gone, Listed, Listing, Past, Reading
from knowledge.sources.http import FetchFailed, WaitAsked, shown
from knowledge.sources.web.frontier import Frontier, Step
from knowledge.sources.web.memory import Memory, Visit
from knowledge.sources.web.robots import Robots
from knowledge.sources.web.sameness import Twins
from knowledge.sources.web.scope import Scope
from knowledge.sources.web.sitemap import Sitemap
from knowledge.sources.web.spool import Spool
from knowledge.sources.web.visitor import Visitor

KEPT_WHILE_FAILING = timedelta(days=14)
_FAILURES_IN_A_ROW = 5  # pages; then the start tells whether the whole site is down
_MOST_HOPS = 10  # redirects, one after another


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a walk goes: links from the start, and pages in all."""

    depth: int = 5
    pages: int = 2_000


class Crawl:
    """A walk over the site of `scope`. What is listed may be read by `readers`."""

    def __init__(
        self,
        scope: Scope,
        visitor: Visitor,
        robots: Robots,
        sitemap: Sitemap,
        memory: Memory,
        spool: Spool,
        *,
        readers: frozenset[str],
        limits: Limits,
        past: Past,
    ) -> None:
        self._scope = scope
        self._visitor = visitor
        self._robots = robots
        self._sitemap = sitemap
        self._memory = memory
        self._spool = spool
        self._readers = readers
        self._limits = limits
        self._past = past
        self._frontier = Frontier(limits.depth, limits.pages)
        self._twins = Twins()
        self._listed: set[str] = set()
        self._stand_ins: dict[str, list[tuple[Visit, str]]] = {}
        self._redirects: dict[str, str] = {}
        self._error_pages = 0
        self._failures_in_a_row = 0
        # Whether links may have been missed, because what holds them could not be read.
        self._blind = bool(sitemap.failed)

    async def run(self) -> AsyncIterator[Listed]:
        """Everything on the site, then Complete. Raises SourceUnavailable and SiteMoved."""
        self._queue(Step(self._visitor.start, 0))
        for url in self._sitemap.urls:
            self._queue(Step(self._scope.path(url), min(1, self._limits.depth)))
        await self._visitor.probe()
        async for listed in self._walk():
            yield listed
        if self._blind:
            # A page that is known and was not met may hang on one that failed: an outage is not a deletion.
            for path in self._past.versions:
                self._queue(Step(path, self._limits.depth))
            async for listed in self._walk():
                yield listed
        for waiting in self._stand_ins.values():
            for visit, handle in waiting:
                if visit.leads_to not in self._listed:
                    for listing in self._list(visit, handle):
                        yield listing
        for problem in self._closing_problems():
            yield problem
        if not self._listed:
            raise SourceUnavailable(
                f"No page with text was found from {shown(self._scope.start)} on. Open it in a browser and name the "
                "address that its pages lie below; what is known is kept."
            )
        yield Complete()

    async def _walk(self) -> AsyncIterator[Listed]:
        while (step := self._frontier.take()) is not None:
            async for listed in self._visit(step):
                yield listed

    def _queue(self, step: Step) -> None:
        url = self._scope.address(step.path)
        if self._scope.holds(url) and self._robots.permits(url):
            self._frontier.add(step)

    # One address

    async def _visit(self, step: Step) -> AsyncIterator[Listed]:
        visit, of_this_run = self._memory.get(step.path)
        reading: Reading | None = None
        if visit is None or not of_this_run or visit.failing_since is not None:
            try:
                visit, reading = await self._visitor.visit(step.path, visit)
            except WaitAsked as error:
                raise SourceUnavailable(
                    f"{error} What is known is kept; the next refresh goes on from there."
                ) from error
            except FetchFailed as error:
                await self._fail_with_the_site(step, error)
                for listed in self._failed(step, visit, error):
                    yield listed
                return
            self._failures_in_a_row = 0
            self._memory.put(visit)
        for listed in self._settle(step, visit, reading):
            yield listed

    def _settle(self, step: Step, visit: Visit, reading: Reading | None) -> Iterator[Listed]:
        self._error_pages += visit.is_error
        for link in visit.links:
            self._queue(Step(link, step.depth + 1))
        if visit.leads_to and not visit.version:
            self._redirects[step.path] = visit.leads_to
            if step.hops >= _MOST_HOPS:
                yield Problem(step.path, _redirects_for_ever(step.path))
            else:
                self._queue(Step(visit.leads_to, step.depth, step.hops + 1))
        elif visit.leads_to and visit.listed:
            self._queue(Step(visit.leads_to, step.depth))
            self._stand_ins.setdefault(visit.leads_to, []).append((visit, self._spooled(visit, reading)))
        elif visit.listed and visit.version:
            yield from self._list(visit, self._spooled(visit, reading))
        if not visit.listed and step.path in self._past.versions:
            yield Gone(step.path)
        if visit.problem:
            yield Problem(step.path, visit.problem)

    def _list(self, visit: Visit, handle: str) -> Iterator[Listed]:
        if self._twins.owner(visit.text, visit.path) == visit.path:
            self._listed.add(visit.path)
            yield self._listing(visit.path, visit.version, handle)

    def _listing(self, path: str, version: str, handle: str = "") -> Listing:
        return Listing(path, version, self._readers, str(self._scope.address(path)), handle)

    def _spooled(self, visit: Visit, reading: Reading | None) -> str:
        new = reading is not None and self._past.versions.get(visit.path) != visit.version
        return self._spool.put(visit.path, reading) if reading is not None and new else ""

    async def _fail_with_the_site(self, step: Step, error: FetchFailed) -> None:
        """Raises SourceUnavailable where it is the site that fails, and not this page alone."""
        self._failures_in_a_row += 1
        if step.path != self._visitor.start:
            if self._failures_in_a_row < _FAILURES_IN_A_ROW:
                return
            try:
                await self._visitor.visit(self._visitor.start, self._memory.get(self._visitor.start)[0])
            except FetchFailed:
                pass
            else:
                self._failures_in_a_row = 0
                return
        sentence = f"{error} What is known of the site is kept; the next refresh goes on from there."
        raise SourceUnavailable(sentence) from error

    def _failed(self, step: Step, before: Visit | None, error: FetchFailed) -> Iterator[Listed]:
        """A page that cannot be read now: its last text is kept for a while."""
        now = time.time()
        since = (before.failing_since if before else None) or now
        visit = replace(before or Visit(step.path), failing_since=since)
        self._memory.put(visit)
        for link in visit.links:
            self._queue(Step(link, step.depth + 1))
        known = self._past.versions.get(step.path)
        kept = ""
        if known is not None:
            self._blind = self._blind or before is None
            if now - since < KEPT_WHILE_FAILING.total_seconds():
                self._listed.add(step.path)
                yield self._listing(step.path, known)
                kept = f" Its last text is kept for {KEPT_WHILE_FAILING.days} days."
        yield Problem(step.path, f"{error}{kept}")

    # The site as a whole

    def _closing_problems(self) -> Iterator[Problem]:
        for path in _in_circles(self._redirects):
            yield Problem(path, _redirects_for_ever(path))
        for path, copies in self._twins.suspicious:
            sentence = f"The text of {path} stands at {copies:,} more addresses (a page for errors, or to log in?)"
            yield Problem(path, f"{sentence}; it is kept once.")
        sentences = list(self._limits_met())
        if sentences:
            yield Problem("", " ".join(sentences))

    def _limits_met(self) -> Iterator[str]:
        for sentence in self._sitemap.failed:
            yield f"{sentence} Pages that only it names may be missing."
        if self._frontier.left:
            seen = f"{self._frontier.left:,} more addresses were seen"
            yield f"The limit of {self._limits.pages:,} pages was reached, and {seen}; raise `pages` to have them."
        if self._frontier.deeper:
            deep = f"{self._frontier.deeper:,} addresses lie more than {self._limits.depth} links from the start"
            yield f"{deep} and were not read; raise `depth` to have them."
        if self._error_pages:
            shown = "the text that the site shows for pages that do not exist"
            yield f"{self._error_pages:,} addresses answer with {shown}; they were left out."


def _redirects_for_ever(path: str) -> str:
    return f"{path} redirects for ever and never comes to a page. Its owner has to mend it."


def _in_circles(redirects: dict[str, str]) -> Iterator[str]:
    """The first path of each circle of redirects."""
    done: set[str] = set()
    for start in redirects:
        way: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in done and at not in way:
            way[at] = None
            at = redirects.get(at)
        if at in way:
            yield str(at)
        done |= way.keys()
