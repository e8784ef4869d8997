"""A git repository as a source, over file:// and paths."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from git_server import Repository
from service_server import look, said

from knowledge.errors import DocumentUnreachable, DocumentUnreadable, SourceUnavailable
from knowledge.sources.base import Past
from knowledge.sources.git.source import GitSource

Open = Callable[..., GitSource]


async def test_every_file_that_a_parser_reads_is_listed_with_age_and_author(
    repository: Repository, opened: Open
) -> None:
    repository.commit({"docs/deploy.md": "# Deploys\n\nOn Mondays."}, author="Noor", day="2026-04-02")
    repository.commit({"logo.png": b"\x89PNG", ".github/notes.md": "# Hidden"}, author="Kim", day="2026-05-01")
    source = opened(repository.path)
    run = await look(source)
    assert sorted(run.listings) == ["README.md", "docs/deploy.md"]
    assert run.is_complete
    reading = await source.read(run.listings["docs/deploy.md"])
    assert said(reading) == "Deploys\nOn Mondays."
    assert (reading.title, reading.author) == ("Deploys", "Noor")
    assert reading.updated == datetime(2026, 4, 2, 12, tzinfo=UTC)
    assert (await source.read(run.listings["README.md"])).author == "Maya"


async def test_a_refresh_tells_only_what_the_new_commits_changed(repository: Repository, opened: Open) -> None:
    source = opened(f"file://{repository.path}")
    first = await look(source)
    repository.commit({"docs/deploy.md": "# Deploys\n\nOn Mondays."}, author="Noor")
    repository.commit({"README.md": None, "new.md": "# New"}, author="Kim")
    second = await look(source, first.past())
    assert sorted(second.listings) == ["docs/deploy.md", "new.md"]
    assert second.gone == ["README.md"]
    assert not second.is_complete
    assert (await source.read(second.listings["docs/deploy.md"])).author == "Noor"
    assert (await source.read(second.listings["new.md"])).author == "Kim"


async def test_without_a_new_commit_nothing_is_told_and_no_copy_is_needed(
    repository: Repository, opened: Open, cache: Path
) -> None:
    first = await look(opened(repository.path))
    shutil.rmtree(cache)
    second = await look(opened(repository.path), first.past())
    assert (second.listings, second.gone, second.state, second.is_complete) == ({}, [], None, False)
    assert not cache.exists()


async def test_a_new_copy_goes_on_from_the_commit_that_was_read(
    repository: Repository, opened: Open, cache: Path
) -> None:
    first = await look(opened(repository.path))
    shutil.rmtree(cache)
    repository.commit({"new.md": "# New"})
    second = await look(opened(repository.path), first.past())
    assert list(second.listings) == ["new.md"]
    assert not second.is_complete


async def test_a_renamed_file_is_gone_and_there_anew_with_the_same_content(
    repository: Repository, opened: Open
) -> None:
    source = opened(repository.path)
    first = await look(source)
    repository.git("mv", "docs/deploy.md", "docs/releases.md")
    repository.commit_all()
    second = await look(source, first.past())
    assert second.gone == ["docs/deploy.md"]
    assert second.listings["docs/releases.md"].version == first.listings["docs/deploy.md"].version


async def test_a_rewritten_history_shows_what_differs(repository: Repository, opened: Open) -> None:
    source = opened(repository.path)
    base = repository.git("rev-parse", "HEAD")
    repository.commit({"wrong.md": "# Wrong"})
    first = await look(source)
    repository.git("reset", "--quiet", "--hard", base)
    repository.commit({"right.md": "# Right"})
    second = await look(source, first.past())
    assert (list(second.listings), second.gone) == (["right.md"], ["wrong.md"])


async def test_a_commit_that_nobody_has_any_more_makes_the_list_whole(
    repository: Repository, opened: Open, cache: Path
) -> None:
    base = repository.git("rev-parse", "HEAD")
    repository.commit({"wrong.md": "# Wrong"})
    first = await look(opened(repository.path))
    repository.git("reset", "--quiet", "--hard", base)
    repository.commit({"right.md": "# Right"})
    shutil.rmtree(cache)
    second = await look(opened(repository.path), first.past())
    assert sorted(second.listings) == ["README.md", "docs/deploy.md", "right.md"]
    assert second.is_complete


@pytest.mark.parametrize("change", [{"folder": "docs"}, {"link_base": "https://x.example.org"}, {"branch": "old"}])
async def test_another_option_makes_the_list_whole(
    repository: Repository, opened: Open, change: dict[str, str]
) -> None:
    repository.git("branch", "old")
    first = await look(opened(repository.path))
    assert (await look(opened(repository.path, **change), first.past())).is_complete


async def test_other_readers_make_the_list_whole_and_nothing_is_read_again(
    repository: Repository, opened: Open
) -> None:
    first = await look(opened(repository.path))
    second = await look(opened(repository.path, readers=frozenset({"channel:C1"})), first.past())
    assert second.is_complete
    for path, listing in second.listings.items():
        assert listing.readers == {"channel:C1"}
        assert listing.version == first.listings[path].version


async def test_a_branch_a_tag_and_a_folder_can_be_chosen(repository: Repository, opened: Open) -> None:
    repository.git("-c", "user.name=A", "-c", "user.email=a@b", "tag", "-m", "One", "v1")
    repository.git("checkout", "--quiet", "-b", "feature/two")
    repository.commit({"docs/two.md": "# Two"})
    repository.git("checkout", "--quiet", "main")
    assert "docs/two.md" not in (await look(opened(repository.path))).listings
    assert "docs/two.md" in (await look(opened(repository.path, branch="feature/two"))).listings
    assert sorted((await look(opened(repository.path, branch="v1"))).listings) == ["README.md", "docs/deploy.md"]
    assert list((await look(opened(repository.path, folder="docs/"))).listings) == ["docs/deploy.md"]


async def test_a_detached_head_is_read(repository: Repository, opened: Open) -> None:
    repository.git("checkout", "--quiet", "--detach")
    assert len((await look(opened(repository.path))).listings) == 2


async def test_links_and_submodules_are_passed_over_and_a_file_that_becomes_a_link_is_gone(
    repository: Repository, opened: Open
) -> None:
    source = opened(repository.path)
    first = await look(source)
    (repository.path / "secret.md").symlink_to("/etc/hostname")
    (repository.path / "README.md").unlink()
    (repository.path / "README.md").symlink_to("docs/deploy.md")
    module = Repository(repository.path / "module.md")
    module.path.mkdir()
    module.git("init", "--quiet")
    module.commit({"inside.md": "# Inside"})
    repository.commit_all()
    assert repository.git("ls-tree", "HEAD", "module.md").startswith("160000 commit")
    second = await look(source, first.past())
    assert (second.listings, sorted(second.gone)) == ({}, ["README.md", "module.md", "secret.md"])
    whole = await look(source)
    assert list(whole.listings) == ["docs/deploy.md"]


async def test_a_name_that_is_no_text_is_written_out_and_read(repository: Repository, opened: Open) -> None:
    name = os.fsdecode(b"caf\xe9 \x1b[31m.md")
    repository.commit({name: "# Menu", "ordnung/größe.md": "# Size"})
    source = opened(repository.path, link_base="https://x.example.org")
    run = await look(source)
    listing = run.listings[r"caf\xe9 \x1b[31m.md"]
    assert listing.url == "https://x.example.org/caf%E9%20%1B%5B31m.md"
    assert (await source.read(listing)).title == "Menu"
    assert "ordnung/größe.md" in run.listings
    assert await source.find(listing.path) == listing


async def test_files_of_git_lfs_and_files_that_are_too_large_say_why_they_are_not_read(
    repository: Repository, cache: Path, opened: Open
) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    repository.commit({"big.csv": pointer, "huge.txt": "words " * 1000})
    source = opened(repository.path)
    source._most_bytes = 5000
    run = await look(source)
    with pytest.raises(DocumentUnreadable, match=r"big\.csv is kept in Git LFS"):
        await source.read(run.listings["big.csv"])
    with pytest.raises(DocumentUnreadable, match=r"huge\.txt has 0 MB; files above 0 MB are not read"):
        await source.read(run.listings["huge.txt"])
    assert (await source.read(run.listings["README.md"])).title == "App"


async def test_many_files_can_be_read_at_once(repository: Repository, opened: Open) -> None:
    repository.commit({f"page{n}.md": f"# Page {n}" for n in range(50)})
    source = opened(repository.path)
    run = await look(source)
    readings = await asyncio.gather(*(source.read(run.listings[f"page{n}.md"]) for n in range(50)))
    assert [reading.title for reading in readings] == [f"Page {n}" for n in range(50)]


async def test_a_read_that_is_given_up_does_not_mix_up_the_next(repository: Repository, opened: Open) -> None:
    repository.commit({"long.txt": "long " * 500_000})
    source = opened(repository.path)
    run = await look(source)
    await source.read(run.listings["README.md"])  # git runs
    task = asyncio.create_task(source.read(run.listings["long.txt"]))
    await asyncio.sleep(0)  # it has been asked for the long file
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (await source.read(run.listings["README.md"])).title == "App"


async def test_a_damaged_copy_is_made_anew(repository: Repository, opened: Open, cache: Path) -> None:
    source = opened(repository.path)
    first = await look(source)
    for pack in cache.rglob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(b"PACK rotten")
    with pytest.raises(DocumentUnreachable, match="made anew at the next refresh"):
        await source.read(first.listings["README.md"])
    found = await source.find("README.md")
    assert found is not None
    assert (await source.read(found)).title == "App"


@pytest.mark.parametrize("what", ["*.git/HEAD", "*.git/objects/pack/*.pack", "*.git/refs/followed/tip"])
async def test_a_copy_that_was_damaged_meanwhile_does_not_stop_a_refresh(
    repository: Repository, opened: Open, cache: Path, what: str
) -> None:
    first = await look(opened(repository.path))
    for file in cache.glob(what):
        file.chmod(0o600)
        file.write_bytes(b"rotten")
    repository.commit({"new.md": "# New"})
    second = await look(opened(repository.path), first.past())
    assert list(second.listings) == ["new.md"]


async def test_a_file_that_went_since_it_was_listed_is_not_found(repository: Repository, opened: Open) -> None:
    source = opened(repository.path)
    repository.commit({"README.md": None})
    assert await source.find("README.md") is None
    assert await source.find("docs/deploy.md") is not None


async def test_two_looks_at_once_see_the_same(repository: Repository, opened: Open) -> None:
    source = opened(repository.path)
    one, other = await asyncio.gather(look(source), look(source))
    assert one.listings == other.listings
    assert len(one.listings) == 2


async def test_the_repository_itself_is_left_as_it_is(repository: Repository, opened: Open) -> None:
    before = sorted(str(path) for path in repository.path.rglob("*"))
    await look(opened(repository.path))
    assert sorted(str(path) for path in repository.path.rglob("*")) == before


async def test_a_repository_that_is_not_there_says_what_to_do(tmp_path: Path, opened: Open) -> None:
    with pytest.raises(SourceUnavailable, match=r"nowhere of the source “code” is not there.*Check the address"):
        await look(opened(tmp_path / "nowhere"))


async def test_a_missing_branch_names_those_that_there_are(repository: Repository, opened: Open) -> None:
    with pytest.raises(SourceUnavailable, match=r"no branch or tag “mian”\. There are: main\. Correct the option"):
        await look(opened(repository.path, branch="mian"))


async def test_a_missing_folder_keeps_what_is_known(repository: Repository, opened: Open) -> None:
    with pytest.raises(SourceUnavailable, match=r"has no folder dosc on main\. Correct the option folder"):
        await look(opened(repository.path, folder="dosc"))


async def test_an_empty_repository_says_what_to_do(tmp_path: Path, opened: Open) -> None:
    empty = Repository(tmp_path)
    empty.git("init", "--quiet", "inside")
    with pytest.raises(SourceUnavailable, match="has no commit on its main branch"):
        await look(opened(tmp_path / "inside"))


async def test_a_machine_without_git_says_what_to_install(
    repository: Repository, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(SourceUnavailable, match="The program git is not installed"):
        await look(opened(repository.path))


async def test_a_state_that_is_no_state_makes_the_list_whole(repository: Repository, opened: Open) -> None:
    assert (await look(opened(repository.path), Past("[1]", {}))).is_complete
    assert (await look(opened(repository.path), Past("rubbish", {}))).is_complete
