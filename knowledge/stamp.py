"""How an index says what it holds: a stamp, that is whole only where it was closed in peace.

A stamp says up to which write its index followed the database when it was last at rest. While the index is open there
is no mark of its files on the stamp: a process that is killed leaves it so, and the next one does not trust what it
finds, as opening a damaged index can take the whole process down.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an index holds: all up to the write `number` to the database `house`, for one form and model.

    `place` is where inside its home it is, `files` the mark of its files since it was closed ("" while it is open).
    """

    form: int
    model: str
    dimensions: int
    house: str
    number: int
    place: str
    files: str = ""

    def fits(self, other: Stamp) -> bool:
        """Whether both are of one form, model and database."""
        ours, theirs = (replace(one, number=0, place="", files="") for one in (self, other))
        return ours == theirs


class StampFile:
    """Beside the index of a process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self) -> Stamp | None:
        """What the file says."""
        try:
            return stamp_of(json.loads(self._path.read_text("utf-8")))
        except (OSError, ValueError):
            return None

    async def set(self, stamp: Stamp) -> None:
        """Writes the file anew."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            json.dump(asdict(stamp), file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path)


def mark_of(folder: Path) -> str:
    """A mark of all files of an index at rest, by their names, sizes and times: a changed, cut or lost one shows."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith((".tantivy", "stamp.")):
            there = path.stat()
            digest.update(f"{path.relative_to(folder)} {there.st_size} {there.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def stamp_of(told: object) -> Stamp | None:
    """A stamp from its JSON; None where it is none."""
    try:
        return Stamp(**told) if isinstance(told, dict) else None
    except TypeError:
        return None
