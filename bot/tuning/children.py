"""A process of its own for each run, which goes on while nobody watches, and of which there is never a second one.

The child holds a lock on a file in its folder for as long as it lives, itself or any process that it started: whoever
gets the lock knows that nobody is at it. What happens it writes into events.jsonl, a line of JSON each.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.errors import UnusableTraining
from bot.tuning.row import FILES
from bot.tuning.tuner import Look, Order, State, Step

EVENTS, LOCK, LOG, CANCEL, PID = "events.jsonl", "lock", "log.txt", "cancel", "pid"
ATTEMPTS = 3
"""So often a child that ended without a word (a kill, a crash of the machine) is begun."""
_LAST_LINES = 3
_KILLED = 128 + signal.SIGKILL
# The shell leaves its child to itself and ends at once. How the child ended is noted by its side, since whoever began
# it may be gone by then.
_NOTING = '{ "$@"; code=$?; printf \'{"exit": %d}\\n\' "$code" >> "$EVENTS"; } &'


class Child:
    """The child of one run, in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self, order: Order) -> None:
        """The folder with the data and the order."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in FILES.values():
            if not (self.folder / file).is_file() and (order.data / file).is_file():
                shutil.copyfile(order.data / file, self.folder / file)
        said = {"run": order.run, "base": order.base, **order.parameters.plain()}
        (self.folder / "order.json").write_text(json.dumps(said, indent=2), encoding="utf-8")

    def begin(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> bool:
        """Starts the child unless one is at it; whether it did. Raises UnusableTraining where it cannot be started."""
        lock = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        try:
            self._note({"attempt": self.attempts + 1, "memory_kills": memory_kills()})
            with (self.folder / LOG).open("ab") as log:
                started = subprocess.Popen(  # noqa: S603
                    ["/bin/sh", "-c", _NOTING, "sh", *command],
                    cwd=self.folder,
                    env={**os.environ, **(environment or {}), "EVENTS": str(self.folder.absolute() / EVENTS)},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock,),  # the lock lives as long as the child, or any child of it
                    start_new_session=True,
                )
            (self.folder / PID).write_text(str(started.pid))  # of the group
            started.wait()
        except OSError as error:
            raise UnusableTraining(f"The training process could not be started ({error.strerror}).") from error
        finally:
            os.close(lock)
        return True

    @property
    def is_alive(self) -> bool:
        """Whether somebody is at it."""
        if not (self.folder / LOCK).exists():
            return False
        lock = os.open(self.folder / LOCK, os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    @property
    def events(self) -> list[dict[str, Any]]:
        """Everything that was told; a line that a kill left half is passed over."""
        found = []
        with suppress(FileNotFoundError):
            for line in (self.folder / EVENTS).read_text(encoding="utf-8", errors="replace").splitlines():
                with suppress(ValueError):
                    event = json.loads(line)
                    found += [event] if isinstance(event, dict) else []
        return found

    @property
    def attempts(self) -> int:
        """How often it was begun."""
        return sum("attempt" in event for event in self.events)

    def cancel(self) -> None:
        """Asks it to end; what does not listen is ended with all its children."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / CANCEL).touch()

    def end(self) -> None:
        """Ends the child and its children, where somebody is at it."""
        with suppress(FileNotFoundError, ValueError, ProcessLookupError):
            if self.is_alive:
                os.killpg(int((self.folder / PID).read_text()), signal.SIGTERM)

    def look(self) -> Look:
        """What the events say. Without a word at its end it is "running" where somebody is at it, else "ordered"."""
        steps: dict[int, Step] = {}
        state: State = "running" if self.is_alive else "ordered"
        problem, result = "", ""
        for event in self.events:
            if "attempt" in event:
                problem = result = ""
                state = "running" if self.is_alive else "ordered"
            if isinstance(event.get("step"), int):
                _add(steps, event)
            if "ended" in event:
                state, result = event["ended"], event.get("result", "")
                problem = _problem(event)
        if result:
            result = str((self.folder / result).absolute()) if (self.folder / result).exists() else result
        tokens = max(
            (int(step.figures["num_tokens"]) for step in steps.values() if "num_tokens" in step.figures), default=0
        )
        return Look(state=state, steps=steps, result=result, tokens=tokens or None, problem=problem)

    @property
    def exit_code(self) -> int | None:
        """How the last command ended; None where nobody noted it."""
        ends = [event for event in self.events if "attempt" in event or "exit" in event]
        code: int | None = ends[-1].get("exit") if ends else None
        return code

    @property
    def was_killed_for_memory(self) -> bool:
        """Whether the kernel ended it since there was no memory left, as far as can be told."""
        begun = [event for event in self.events if "attempt" in event]
        return self.exit_code == _KILLED and bool(begun) and memory_kills() > begun[-1].get("memory_kills", 0)

    @property
    def last_words(self) -> str:
        """The last lines that it wrote."""
        with suppress(FileNotFoundError):
            lines = (self.folder / LOG).read_text(encoding="utf-8", errors="replace").split("\n")
            return " · ".join([line.strip() for line in lines if line.strip()][-_LAST_LINES:])[:500]
        return ""

    def _note(self, event: Mapping[str, Any]) -> None:
        with (self.folder / EVENTS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")


def memory_kills() -> int:
    """How many processes the kernel has ended so far because memory ran out; 0 where it does not say."""
    with suppress(OSError, ValueError, KeyError):
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
        return int(dict(line.split(" ", 1) for line in lines)["oom_kill"])
    return 0


async def until_free(child: Child, seconds: float) -> bool:
    """Whether nobody is at it any more, within so many seconds."""
    for _ in range(max(1, int(seconds * 10))):
        if not child.is_alive:
            return True
        await asyncio.sleep(0.1)
    return not child.is_alive


def _add(steps: dict[int, Step], event: Mapping[str, Any]) -> None:
    number = event["step"]
    before = steps.get(number, Step())
    figures = {name: float(value) for name, value in (event.get("figures") or {}).items()}
    steps[number] = Step({**before.figures, **figures}, event.get("checkpoint") or before.checkpoint)


def _problem(event: Mapping[str, Any]) -> str:
    if "lacks" in event:
        return f"lacks {event['lacks']}"
    return str(event.get("problem") or "")
