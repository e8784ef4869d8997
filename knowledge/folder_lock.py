"""A folder that one process uses at a time: the search indexes in it are not safe with two."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from knowledge.errors import KnowledgeInUse, StorageFull

_MOST = 64


class FolderLock:
    """Keeps a second process off a folder. The system frees it at any end."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder. Raises KnowledgeInUse, or StorageFull where it cannot be written."""
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(folder / "knowledge.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageFull(
                f"The knowledge folder {folder} cannot be written ({error.strerror}). Make room, or name another."
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise KnowledgeInUse(
                f"Another process uses the knowledge in {folder}. Stop it, or give this one a folder of its own."
            ) from error

    def release(self) -> None:
        """Gives the folder back; once is enough, twice does no harm."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


def own_folder(data_dir: Path) -> FolderLock:
    """A folder for this process alone: `data_dir` itself, else the first of those in it that no process has.

    So a process that starts again finds what it, or another that ended, has left. Raises KnowledgeInUse where
    too many run, and StorageFull.
    """
    for folder in (data_dir, *(data_dir / f"process-{number}" for number in range(2, _MOST))):
        try:
            return FolderLock(folder)
        except KnowledgeInUse:
            continue
    raise KnowledgeInUse(f"{_MOST} processes use the knowledge in {data_dir}. Give this one a folder of its own.")
