from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import AlreadyRunning, StorageError
from bot.lock import DataFolderLock


def test_a_second_process_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    lock = DataFolderLock(tmp_path)
    lock.acquire()
    code = (
        "import sys; from pathlib import Path; from bot.lock import DataFolderLock\n"
        "try: DataFolderLock(Path(sys.argv[1])).acquire()\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    told = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("AlreadyRunning Another Switchboard (process ")
    lock.release()
    lock.acquire()
    lock.release()


def test_one_process_cannot_take_it_twice(tmp_path: Path) -> None:
    lock = DataFolderLock(tmp_path)
    lock.acquire()
    with pytest.raises(AlreadyRunning):
        DataFolderLock(tmp_path).acquire()
    lock.release()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        DataFolderLock(tmp_path / "file").acquire()
