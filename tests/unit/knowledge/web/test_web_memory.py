from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.sources.web.memory import Memory, Visit

VISIT = Visit(
    "/a", '"1"', "Sat, 03 Jan 2026 10:00:00 GMT", "v1", "t1", "/b", ("/c", "/grün"), "trouble", False, True, 5.0
)


@pytest.fixture
def opened() -> Iterator[list[Memory]]:
    """Memories to close in the end."""
    memories: list[Memory] = []
    yield memories
    for memory in memories:
        memory.close()


def begun(opened: list[Memory], folder: Path, site: str = "https://example.org/") -> Memory:
    """The memory of a program that has just started a refresh."""
    opened.append(Memory(folder / "cache", site))
    opened[-1].begin()
    return opened[-1]


def test_a_visit_comes_back_as_it_was_put(opened: list[Memory], tmp_path: Path) -> None:
    begun(opened, tmp_path).put(VISIT)
    assert begun(opened, tmp_path).get("/a") == (VISIT, True)
    assert begun(opened, tmp_path).get("/other") == (None, False)


def test_a_run_that_was_cut_off_is_gone_on_with_and_a_whole_one_is_not(opened: list[Memory], tmp_path: Path) -> None:
    memory = begun(opened, tmp_path)
    memory.put(VISIT)
    assert begun(opened, tmp_path).get("/a") == (VISIT, True)
    memory.finish()
    assert begun(opened, tmp_path).get("/a") == (VISIT, False)


def test_a_run_that_was_cut_off_long_ago_is_begun_anew(
    opened: list[Memory], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    begun(opened, tmp_path).put(VISIT)
    monkeypatch.setattr("time.time", lambda: 1_000_000.0 + 7 * 3600)
    assert begun(opened, tmp_path).get("/a") == (VISIT, False)


def test_pages_that_a_whole_run_did_not_meet_are_forgotten(opened: list[Memory], tmp_path: Path) -> None:
    memory = begun(opened, tmp_path)
    memory.put(VISIT)
    memory.finish()
    begun(opened, tmp_path).finish()
    assert begun(opened, tmp_path).get("/a") == (None, False)


def test_another_site_remembers_nothing_of_the_first(opened: list[Memory], tmp_path: Path) -> None:
    memory = begun(opened, tmp_path)
    memory.put(VISIT)
    memory.finish()
    assert begun(opened, tmp_path, "https://example.com/").get("/a") == (None, False)
