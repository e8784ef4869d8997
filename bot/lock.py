"""One process to a data folder: two would write over each other's indexes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from bot.errors import AlreadyRunning, StorageError

try:
    import fcntl
except ImportError:  # Windows has no flock; there the second process is not noticed
    fcntl = None  # type: ignore[assignment]


class DataFolderLock:
    """Holds `<data_dir>/lock` while the process lives; the kernel lets go of it however the process ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Makes the folder where needed and takes the lock.

        Raises AlreadyRunning where another process has it, StorageError where the folder cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = (self._folder / "lock").open("a+", encoding="utf-8")
        except OSError as error:
            reason = error.strerror or str(error)
            raise StorageError(f"The data folder {self._folder} cannot be written: {reason}.") from error
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise AlreadyRunning(
                f"Another Switchboard{f' (process {holder})' if holder else ''} is using the data folder "
                f"{self._folder}. Stop it first, or give this one its own folder with SWITCHBOARD_DATA_DIR."
            ) from error
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Lets go of the folder; a second call does nothing."""
        if self._file is not None:
            self._file.close()
            self._file = None
