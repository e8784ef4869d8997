"""How every proof begins and ends: its sizes from the command line, its figures as JSON, its exit status."""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RECORDS = Path(__file__).resolve().parents[2] / "docs" / "proofs"


@dataclass(frozen=True, slots=True)
class Result:
    """What a proof found. `kept`: whether the promise is."""

    figures: Mapping[str, Any]
    kept: bool


def main(name: str, known: ArgumentParser, prove: Callable[[Namespace, Path], Result]) -> int:
    """Runs a proof with what `known` takes from the command line and a folder for its files; prints what it found.

    Gives the exit status: 1 where the promise is broken. `--record` keeps the same as docs/proofs/NAME.json.
    """
    known.add_argument("--keep", type=Path, help="a folder for the proof's files (default: one that is removed)")
    known.add_argument("--record", nargs="?", const=name, help="keep the figures as docs/proofs/RECORD.json")
    sizes = vars(known.parse_args())
    keep, record = sizes.pop("keep"), sizes.pop("record")
    load, began = os.getloadavg()[0], time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"proof-{name}-", ignore_cleanup_errors=True) as work:
        folder = keep or Path(work)
        folder.mkdir(parents=True, exist_ok=True)
        found = prove(Namespace(**sizes), folder)
    about = {"sizes": sizes, "seconds": round(time.monotonic() - began), **_circumstances(load)}
    whole = {"kept": found.kept, **about, "figures": found.figures}
    text = json.dumps(whole, indent=2, ensure_ascii=False, default=str)
    print(text)
    if record:
        RECORDS.mkdir(exist_ok=True)
        (RECORDS / f"{record}.json").write_text(f"{text}\n", encoding="utf-8")
    return 0 if found.kept else 1


def _circumstances(load: float) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load_before": round(load, 1),
            "load_after": round(os.getloadavg()[0], 1),
        },
    }
