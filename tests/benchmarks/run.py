"""Runs the benchmarks one after the other and writes their page: `make bench`, or
`python tests/benchmarks/run.py [--data DIR] [--short] [--only NAME …] [--out DIR]`.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from options import OUT, parser
from page import write_page

BENCHES = ("questions", "memory", "start", "ingest", "search", "offline")
SELECTOR = "selector"
LIMIT_SECONDS = 600


def main() -> int:
    """0 where each benchmark came to an end; a mark that is missed is told by the page, not by this."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="switchboard-bench-") as work:
        out = arguments.out or (Path(work) / "out" if arguments.short else OUT)
        out.mkdir(parents=True, exist_ok=True)
        failed = [name for name, words in _commands(arguments, out, Path(work)) if not _ran(name, words)]
        write_page(out, list(BENCHES))
        print(f"written to {out}")
    if failed:
        print(f"these did not come to an end: {', '.join(failed)}")
    return 1 if failed else 0


def _commands(arguments: argparse.Namespace, out: Path, work: Path) -> Iterator[tuple[str, list[str]]]:
    """Each benchmark's name and what it is told."""
    words = ["--data", str(arguments.data), "--out", str(out), "--store", str(arguments.store or work / "store")]
    words += ["--short"] if arguments.short else []
    wanted = arguments.only or (*BENCHES, SELECTOR)
    yield from ((name, words) for name in BENCHES if name in wanted)
    routes = arguments.data / "selector"
    if SELECTOR in wanted and not arguments.short:
        if routes.is_dir():
            yield SELECTOR, ["--data", str(routes), "--out", str(out / f"{SELECTOR}.json")]
        else:
            print("The questions for the choice of a strategy (selector of the trial data) are not here.")


def _arguments() -> argparse.Namespace:
    found = parser("Measures Switchboard and writes docs/benchmarks.")
    found.add_argument("--only", nargs="+", choices=(*BENCHES, SELECTOR), metavar="NAME", help="some of them")
    return found.parse_args()


def _ran(name: str, words: list[str]) -> bool:
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name(f"bench_{name}.py")), *words])
    try:
        process.wait(LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # so that it ends what it started itself
        process.wait()
    print(f"  ({name}: {time.monotonic() - began:.0f} s)\n", flush=True)
    return process.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
