"""What every benchmark can be told, and how one is run alone."""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from results import Result

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
OUT = ROOT / "docs" / "benchmarks"
FEW = 5


class NotHereError(Exception):
    """What a benchmark needs is absent; the message says what."""


@dataclass(frozen=True, slots=True)
class Options:
    """`data`: the folder of trial data. `out`: where results go. `store`: where the prepared knowledge is kept and
    found again. `work`: an empty folder for this run. `short`: a smoke test whose figures mean nothing. `own`: what
    one benchmark alone was told."""

    data: Path
    out: Path
    store: Path
    work: Path
    short: bool
    own: argparse.Namespace = field(default_factory=argparse.Namespace)

    @property
    def models_dir(self) -> Path:
        """The prepared embedding model."""
        return ROOT / ".models"

    @property
    def documents(self) -> Path:
        """The real documents; in the short form a few pages of the project's own. Raises NotHereError."""
        folder = _few_pages(self.work / "pages") if self.short else self.data / "docs" / "k8s-enhancements"
        if not folder.is_dir():
            raise NotHereError("The documents to measure with (docs/k8s-enhancements of the trial data) are not here.")
        return folder


def _few_pages(folder: Path) -> Path:
    if not folder.exists():
        folder.mkdir()
        for page in sorted((ROOT / "docs").glob("*.md"), key=lambda one: one.stat().st_size)[:FEW]:
            shutil.copy2(page, folder)
    return folder


def parser(description: str) -> argparse.ArgumentParser:
    """The options that all have."""
    found = argparse.ArgumentParser(description=description)
    found.add_argument("--data", type=Path, default=DATA, help="the folder of trial data")
    found.add_argument("--out", type=Path, help="where the JSON goes (docs/benchmarks; in the short form nowhere)")
    found.add_argument("--store", type=Path, help="keep the prepared knowledge here, and use what is there")
    found.add_argument("--short", action="store_true", help="a smoke test: a few files, few questions")
    return found


def run_alone(
    description: str,
    bench: Callable[[Options, Result], Coroutine[Any, Any, None]],
    name: str,
    title: str,
    more: Callable[[argparse.ArgumentParser], None] = lambda _: None,
) -> None:
    """The main function of a benchmark: measures, prints, writes its JSON. `more` adds options of its own."""
    known = parser(description)
    more(known)
    arguments = known.parse_args()
    with tempfile.TemporaryDirectory(prefix=f"switchboard-{name}-") as work:
        out = arguments.out or (Path(work) / "out" if arguments.short else OUT)
        store = arguments.store or Path(work) / "store"
        options = Options(arguments.data.resolve(), out, store, Path(work), arguments.short, arguments)
        result = Result(name=name, title=title, short=options.short)
        print(f"{title}", flush=True)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        try:
            asyncio.run(bench(options, result))
        except NotHereError as error:
            result.absent = str(error)
            print(f"  {result.absent}")
        result.write(out)
