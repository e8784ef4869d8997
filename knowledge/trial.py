"""Tries an index out in a process of its own: one that takes its process down takes down this one alone.

Only what was not closed in peace is tried first. It costs the time that a Python with Chroma (about a second of one
core) or tantivy (a tenth) takes to start, and the reading of all keys, while search goes on without that index.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from knowledge.errors import IndexBroken

if TYPE_CHECKING:
    from knowledge.index import VectorIndex
    from knowledge.lexical import LexicalIndex

_SECONDS = 300  # that it may take: an index that hangs is as good as broken
_log = structlog.get_logger(__name__)


def tried(
    kind: str, folder: Path, place: str, dimensions: int, stopped: Callable[[], bool] = lambda: False
) -> tuple[int, int]:
    """Opens an index ("vectors" or "lexical") elsewhere, reads all that it holds and searches in it. Blocks.

    Returns how many chunks there are, and the sum of their keys. Raises IndexBroken, also where it is `stopped`, and
    says so in the log where the process died.
    """
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "knowledge.trial", kind, str(folder), place, str(dimensions)]
    child = subprocess.Popen(  # noqa: S603 - our own module
        command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + _SECONDS
    while True:
        try:
            said, _ = child.communicate(timeout=0.2)
            break
        except subprocess.TimeoutExpired:
            if stopped() or time.monotonic() > end:
                child.kill()
                child.communicate()
                why = "the process ends" if stopped() else f"it did not open within {_SECONDS} seconds"
                raise IndexBroken(why) from None
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        _log.warning("knowledge.index_crashed", index=kind, signal=name, next="it is rebuilt")
        raise IndexBroken(f"it took down the process that opened it ({name})")
    try:
        told = json.loads(said.splitlines()[-1])
        if "problem" not in told:
            return told["count"], told["checksum"]
    except (ValueError, IndexError, KeyError):
        raise IndexBroken(f"it could not be opened (exit status {child.returncode})") from None
    raise IndexBroken(told["problem"])


def _try(kind: str, folder: Path, place: str, dimensions: int) -> dict[str, object]:
    # One of the two is enough: Chroma takes its time to load.
    if kind == "lexical":
        from knowledge.lexical import LexicalIndex

        index: LexicalIndex | VectorIndex = LexicalIndex(folder)
    else:
        from knowledge.index import FolderHome, VectorIndex

        index = VectorIndex(FolderHome(folder), dimensions)
    try:
        index.open(place)
        count, checksum = index.holds()
        if index.count() != count:
            return {"problem": f"it says that it holds {index.count()} chunks, and holds {count}"}
        index.try_out()
        index.close()
    except IndexBroken as error:
        return {"problem": str(error)}
    return {"count": count, "checksum": checksum}


if __name__ == "__main__":
    _, a_kind, a_folder, a_place, some_dimensions = sys.argv
    print(json.dumps(_try(a_kind, Path(a_folder), a_place, int(some_dimensions))))
