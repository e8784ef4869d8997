from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.errors import DocumentUnreachable, DocumentUnreadable, InvalidScope, SourceUnavailable
from knowledge.reports import Problem
from knowledge.sources.base import Listing, Past
from knowledge.sources.folder import FolderSource


async def listed(source: FolderSource) -> tuple[dict[str, Listing], list[Problem]]:
    found = [one async for one in source.listings(Past(None, {}))]
    return {one.path: one for one in found if isinstance(one, Listing)}, [o for o in found if isinstance(o, Problem)]


def write(path: Path, text: str = "some words") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


async def test_files_that_a_parser_reads_are_listed_and_hidden_ones_are_not(tmp_path: Path) -> None:
    for name in ("a.md", "deep/er/b.TXT", "picture.png", ".git/c.md", ".hidden.md", "node/.cache/d.md"):
        write(tmp_path / name)
    listings, problems = await listed(FolderSource("docs", tmp_path))
    assert sorted(listings) == ["a.md", "deep/er/b.TXT"]
    assert problems == []


async def test_a_document_carries_readers_title_link_and_age(tmp_path: Path) -> None:
    path = write(tmp_path / "on call" / "who-is-it.txt")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    source = FolderSource("docs", tmp_path, frozenset({"channel:C1"}), "https://docs.example.org/base/")
    listings, _ = await listed(source)
    (listing,) = listings.values()
    reading = await source.read(listing)
    assert listing.readers == {"channel:C1"}
    assert listing.url == "https://docs.example.org/base/on%20call/who-is-it.txt"
    assert reading.title == "who is it"
    assert reading.updated is not None
    assert reading.updated.timestamp() == 1_700_000_000


async def test_the_version_changes_with_the_file_and_stays_with_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md", "one")
    source = FolderSource("docs", tmp_path)
    first = (await listed(source))[0]["a.md"].version
    assert (await listed(source))[0]["a.md"].version == first
    status = path.stat()
    path.write_text("two", "utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (await listed(source))[0]["a.md"].version != first


async def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"“docs” does not exist\. Create it, mount it"):
        await listed(FolderSource("docs", tmp_path / "nowhere"))


async def test_a_file_in_the_folders_place_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="is a file"):
        await listed(FolderSource("docs", write(tmp_path / "a.md")))


async def test_links_in_a_loop_end(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.md")
    (tmp_path / "in" / "back").symlink_to(tmp_path)
    (tmp_path / "itself.md").symlink_to(tmp_path / "itself.md")
    listings, problems = await listed(FolderSource("docs", tmp_path))
    assert list(listings) == ["in/a.md"]
    assert [(problem.path, "itself.md cannot be read" in problem.sentence) for problem in problems] == [
        ("itself.md", True)
    ]


async def test_a_link_to_another_place_in_the_folder_is_followed_once(tmp_path: Path) -> None:
    write(tmp_path / "real" / "a.md")
    (tmp_path / "again").symlink_to(tmp_path / "real")
    listings, problems = await listed(FolderSource("docs", tmp_path))
    assert len(listings) == 1
    assert problems == []


async def test_a_link_out_of_the_folder_is_named_and_not_followed(tmp_path: Path) -> None:
    secret = write(tmp_path / "private" / "salaries.md")
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "file.md").symlink_to(secret)
    (shared / "folder").symlink_to(secret.parent)
    listings, problems = await listed(FolderSource("docs", shared))
    assert listings == {}
    assert [problem.path for problem in problems] == ["file.md", "folder"]
    assert "leads out of the folder" in problems[0].sentence


async def test_a_file_above_the_limit_is_named_with_its_size_and_not_read(tmp_path: Path) -> None:
    with (tmp_path / "big.txt").open("wb") as file:
        file.truncate(200_000_000)
    source = FolderSource("docs", tmp_path)
    listings, _ = await listed(source)
    with pytest.raises(DocumentUnreadable, match=r"big\.txt has 200 MB; files above 50 MB are not read"):
        await source.read(listings["big.txt"])


async def test_a_file_that_vanishes_between_listing_and_reading_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md")
    source = FolderSource("docs", tmp_path)
    listings, _ = await listed(source)
    path.unlink()
    with pytest.raises(DocumentUnreachable, match=r"a\.md cannot be read \(No such file"):
        await source.read(listings["a.md"])


async def test_a_pipe_that_took_a_files_place_does_not_hold_the_refresh(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md")
    source = FolderSource("docs", tmp_path)
    listings, _ = await listed(source)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DocumentUnreachable, match="not a file any more"):
        await source.read(listings["a.md"])
    assert await listed(source) == ({}, [])


async def test_names_that_are_no_text_or_break_terminals_are_written_out_and_still_read(tmp_path: Path) -> None:
    for name in (b"caf\xe9.md", b"red\x1b[31m.md", "grün.md".encode()):
        write(tmp_path / os.fsdecode(name), "words")
    source = FolderSource("docs", tmp_path, link_base="https://example.org")
    listings, _ = await listed(source)
    assert sorted(listings) == ["caf\\xe9.md", "grün.md", "red\\x1b[31m.md"]
    for listing in listings.values():
        assert (await source.read(listing)).content.blocks[0].text == "words"
    assert listings["caf\\xe9.md"].url == "https://example.org/caf%E9.md"


def test_readers_that_are_no_scopes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidScope):
        FolderSource("docs", tmp_path, frozenset({"#general"}))


@pytest.fixture
def ordinary_person() -> Iterator[Path]:
    """A folder that everyone may enter, while this process has no more rights than anyone."""
    folder = Path(tempfile.mkdtemp(prefix="folder-source-"))
    folder.chmod(0o755)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        for path in folder.rglob("*"):
            path.chmod(0o755)
        shutil.rmtree(folder)


def make_closed(folder: Path) -> None:
    """Built with the rights that the test began with, where it has any more."""
    effective = os.geteuid()
    if os.getuid() == 0:
        os.seteuid(0)
    write(folder / "open.md")
    write(folder / "closed.md").chmod(0)
    write(folder / "inner" / "a.md")
    (folder / "inner").chmod(0)
    os.seteuid(effective)


async def test_what_may_not_be_read_is_named_and_the_rest_goes_on(ordinary_person: Path) -> None:
    make_closed(ordinary_person)
    source = FolderSource("docs", ordinary_person)
    listings, problems = await listed(source)
    assert sorted(listings) == ["closed.md", "open.md"]
    assert problems == [Problem("inner", "inner cannot be read (Permission denied).")]
    with pytest.raises(DocumentUnreachable, match=r"closed\.md cannot be read \(Permission denied\)"):
        await source.read(listings["closed.md"])
    assert (await source.read(listings["open.md"])).title == "open"


async def test_a_folder_that_may_not_be_read_says_what_to_do(ordinary_person: Path) -> None:
    make_closed(ordinary_person)
    with pytest.raises(SourceUnavailable, match=r"cannot be read \(Permission denied\)\. Let the user"):
        await listed(FolderSource("docs", ordinary_person / "inner"))
