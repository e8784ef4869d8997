"""Documents that had to be fetched in order to be listed, kept in files until they are read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from knowledge.documents import Block, BlockKind, Content
from knowledge.sources.base import Reading


class Spool:
    """A folder of readings. A reading is taken out once; what is left over from the last run goes with `clear`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def clear(self) -> None:
        """Throws away what nobody took."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def put(self, path: str, reading: Reading) -> str:
        """Keeps the reading of a document; the answer is the handle that it is taken out by."""
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = hashlib.sha256(path.encode()).hexdigest()
        kept = asdict(reading)
        kept["updated"] = reading.updated.isoformat() if reading.updated else None
        kept["tags"] = sorted(reading.tags)
        kept["content"] = {"blocks": kept["content"]["blocks"]}
        (self._folder / handle).write_text(json.dumps(kept), "utf-8")
        return handle

    def take(self, handle: str) -> Reading | None:
        """The reading, which is gone from here afterwards; None where it is not there (any more)."""
        file = self._folder / handle
        try:
            kept = json.loads(file.read_text("utf-8")) if handle else None
        except (OSError, ValueError):
            kept = None
        with contextlib.suppress(OSError):
            if handle:
                file.unlink()
        if kept is None:
            return None
        blocks = tuple(Block(**{**block, "kind": BlockKind(block["kind"])}) for block in kept["content"]["blocks"])
        return Reading(
            title=kept["title"],
            content=Content(blocks),
            digest=kept["digest"],
            updated=datetime.fromisoformat(kept["updated"]) if kept["updated"] else None,
            author=kept["author"],
            tags=frozenset(kept["tags"]),
        )
