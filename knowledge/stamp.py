"""How an index says that it is whole: a small file that is there only while nothing is being written.

It is taken away before an index is touched and put back, with what the index holds, when that is done. A process that
is killed in between, or that an index takes down while it opens, leaves no stamp, and the next start rebuilds.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

Stamp = dict[str, object]


class StampFile:
    """The stamp of one index."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Stamp | None:
        """What the stamp says; None where there is none or it cannot be read."""
        try:
            stamp = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return stamp if isinstance(stamp, dict) else None

    def lift(self) -> None:
        """Takes the stamp away: from now on the index is at risk."""
        self._path.unlink(missing_ok=True)

    def set(self, stamp: Stamp) -> None:
        """Says that the index is whole, and what it holds."""
        part = self._path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            json.dump(stamp, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path)
