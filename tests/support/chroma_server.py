"""A real Chroma server, as its own command starts it: it can be killed, and started again on what it kept, or empty."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).parent / "chroma"


class OwnChroma:
    """A server on a port of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.folder = folder
        self.address = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        """Starts it; with `wait` it answers then."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [str(COMMAND), "run", "--host", "127.0.0.1", "--port", str(self.port), "--path", str(self.folder)]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        while wait and not self.answers():
            if self._process.poll() is not None:
                raise AssertionError(f"The Chroma server ended with {self._process.returncode}.")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it does now."""
        try:
            with urllib.request.urlopen(f"{self.address}/api/v2/heartbeat", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def signal(self, number: int) -> None:
        """Sends it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """As a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def forget(self) -> None:
        """Takes away what it kept, while it does not run."""
        shutil.rmtree(self.folder)


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnChroma]:
    """A server for the whole session, which stays up."""
    server = OwnChroma(tmp_path_factory.mktemp("chroma") / "kept")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def own_chroma(tmp_path: Path) -> Iterator[OwnChroma]:
    """A server for one test, which starts it and may do with it what it likes."""
    server = OwnChroma(tmp_path / "chroma")
    yield server
    server.kill()
