"""The Dockerfile: its rules, what it copies, and what comes of its steps, without an engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.docker.dockerfile import context, read
from deploy.docker.steps import build_and_start, within

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
STAGES = read(DOCKERFILE.read_text(encoding="utf-8"))
BUILD, LAST = STAGES


def test_the_last_stage_has_no_root_no_compiler_and_no_moving_base() -> None:
    assert [one.word for one in LAST.instructions if one.word in {"USER", "ENTRYPOINT", "CMD"}] == [
        "USER",
        "ENTRYPOINT",
        "CMD",
    ]
    assert LAST.each("USER") == ["10001:10001"]
    assert BUILD.base == LAST.base
    assert LAST.base.partition(":")[2] not in {"", "latest"}
    # The only packages of Debian are those that somebody names.
    installed = [step for step in LAST.each("RUN") if "apt-get install" in step]
    assert [step.startswith('if [ -n "${PACKAGES}" ]') for step in installed] == [True]
    assert not any(word in step for step in LAST.each("RUN") for word in ("pip ", "gcc", "curl"))
    for word in ("ENTRYPOINT", "CMD"):
        assert json.loads(LAST.each(word)[0]), "in the exec form, so that signals reach the bot itself"
    assert LAST.environment["PYTHONDONTWRITEBYTECODE"] == "1"
    assert all(
        f"org.opencontainers.image.{name}=" in LAST.each("LABEL")[0] for name in ("title", "licenses", "version")
    )


def test_the_context_has_what_is_run_and_neither_secrets_nor_data() -> None:
    sent = {str(file) for file in context(ROOT)}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    run = [name for name in tracked if name.startswith(("bot/", "handlers/", "knowledge/", "deploy/"))]
    assert [name for name in run if name not in sent] == []
    assert [name for name in sent if name.startswith((".venv", ".models", "data", "secrets", "tests", ".git/"))] == []
    assert not any(name.startswith("docs/images") or "__pycache__" in name for name in sent)


def test_paths_of_the_image_are_put_into_the_folder_and_nothing_else_is() -> None:
    told = within("PATH=/opt/switchboard/bin:/usr/bin cd /app && ls /tmpfile ./app /app/bot", Path("/r"))
    assert told == "PATH=/r/opt/switchboard/bin:/usr/bin cd /r/app && ls /tmpfile ./app /r/app/bot"


def test_what_the_steps_make_starts_is_healthy_writes_nothing_outside_its_volumes_and_ends_on_the_stop_signal(
    tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELS", str(models_dir))
    told: list[str] = []
    seen = build_and_start(tmp_path, reuse=True, tell=told.append)
    assert seen["health"]
    assert seen["written"] == []
    assert (tmp_path / "1" / "data" / "switchboard.db").is_file()
    assert not any((tmp_path / "1" / "app").rglob("__pycache__"))


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not on this machine")
def test_hadolint_finds_nothing() -> None:
    done = subprocess.run(["hadolint", str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(os.environ.get("BUILD_IMAGE") is None, reason="BUILD_IMAGE is not set; it takes a Docker engine")
def test_an_engine_builds_the_image_and_it_is_healthy_with_a_root_that_is_read_only() -> None:
    build = ["docker", "build", "-q", "-f", str(DOCKERFILE), "-t", "switchboard:test", str(ROOT)]
    subprocess.run(build, check=True)
    run = ["docker", "run", "-d", "--read-only", "--cap-drop=ALL", "--tmpfs=/tmp", "--init", "switchboard:test"]
    name = subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()
    try:
        check = json.loads(LAST.each("HEALTHCHECK")[0].partition("CMD ")[2])
        wait = (
            f'for i in $(seq 120); do {" ".join(check[:2])} "{check[2]}" 2>/dev/null && exit 0; sleep 1; done; exit 1'
        )
        subprocess.run(["docker", "exec", name, "/bin/sh", "-c", wait], check=True)
        subprocess.run(["docker", "stop", "-t", "45", name], check=True)
        ended = ["docker", "inspect", "-f", "{{.State.ExitCode}}", name]
        assert subprocess.run(ended, capture_output=True, text=True, check=True).stdout.strip() == "0"
    finally:
        subprocess.run(["docker", "rm", "-f", name], check=False)
