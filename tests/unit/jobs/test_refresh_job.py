import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.jobs.refresh_job import Refreshing
from bot.jobs.told import ToldProblems
from bot.storage.engine import open_engine, upgrade
from knowledge.reports import Problem, RefreshReport, SourceReport, SourceStatus

NOW = datetime(2026, 11, 16, tzinfo=UTC)
BROKEN = Problem("broken.pdf", "This PDF cannot be read.")
GONE = Problem("", "The folder does not exist.")


class Sources:
    """One source that has the problems that a test gives it."""

    def __init__(self, *problems: Problem) -> None:
        self.name = "docs"
        self.problems = problems

    async def refresh(self, names: Sequence[str] | None = None) -> RefreshReport:
        return RefreshReport(sources=(SourceReport(source=self.name, problems=self.problems),), seconds=0.1)

    async def status(self) -> list[SourceStatus]:
        return [SourceStatus(self.name, "folder", 1, 1, NOW, 0.1, self.problems)]


class Channel:
    """Keeps what it is told, unless it is closed."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.closed = False

    async def tell(self, sentence: str) -> None:
        if self.closed:
            raise OSError
        self.told.append(sentence)


async def everything() -> frozenset[str]:
    return frozenset({"docs", "other"})


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[ToldProblems]:
    engine: AsyncEngine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}")
    await upgrade(engine, "bot.storage:migrations", "alembic_version")
    yield ToldProblems(engine)
    await engine.dispose()


async def test_a_refresh_without_problems_is_silent(told: ToldProblems) -> None:
    channel = Channel()
    await Refreshing(Sources(), told, channel.tell, everything).run(NOW)
    assert channel.told == []


async def test_a_problem_is_told_once_also_by_the_next_process(told: ToldProblems) -> None:
    sources, channel = Sources(BROKEN), Channel()
    await Refreshing(sources, told, channel.tell, everything).run(NOW)
    await Refreshing(sources, told, channel.tell, everything).run(NOW)
    assert len(channel.told) == 1
    assert "• broken.pdf in docs: This PDF cannot be read." in channel.told[0]
    sources.problems = (BROKEN, GONE)
    await Refreshing(sources, told, channel.tell, everything).run(NOW)
    assert len(channel.told) == 2
    assert "• docs: The folder does not exist." in channel.told[1]
    assert "broken.pdf" not in channel.told[1]


async def test_a_problem_that_is_worded_otherwise_each_time_is_told_once(told: ToldProblems) -> None:
    sources, channel = Sources(Problem("", "Nothing was heard for 3 s.")), Channel()
    work = Refreshing(sources, told, channel.tell, everything).run
    await work(NOW)
    sources.problems = (Problem("", "Nothing was heard for 4 s."),)
    await work(NOW)
    assert len(channel.told) == 1


async def test_what_is_mended_is_told_and_told_anew_when_it_breaks_again(told: ToldProblems) -> None:
    sources, channel = Sources(BROKEN), Channel()
    work = Refreshing(sources, told, channel.tell, everything).run
    for problems in ((BROKEN,), (), (), (BROKEN,)):
        sources.problems = problems
        await work(NOW)
    broken, mended, again = channel.told
    assert mended == "Mended: broken.pdf in docs. Nothing is wrong there any more."
    assert broken == again


async def test_a_source_that_is_away_mends_none_of_its_documents(told: ToldProblems) -> None:
    sources, channel = Sources(BROKEN), Channel()
    work = Refreshing(sources, told, channel.tell, everything).run
    for problems in ((BROKEN,), (GONE,), (BROKEN,)):
        sources.problems = problems
        await work(NOW)
    assert [sentence.partition(":")[0] for sentence in channel.told][2:] == ["Mended"]
    assert "Mended: docs." in channel.told[2]
    assert len(channel.told) == 3


async def test_the_problems_of_a_source_that_is_removed_are_forgotten_silently(told: ToldProblems) -> None:
    sources, channel = Sources(BROKEN), Channel()
    work = Refreshing(sources, told, channel.tell, everything).run
    await work(NOW)
    sources.name, sources.problems = "other", ()
    await work(NOW)
    assert len(channel.told) == 1
    assert await told.places() == set()


async def test_a_problem_that_could_not_be_told_is_told_the_next_time(told: ToldProblems) -> None:
    sources, channel = Sources(BROKEN), Channel()
    work = Refreshing(sources, told, channel.tell, everything).run
    channel.closed = True
    with pytest.raises(OSError):
        await work(NOW)
    channel.closed = False
    await work(NOW)
    assert len(channel.told) == 1


async def test_what_two_processes_find_at_once_is_told_by_one(told: ToldProblems) -> None:
    sources, channel = Sources(BROKEN), Channel()
    both = [Refreshing(sources, told, channel.tell, everything).run(NOW, ["docs"]) for _ in range(2)]
    await asyncio.gather(*both)
    assert len(channel.told) == 1


async def test_many_problems_are_counted_not_listed(told: ToldProblems) -> None:
    channel = Channel()
    sources = Sources(*(Problem(f"{number}.md", "No.") for number in range(9)))
    await Refreshing(sources, told, channel.tell, everything).run(NOW)
    assert channel.told[0].startswith("9 things could not be read")
    assert channel.told[0].count("\n") == 6
    assert "and 4 more" in channel.told[0]


async def test_the_problems_of_a_source_for_a_few_are_not_told_to_all(told: ToldProblems) -> None:
    sources, channel = Sources(BROKEN), Channel()
    sources.name = "#layoffs"
    await Refreshing(sources, told, channel.tell, everything).run(NOW)
    assert channel.told == []
