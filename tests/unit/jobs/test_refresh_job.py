from datetime import UTC, datetime

import pytest

from bot.jobs.refresh_job import refresh_job
from knowledge.reports import Problem, RefreshReport, SourceReport

NOW = datetime(2026, 11, 16, tzinfo=UTC)
BROKEN = Problem("broken.pdf", "This PDF cannot be read.")
GONE = Problem("", "The folder does not exist.")


class Sources:
    """Sources that have the problems that a test gives them."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems

    async def refresh(self) -> RefreshReport:
        return RefreshReport(sources=(SourceReport(source="docs", problems=self.problems),), seconds=0.1)


class Channel:
    """Keeps what it is told, unless it is closed."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.closed = False

    async def tell(self, sentence: str) -> None:
        if self.closed:
            raise OSError
        self.told.append(sentence)


async def test_a_refresh_without_problems_is_silent() -> None:
    channel = Channel()
    await refresh_job(Sources(), channel.tell)(NOW)
    assert channel.told == []


async def test_a_problem_is_told_when_it_comes_and_not_again() -> None:
    sources, channel = Sources(BROKEN), Channel()
    work = refresh_job(sources, channel.tell)
    await work(NOW)
    await work(NOW)
    assert len(channel.told) == 1
    assert "• broken.pdf in docs: This PDF cannot be read." in channel.told[0]
    sources.problems = (BROKEN, GONE)
    await work(NOW)
    assert len(channel.told) == 2
    assert "• docs: The folder does not exist." in channel.told[1]
    assert "broken.pdf" not in channel.told[1]


async def test_a_problem_that_was_mended_and_comes_back_is_told_again() -> None:
    sources, channel = Sources(BROKEN), Channel()
    work = refresh_job(sources, channel.tell)
    for problems in ((BROKEN,), (), (BROKEN,)):
        sources.problems = problems
        await work(NOW)
    assert len(channel.told) == 2


async def test_a_problem_that_could_not_be_told_is_told_the_next_time() -> None:
    sources, channel = Sources(BROKEN), Channel()
    work = refresh_job(sources, channel.tell)
    channel.closed = True
    with pytest.raises(OSError):
        await work(NOW)
    channel.closed = False
    await work(NOW)
    assert len(channel.told) == 1


async def test_many_problems_are_counted_not_listed() -> None:
    channel = Channel()
    await refresh_job(Sources(*(Problem(f"{number}.md", "No.") for number in range(9))), channel.tell)(NOW)
    assert channel.told[0].startswith("9 things could not be read")
    assert channel.told[0].count("\n") == 6
    assert "and 4 more" in channel.told[0]
