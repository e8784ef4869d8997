"""Training by a command of the team's own, written down in a YAML file; what comes of it is taken in."""

from __future__ import annotations

import asyncio
import difflib
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.errors import UnusableTraining
from bot.tuning.children import ATTEMPTS, CANCEL, Child, until_free
from bot.tuning.row import FILES
from bot.tuning.tuner import Look, Order

PLACES = ("train", "validation", "preferences", "base", "run", "out", "events", "seed", "epochs")
_PATIENCE = 5.0


class CommandFile(BaseModel):
    """`command`: its words, with {train}, {validation}, {preferences}, {base}, {run}, {out}, {events}, {seed} and
    {epochs} in them. `environment`: further variables. `model`: the name of what it makes, where that is no folder.
    `resumes`: whether it may be begun again where a kill ended it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: tuple[str, ...] = Field(min_length=1)
    environment: dict[str, str] = {}
    model: str = ""
    resumes: bool = False


def read_command(file: Path) -> CommandFile:
    """Raises UnusableTraining for a file that cannot be read or says what it may not."""
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
        found = CommandFile.model_validate(said)
        for word in found.command:
            word.format(**dict.fromkeys(PLACES, ""))
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableTraining(f"The command file {file} cannot be read ({type(error).__name__}).") from error
    except yaml.YAMLError as error:
        raise UnusableTraining(f"The command file {file} is no YAML: {str(error).splitlines()[0]}.") from error
    except (KeyError, IndexError, ValueError) as error:
        raise UnusableTraining(f"The command file {file} cannot be used: {_why(error)}") from error
    return found


class CommandTuner:
    """See `bot.tuning.tuner.Tuner`. A line of JSON in {events}, such as {"step": 3, "figures": {"loss": 0.4}}, is shown
    like any other run's; a folder at {out}, or `model`, is the result."""

    def __init__(self, said: CommandFile, folder: Path) -> None:
        self._said = said
        self._folder = folder

    async def begin(self, order: Order, job: str | None) -> str:
        """The job is the folder."""
        child = self._child(order)
        if child.look().state == "ordered" and child.exit_code is None:
            await asyncio.to_thread(child.prepare, order)
            await asyncio.to_thread(child.begin, self._words(order, child), self._said.environment)
        return str(child.folder)

    async def look(self, order: Order, job: str) -> Look:
        """What it wrote, and how it ended."""
        child = self._child(order)
        if (child.folder / CANCEL).exists() and child.is_alive:
            child.end()
            await until_free(child, _PATIENCE)
        seen = await asyncio.to_thread(child.look)
        if seen.state != "ordered":
            return seen
        if (child.folder / CANCEL).exists():
            return replace(seen, state="cancelled")
        if child.exit_code == 0:
            return self._made(child, seen)
        if child.exit_code is None and self._said.resumes and child.attempts < ATTEMPTS:
            await self.begin(order, job)
            return replace(seen, state="running")
        how = "without a word" if child.exit_code is None else f"with status {child.exit_code}"
        return replace(seen, state="failed", problem=f"The command ended {how}. It wrote last: {child.last_words}")

    async def cancel(self, order: Order, job: str) -> None:
        """Ends it with all its children."""
        child = self._child(order)
        await asyncio.to_thread(child.cancel)
        child.end()

    def _made(self, child: Child, seen: Look) -> Look:
        out = child.folder / "result"
        if self._said.model:
            return replace(seen, state="succeeded", result=self._said.model)
        if out.is_dir() and any(out.iterdir()):
            return replace(seen, state="succeeded", result=str(out.absolute()))
        why = "The command ended well, but there is nothing at {out}. Have it write the model there, or name `model`."
        return replace(seen, state="failed", problem=why)

    def _words(self, order: Order, child: Child) -> list[str]:
        folder = child.folder.absolute()
        places: dict[str, Any] = {part: folder / file for part, file in FILES.items()}
        places |= {"base": order.base, "run": order.run, "out": folder / "result", "events": folder / "events.jsonl"}
        places |= {"seed": order.parameters.seed, "epochs": order.parameters.epochs}
        return [word.format(**places) for word in self._said.command]

    def _child(self, order: Order) -> Child:
        return Child(self._folder / order.run)


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        name = ".".join(str(part) for part in first["loc"])
        near = difflib.get_close_matches(name, CommandFile.model_fields, n=1)
        hint = f" Did you mean “{near[0]}”?" if near and first["type"] == "extra_forbidden" else ""
        return f"“{name}”: {first['msg']}.{hint}" if name else f"{first['msg']}."
    return f"there is no place {error}; there are {', '.join(PLACES)}."
