"""What a process once held in memory does not come to its disk with an index."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import used_memory

TEXT = "what somebody wrote to the bot"


def test_no_file_of_a_vector_index_holds_what_was_in_the_memory_before(tmp_path: Path) -> None:
    subprocess.run([sys.executable, used_memory.__file__, str(tmp_path), TEXT], check=True)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {"data_level0.bin", "length.bin"} <= {file.name for file in files}
    assert [file.name for file in files if TEXT.encode() in file.read_bytes()] == []
