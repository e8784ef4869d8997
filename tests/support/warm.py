"""Processes that need not import the program first: one process has done so, and forks for each of them.

They are processes like any other, with files for what they say, an exit status, and a death by a signal.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_NAMES = ("app", "cli", "console", "doctor", "evaluating", "models.discovery", "models.embeddings", "searching")
_CONTEXT.set_forkserver_preload([*(f"bot.{name}" for name in _NAMES), "killed_refresh", "killed_report"])


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit status, below zero where a signal killed it, and what it said."""

    status: int
    out: str
    err: str


def switchboard(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> Ended:
    """Runs a command as `python -m bot` does; `env` is what is set beside the test's own environment."""
    return ended(_command, arguments, cwd, {**os.environ, **(env or {})})


def script(file: Path, *arguments: str, cwd: Path) -> Ended:
    """Runs a script as `python FILE` does."""
    return ended(_script, file, arguments, cwd)


def ended(target: Callable[..., None], *arguments: Any) -> Ended:
    """Runs a function of a module in a process of its own, to its end."""
    with tempfile.TemporaryDirectory(prefix="switchboard-warm-") as name:
        out, err = Path(name, "out"), Path(name, "err")
        process = _CONTEXT.Process(target=_apart, args=(out, err, target, arguments))
        process.start()
        process.join()
        assert process.exitcode is not None
        return Ended(process.exitcode, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))


def _apart(out: Path, err: Path, target: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    for number, file in ((1, out), (2, err)):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    target(*arguments)


def _script(file: Path, arguments: tuple[str, ...], cwd: Path) -> None:
    os.chdir(cwd)
    sys.argv = [str(file), *arguments]
    sys.path.insert(0, str(file.parent))
    runpy.run_path(str(file), run_name="__main__")


def _command(arguments: tuple[str, ...], cwd: Path, env: Mapping[str, str]) -> None:
    from bot.cli import main

    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["switchboard", *arguments]
    main()
