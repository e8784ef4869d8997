from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from knowledge.rowfile import RowFile

ROWS = np.arange(40, dtype=np.float32).reshape(10, 4)


def test_rows_are_read_in_any_order_and_leave_no_file_behind(tmp_path: Path) -> None:
    file = RowFile(tmp_path / "new", 4)
    file.append(ROWS[:3])
    file.append(ROWS[3:])
    assert np.array_equal(file.read([9, 0, 3, 3]), ROWS[[9, 0, 3, 3]])
    assert list((tmp_path / "new").iterdir()) == []


def test_a_disk_that_fills_up_loses_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = RowFile(tmp_path, 4)
    file.append(ROWS[:4])
    write, left = os.pwrite, [20]

    def until_full(descriptor: int, data: memoryview, place: int) -> int:
        if not left[0]:
            raise OSError(28, "No space left on device")
        done = write(descriptor, data[: left[0]], place)
        left[0] -= done
        return done

    monkeypatch.setattr(os, "pwrite", until_full)
    file.append(ROWS[4:7])
    file.append(ROWS[7:])
    assert np.array_equal(file.read(range(10)), ROWS)


def test_a_folder_that_cannot_be_written_keeps_all_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = RowFile(tmp_path / "file" / "below", 4)
    file.append(ROWS)
    assert np.array_equal(file.read([7]), ROWS[[7]])
