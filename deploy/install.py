"""Installs a lock file with pip and shows how far it is. Standard library only: it runs before anything is there."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import deque
from pathlib import Path


def install(lock: Path) -> int:
    """Runs `pip install --require-hashes` on a lock file and returns pip's exit status."""
    total = len(re.findall(r"^[A-Za-z0-9][^\s=]*==", lock.read_text(encoding="utf-8"), re.MULTILINE))
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    command += ["--progress-bar", "off", "-r", str(lock)]
    last: deque[str] = deque(maxlen=15)
    seen = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:  # noqa: S603
        for line in pip.stdout or ():
            last.append(line)
            if line.startswith(("Collecting ", "Requirement already satisfied", "Ignoring ")):
                seen += 1
                _show(f"      {min(seen, total)} of {total} packages read", seen % 40 == 0)
            elif line.startswith("Installing collected packages"):
                _show(f"      {total} of {total} packages read; unpacking them", True)
    print(flush=True)
    if pip.returncode:
        print("".join(last), file=sys.stderr)
        print(
            f"The packages of {lock} could not be installed. The lines above are pip's own; mend that, then try again."
        )
    return pip.returncode


def _show(text: str, log_it: bool) -> None:
    # A log file gets no carriage returns, and a line now and then.
    if sys.stdout.isatty():
        print(f"\r{text:<60}", end="", flush=True)
    elif log_it:
        print(text, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lock", type=Path)
    sys.exit(install(parser.parse_args().lock))
