"""A machine whose clock jumps and whose disk is full, for one process alone: `faulty_machine.c`, which its C library's
calls go through."""

from __future__ import annotations

import mmap
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
COMPILER = "cc"


class FaultyMachine:
    """The faults of a process that is started with `environment`. Needs a C compiler; its files are in `folder`."""

    def __init__(self, folder: Path) -> None:
        library, state = folder / "faulty_machine.so", folder / "faulty_machine.state"
        command = [COMPILER, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True)
        state.write_bytes(bytes(16))
        with state.open("r+b") as file:
            self._state = mmap.mmap(file.fileno(), 16)
        self.environment = {"LD_PRELOAD": str(library), "FAULTY_MACHINE": str(state)}

    def shift_clock(self, seconds: int) -> None:
        """From now on the clock is so far ahead of what is true; 0: it is right."""
        self._state[0:8] = seconds.to_bytes(8, "little", signed=True)

    def fill_disk(self, *, full: bool) -> None:
        """Whether files can no longer grow."""
        self._state[8:16] = int(full).to_bytes(8, "little")
