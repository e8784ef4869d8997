"""Runs the steps of the Dockerfile in a clean folder, without an engine, and starts what comes of it.

    python -m deploy.docker.steps /tmp/image            # all of it: installs the lock file, prepares the models
    python -m deploy.docker.steps /tmp/image --reuse    # only copies, and runs on this environment and its models

Each stage gets a folder that stands for its root: paths that begin there are put into it. The base image is this
machine's Python; what needs root (packages of Debian, the user) is passed over and said so.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.docker.dockerfile import Instruction, Stage, context, read

REPOSITORY = Path(__file__).resolve().parents[2]
OURS = ("/app", "/opt", "/data", "/tmp")  # noqa: S108
_PATHS = re.compile(rf"(?<![\w.])(?:{'|'.join(OURS)})(?=[/\s:]|$)")
ROOTS_ALONE = ("useradd", "if [ -n")
"""How steps begin that only root in a container can do."""
READY_SECONDS = 180


@dataclass(slots=True)
class Build:
    """A Dockerfile's stages under `folder`. `reuse`: nothing is installed; this environment stands for /opt."""

    folder: Path
    reuse: bool
    tell: Callable[[str], None]
    roots: dict[str, Path] = field(default_factory=dict)
    last: Stage | None = None

    def run(self, stages: list[Stage]) -> Path:
        """Runs every step; returns the folder that is the image's root. Raises CalledProcessError."""
        for number, stage in enumerate(stages):
            root = self.folder / (stage.name or str(number))
            self.roots[stage.name or str(number)], self.last = root, stage
            for place in OURS:
                (root / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
            workdir = root
            for step in stage.instructions:
                if step.word == "WORKDIR":
                    workdir = root / step.rest.lstrip("/")
                    workdir.mkdir(parents=True, exist_ok=True)
                elif step.word == "COPY":
                    self._copy(step, root, workdir)
                elif step.word == "RUN":
                    self._run(step, root, workdir)
        return root

    def environment(self, root: Path) -> dict[str, str]:
        """What ENV sets in the last stage, with its paths put into the root."""
        assert self.last is not None
        inside = {name: within(value, root) for name, value in self.last.environment.items()}
        if self.reuse:
            inside["PATH"] = f"{Path(sys.executable).parent}:{inside['PATH']}"
            inside["PYTHONPATH"] = str(root / "app")  # in the image the package is installed from there
        return inside

    def _copy(self, step: Instruction, root: Path, workdir: Path) -> None:
        words = step.rest.split()
        origin = next((word.removeprefix("--from=") for word in words if word.startswith("--from=")), None)
        *sources, target = [word for word in words if not word.startswith("--")]
        to = root / target.lstrip("/") if target.startswith("/") else workdir / target
        if origin is not None:
            for source in sources:
                self.tell(f"COPY {source} from {origin}")
                shutil.copytree(self.roots[origin] / source.lstrip("/"), to, symlinks=True, dirs_exist_ok=True)
            _moved(to, self.roots[origin], root)
            return
        sent = context(REPOSITORY)
        for source in sources:
            found = [file for file in sent if file == Path(source) or Path(source) in file.parents]
            if not found:
                raise FileNotFoundError(f"COPY {source}: .dockerignore lets nothing of it through.")
            for file in found:
                place = to / file.relative_to(source) if Path(source) in file.parents else to / file.name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(REPOSITORY / file, place)

    def _run(self, step: Instruction, root: Path, workdir: Path) -> None:
        if step.rest.startswith(ROOTS_ALONE):
            self.tell(f"passed over, needs root: {step.rest[:60]}")
            return
        if self.reuse and "/opt/switchboard" in step.rest:
            (root / "opt" / "switchboard").mkdir(exist_ok=True)
            if "knowledge.embedding.prepare" in step.rest:
                (root / "opt" / "models").symlink_to(Path(os.environ.get("MODELS", REPOSITORY / ".models")).resolve())
            self.tell(f"not repeated: {step.rest[:60]}")
            return
        self.tell(f"RUN {step.rest[:100]}")
        command = within(step.rest, root)
        programs = self.folder / "base"  # the base image's `python` is the one that runs this
        programs.mkdir(exist_ok=True)
        if not (programs / "python").exists():
            (programs / "python").symlink_to(Path(sys.executable).resolve())
        inside = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(root / "tmp")}
        kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))}
        subprocess.run(["/bin/sh", "-ec", command], cwd=workdir, env=inside | kept, check=True)  # noqa: S603


def _moved(folder: Path, before: Path, after: Path) -> None:
    """Scripts and settings of an environment name its place, which in an image is the same in every stage."""
    places = ("bin/*", "pyvenv.cfg", "lib/python*/site-packages/*.pth", "lib/python*/site-packages/__editable__*")
    for file in (file for place in places for file in folder.glob(place)):
        if file.is_file() and not file.is_symlink():
            content = file.read_bytes()
            file.write_bytes(content.replace(str(before).encode(), str(after).encode()))


def within(text: str, root: Path) -> str:
    """A command or value with the absolute paths of the image put into `root`."""
    return _PATHS.sub(lambda found: f"{root}{found[0]}", text)


@contextmanager
def started(root: Path, environment: dict[str, str], stage: Stage) -> Iterator[str]:
    """Starts ENTRYPOINT with CMD; gives the address of the probes once it is ready, and stops it as an engine does.

    Raises RuntimeError where it is not ready in time, or does not end by itself on the stop signal.
    """
    page, probes = free_port(), free_port()
    command = [*json.loads(stage.each("ENTRYPOINT")[0]), *json.loads(stage.each("CMD")[-1])]
    program = shutil.which(command[0], path=environment["PATH"])
    if "PYTHONPATH" in environment or program is None:
        command = [shutil.which("python", path=environment["PATH"]) or sys.executable, "-m", "bot", *command[1:]]
    else:
        command[0] = program
    ports = {"SWITCHBOARD_METRICS__PORT": str(probes), "SWITCHBOARD_WORKSPACE__PORT": str(page)}
    process = subprocess.Popen(command, cwd=root / "app", env=environment | ports)  # noqa: S603
    url = f"http://127.0.0.1:{probes}"
    try:
        _until_ready(process, url)
        yield url
        process.send_signal(signal.Signals[stage.each("STOPSIGNAL")[0]])
        if status := process.wait(60):
            raise RuntimeError(f"On the stop signal it ended with status {status}.")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"It was not ready after {READY_SECONDS} seconds; its exit status is {process.poll()}.")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def files(root: Path) -> set[str]:
    """The files in a root that may be read-only: all but those of /data and /tmp."""
    return {
        str(file.relative_to(root))
        for place in ("app", "opt")
        for file in (root / place).rglob("*")
        if not file.is_symlink() and file.is_file()
    }


def build_and_start(folder: Path, *, reuse: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    """Runs the steps and what they make; returns what was seen.

    `health`: whether HEALTHCHECK's own command went well; `written`: files that came to be outside /data and /tmp.
    """
    stages = read((REPOSITORY / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8"))
    build = Build(folder, reuse, tell)
    root = build.run(stages)
    environment, before = build.environment(root), files(root)
    tell(f"starting it, with {len(before):,} files")
    with started(root, environment, stages[-1]) as url:
        ((check),) = stages[-1].each("HEALTHCHECK")
        command = json.loads(check.partition("CMD ")[2])
        command[0] = shutil.which(command[0], path=environment["PATH"])
        command = [word.replace("http://127.0.0.1:9464", url) for word in command]
        tell(f"HEALTHCHECK {shlex.join(command[1:])}")
        health = subprocess.run(command, env=environment, check=False).returncode == 0  # noqa: S603
    size = sum((root / file).stat().st_size for file in before)
    return {"health": health, "written": sorted(files(root) - before), "files": len(before), "bytes": size}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="an empty folder, or none yet")
    parser.add_argument("--reuse", action="store_true", help="install nothing: run on this environment")
    given = parser.parse_args()
    seen = build_and_start(given.folder.resolve(), reuse=given.reuse, tell=lambda line: print(line, flush=True))
    print(json.dumps(seen))
    sys.exit(0 if seen["health"] and not seen["written"] else 1)
