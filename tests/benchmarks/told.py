"""What each contestant is told and tells: folders in, one JSON line for each thing that it was timed at."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TURNS = 3  # of an unchanged and of a changed folder


def arguments() -> argparse.Namespace:
    """`docs`: Markdown files. `work`: an empty folder. `model`: the encoder's folder. `questions`: one a line."""
    parser = argparse.ArgumentParser()
    for name in ("docs", "work", "model", "questions"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    return parser.parse_args()


def files(folder: Path) -> list[Path]:
    """The Markdown files, in one order."""
    return sorted(folder.rglob("*.md"))


def one_in_a_hundred(folder: Path) -> list[Path]:
    """The files that are changed."""
    return files(folder)[::100]


def change(folder: Path, turn: int) -> int:
    """Adds a section to one file in a hundred; how many they were."""
    chosen = one_in_a_hundred(folder)
    for file in chosen:
        with file.open("a", encoding="utf-8") as end:
            end.write(f"\n## Change {turn} of {file.parent.name}/{file.stem}\n\n")
            end.write(f"Written to see what change {turn} costs here.\n")
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
