"""What each peer is told and tells: folders in, one JSON line for each thing that it was timed at."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def arguments() -> argparse.Namespace:
    """`docs`: Markdown files. `work`: an empty folder. `model`: the encoder's folder. `questions`: one a line."""
    parser = argparse.ArgumentParser()
    for name in ("docs", "work", "model", "questions"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    return parser.parse_args()


def files(folder: Path) -> list[Path]:
    """The Markdown files, in one order."""
    return sorted(folder.rglob("*.md"))


def change(folder: Path) -> int:
    """Adds a section to one file in a hundred; how many they were."""
    chosen = files(folder)[::100]
    for file in chosen:
        with file.open("a", encoding="utf-8") as end:
            end.write(f"\n## What changed in {file.stem}\n\nThis section was added to see what a change costs.\n")
    return len(chosen)


def tell(what: str, **values: object) -> None:
    """One line for the benchmark."""
    print(json.dumps({"what": what, **values}), flush=True)


@contextmanager
def timed(what: str, **values: object) -> Iterator[dict[str, object]]:
    """Tells how long the block took; more can be put into what it yields."""
    more: dict[str, object] = {}
    began = time.perf_counter()
    yield more
    tell(what, seconds=time.perf_counter() - began, **values, **more)
