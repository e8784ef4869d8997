"""A repository behind a login, over git's own server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web
from git_server import TOKEN, GitServer, Repository
from service_server import look, said

from knowledge.errors import SourceUnavailable
from knowledge.sources.git.source import GitSource

Open = Callable[..., GitSource]


async def test_a_repository_behind_a_login_is_read_with_the_token(
    repository: Repository, server: GitServer, opened: Open
) -> None:
    source = opened(f"{server.url}/team/app", token_env="FORGE_TOKEN")
    first = await look(source)
    assert said(await source.read(first.listings["docs/deploy.md"])) == "Deploys\nOn Tuesdays."
    repository.commit({"docs/deploy.md": "# Deploys\n\nOn Mondays."})
    second = await look(source, first.past())
    assert list(second.listings) == ["docs/deploy.md"]
    assert said(await source.read(second.listings["docs/deploy.md"])) == "Deploys\nOn Mondays."


async def test_without_a_new_commit_nothing_is_fetched(repository: Repository, server: GitServer, opened: Open) -> None:
    source = opened(f"{server.url}/team/app", token_env="FORGE_TOKEN")
    first = await look(source)
    server.asked.clear()
    await look(source, first.past())
    assert [asked for asked in server.asked if asked.startswith("POST")] == ["POST /team/app/git-upload-pack"]


async def test_old_contents_are_never_fetched(
    repository: Repository, server: GitServer, opened: Open, cache: Path
) -> None:
    old = repository.git("rev-parse", "HEAD:docs/deploy.md")
    repository.commit({"docs/deploy.md": "# Deploys\n\nOn Mondays.", "film.bin": b"\0" * 1000})
    await look(opened(f"{server.url}/team/app", token_env="FORGE_TOKEN"))
    (folder,) = cache.glob("*.git")
    here = Repository(folder).git("cat-file", "--batch-check", "--batch-all-objects")
    assert repository.git("rev-parse", "HEAD:docs/deploy.md") in here
    assert old not in here
    assert repository.git("rev-parse", "HEAD:film.bin") not in here


@pytest.mark.parametrize(
    ("options", "way_out"),
    [
        ({"token_env": "OLD_TOKEN"}, "Put a token that is valid and may read it into OLD_TOKEN"),
        ({}, "name that with the option token_env"),
    ],
)
async def test_a_refused_login_says_what_to_do_and_holds_no_secret(
    repository: Repository, server: GitServer, opened: Open, options: dict[str, str], way_out: str
) -> None:
    with pytest.raises(SourceUnavailable, match="refuses the login") as failure:
        await look(opened(f"{server.url}/team/app", **options))
    assert way_out in str(failure.value)
    assert "expired-0815" not in str(failure.value)


async def test_the_token_stands_on_no_command_line_and_in_no_file(
    repository: Repository, server: GitServer, opened: Open, cache: Path
) -> None:
    server.stall = asyncio.Event()
    source = opened(f"{server.url}/team/app", token_env="FORGE_TOKEN")
    task = asyncio.create_task(look(source))
    async with asyncio.timeout(30):
        await server.stalled.wait()
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            lines.append((process / "cmdline").read_bytes())
    server.stall.set()
    await task
    assert any(b"remote-http" in line for line in lines)
    assert not any(TOKEN.encode() in line for line in lines)
    files = [path.read_bytes() for path in cache.rglob("*") if path.is_file()]
    assert files
    assert not any(TOKEN.encode() in content for content in files)


async def test_a_token_is_not_sent_to_where_a_server_redirects(
    repository: Repository, server: GitServer, opened: Open
) -> None:
    logins: list[str | None] = []

    def redirect(request: web.Request) -> web.Response | None:
        if request.url.host == "localhost":
            logins.append(request.headers.get("Authorization"))
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="elsewhere"'})
        elsewhere = str(request.url.with_host("localhost"))
        return web.Response(status=302, headers={"Location": elsewhere})

    server.answer = redirect
    with pytest.raises(SourceUnavailable, match="refuses the login"):
        await look(opened(f"{server.url}/team/app", token_env="FORGE_TOKEN"))
    assert logins
    assert not any(logins)


async def test_a_copy_that_was_broken_off_is_thrown_away(
    repository: Repository, server: GitServer, opened: Open, cache: Path
) -> None:
    server.stall = asyncio.Event()
    task = asyncio.create_task(look(opened(f"{server.url}/team/app", token_env="FORGE_TOKEN")))
    async with asyncio.timeout(30):
        await server.stalled.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (half,) = cache.iterdir()
    assert half.suffix == ".part"
    server.stall.set()
    run = await look(opened(f"{server.url}/team/app", token_env="FORGE_TOKEN"))
    assert len(run.listings) == 2
    (whole,) = cache.iterdir()
    assert whole.suffix == ".git"


async def test_an_unknown_repository_says_what_to_do(server: GitServer, opened: Open, repository: Repository) -> None:
    with pytest.raises(SourceUnavailable, match="is not there, or may not be seen"):
        await look(opened(f"{server.url}/team/nothing", token_env="FORGE_TOKEN"))


async def test_a_server_that_fails_is_asked_again_by_the_next_refresh(
    server: GitServer, opened: Open, repository: Repository
) -> None:
    server.answer = lambda request: web.Response(status=503)
    with pytest.raises(SourceUnavailable, match="the next refresh tries again"):
        await look(opened(f"{server.url}/team/app", token_env="FORGE_TOKEN"))


async def test_a_failing_fetch_keeps_the_copy(
    server: GitServer, opened: Open, repository: Repository, cache: Path
) -> None:
    source = opened(f"{server.url}/team/app", token_env="FORGE_TOKEN")
    first = await look(source)
    repository.commit({"new.md": "# New"})
    posts: list[str] = []

    def fail_after_the_refs(request: web.Request) -> web.Response | None:
        if request.method == "POST":
            posts.append(request.path)
        return web.Response(status=502) if len(posts) > 1 else None

    server.answer = fail_after_the_refs
    with pytest.raises(SourceUnavailable, match="cannot be reached, or does not answer"):
        await look(source, first.past())
    assert len(list(cache.glob("*.git"))) == 1
    server.answer = lambda request: None
    assert list((await look(source, first.past())).listings) == ["new.md"]
