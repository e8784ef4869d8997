"""Runs the benchmarks one after the other and writes their page: `make bench`, `make bench-knowledge`, or
`python tests/benchmarks/run.py [--knowledge] [--data DIR] [--short] [--only NAME …] [--out DIR]`.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from capacity_page import PAGE, write_capacity
from options import OUT, parser
from page import write_page

BENCHES = ("questions", "memory", "start", "ingest", "search", "offline", "gate", "report", "capacity")
KNOWLEDGE = ("ranking", "peers", "refresh", "filter", "scale", "offline")
SELECTOR = "selector"
LIMIT_SECONDS = {
    "peers": 7_200,
    "scale": 3_600,
    "ranking": 1_800,
    "filter": 1_800,
    "selector": 3_600,
    "report": 1_800,
    "capacity": 1_800,
}
USUAL_LIMIT_SECONDS = 600


def main() -> int:
    """0 where each benchmark came to an end; a mark that is missed is told by the page, not by this."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="switchboard-bench-") as work:
        out = arguments.out or (Path(work) / "out" if arguments.short else OUT)
        out.mkdir(parents=True, exist_ok=True)
        failed = [name for name, words in _commands(arguments, out, Path(work)) if not _ran(name, words)]
        write_page(out, KNOWLEDGE if arguments.knowledge else BENCHES, "knowledge" if arguments.knowledge else "README")
        if out == OUT and not arguments.knowledge:
            write_capacity(out, PAGE)
        print(f"written to {out}")
    if failed:
        print(f"these did not come to an end: {', '.join(failed)}")
    return 1 if failed else 0


def _commands(arguments: argparse.Namespace, out: Path, work: Path) -> Iterator[tuple[str, list[str]]]:
    """Each benchmark's name and what it is told."""
    words = ["--data", str(arguments.data), "--out", str(out), "--store", str(arguments.store or work / "store")]
    words += ["--short"] if arguments.short else []
    benches = KNOWLEDGE if arguments.knowledge else (*BENCHES, SELECTOR)
    wanted = arguments.only or benches
    yield from ((name, words) for name in benches if name in wanted and name != SELECTOR)
    data = arguments.data / "selector"
    if SELECTOR in benches and SELECTOR in wanted and not arguments.short:
        if data.is_dir():
            files = ["--routes", str(data / "routes.csv"), "--stores", str(data / "stores.json")]
            yield SELECTOR, [*files, "--out", str(out / f"{SELECTOR}.json")]
            outcomes = ["--outcomes", str(data / "retrieval_outcomes.csv")]
            yield SELECTOR, [*outcomes, "--out", str(out / "outcomes.json")]
        else:
            print("The questions for the choice of a strategy (selector of the trial data) are not here.")


def _arguments() -> argparse.Namespace:
    found = parser("Measures Switchboard and writes docs/benchmarks.")
    found.add_argument("--knowledge", action="store_true", help="those of the knowledge, which take an hour")
    names = (*BENCHES, SELECTOR, *KNOWLEDGE)
    found.add_argument("--only", nargs="+", choices=names, metavar="NAME", help="some of them")
    return found.parse_args()


def _ran(name: str, words: list[str]) -> bool:
    began = time.monotonic()
    # As knowledge sets it for itself: benchmarks load numpy first, which asks only once. The peers have their own way.
    threads = {} if name == "peers" else {"OPENBLAS_NUM_THREADS": "1"}
    script = str(Path(__file__).with_name("selector.py" if name == SELECTOR else f"bench_{name}.py"))
    process = subprocess.Popen([sys.executable, script, *words], env=os.environ | threads)
    try:
        process.wait(LIMIT_SECONDS.get(name, USUAL_LIMIT_SECONDS))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # so that it ends what it started itself
        process.wait()
    print(f"  ({name}: {time.monotonic() - began:.0f} s)\n", flush=True)
    return process.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
