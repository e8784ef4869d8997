"""What a running process has of fine-tuning, kept as the database has it: models to ask, and files to train on."""

from __future__ import annotations

from bot.core import Core
from bot.models.tuned import read_tuned
from bot.tuning.datasets import Datasets


class Following:
    """Follows what another process changed: see `bot.news`."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._datasets = Datasets(core.engine, core.settings.data_dir)

    async def reread(self) -> None:
        """A model was registered or retired: it counts from now on."""
        await read_tuned(self._core.models, self._core.engine)

    async def sweep(self) -> None:
        """Rows of training data went: the files that hold them go from this machine, and what a tuned model is said to
        be for is read anew."""
        await self._datasets.sweep(self._core.clock())
        await self.reread()
