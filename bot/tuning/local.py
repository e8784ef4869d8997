"""Training on this machine, by TRL and PEFT in a process of its own."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

from bot.errors import UnusableTraining
from bot.tuning.children import ATTEMPTS, CANCEL, Child
from bot.tuning.trainer.train import OUT_OF_MEMORY, tells_of_memory
from bot.tuning.tuner import Look, Order

TRAINER = Path(__file__).parent / "trainer" / "train.py"


class LocalTuner:
    """See `bot.tuning.tuner.Tuner`. `python`: the interpreter that has torch; `folder`: where the runs lie.

    A child that a kill ended goes on from its last checkpoint, at most `ATTEMPTS` times in all.
    """

    def __init__(self, python: str, folder: Path) -> None:
        self._python = python
        self._folder = folder

    async def begin(self, order: Order, job: str | None) -> str:
        """The job is the folder."""
        if shutil.which(self._python) is None:
            raise UnusableTraining(
                f"There is no Python at {self._python}. Set `tuning.python` to one that has torch, trl and peft."
            )
        child = self._child(order)
        if child.look().state == "ordered":
            await asyncio.to_thread(child.prepare, order)
            await asyncio.to_thread(child.begin, [self._python, str(TRAINER), str(child.folder.absolute())])
        return str(child.folder)

    async def look(self, order: Order, job: str) -> Look:
        """What the child wrote; one that was killed is begun again."""
        child = self._child(order)
        seen = await asyncio.to_thread(child.look)
        if seen.problem.startswith("lacks "):
            return replace(seen, problem=self._lacking(seen.problem.removeprefix("lacks ")))
        if seen.state != "ordered":
            return seen
        if (child.folder / CANCEL).exists():
            return replace(seen, state="cancelled")
        if child.was_killed_for_memory or tells_of_memory(child.last_words):
            return replace(seen, state="failed", problem=OUT_OF_MEMORY)
        if child.attempts >= ATTEMPTS:
            why = f"The training process ended {child.attempts} times without a word. It wrote last: {child.last_words}"
            return replace(seen, state="failed", problem=why)
        await self.begin(order, job)
        return replace(seen, state="running")

    async def cancel(self, order: Order, job: str) -> None:
        """Ends at the next step."""
        await asyncio.to_thread(self._child(order).cancel)

    def _child(self, order: Order) -> Child:
        return Child(self._folder / order.run)

    def _lacking(self, package: str) -> str:
        return (
            f"Training on this machine needs packages that {self._python} lacks ({package}). Install them there: `pip "
            'install torch==2.13.0`, then `pip install trl peft datasets "transformers[serving]"`; or set '
            "`tuning.python` to a Python that has them."
        )
