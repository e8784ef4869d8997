"""A repository below a folder that a server shows, and sources over it."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from git_server import TOKEN, GitServer, Repository, serving

from knowledge.access import PUBLIC
from knowledge.sources.git import KIND, GitOptions
from knowledge.sources.git.source import GitSource
from knowledge.sources.kinds import SourceContext


@pytest.fixture(autouse=True)
def _git_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of this machine reaches git."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two pages on the branch main."""
    path = tmp_path / "forge" / "team" / "app"
    path.mkdir(parents=True)
    repository = Repository(path)
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.commit({"README.md": "# App\n\nRead me first.", "docs/deploy.md": "# Deploys\n\nOn Tuesdays."})
    return repository


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[GitServer]:
    async with serving(tmp_path / "forge") as server:
        yield server


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
async def opened(cache: Path) -> AsyncIterator[Callable[..., GitSource]]:
    """Opens sources by their options, and closes them all."""
    sources: list[GitSource] = []

    def open_source(url: str | Path, *, readers: frozenset[str] = PUBLIC, **options: str) -> GitSource:
        context = SourceContext(cache, {"FORGE_TOKEN": TOKEN, "OLD_TOKEN": "expired-0815"}.get)
        source = KIND.open("code", readers, GitOptions(url=str(url), **options), context)
        sources.append(source)
        return source

    yield open_source
    for source in sources:
        await source.close()
