"""A data folder as the first start on some documents leaves it, made once in a process and copied from then on.

Making the tables and reading the same few pages anew would be most of what a bot in a test does.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from functools import cache
from pathlib import Path

from machines import machines

from bot.config import Knowledge, Models, Settings, Storage
from bot.core import open_core


async def fill(settings: Settings) -> None:
    """Fills the data folder, unless something is in it, as a start that has read the folders of documents does."""
    if settings.data_dir.exists() or machines() is not None:  # there workers read them
        return
    made = _made() / _key(settings.knowledge)
    if not made.exists():
        first = settings.model_copy(update={"data_dir": made, "models": Models(), "storage": Storage()})
        async with open_core(first) as core:
            await core.knowledge.refresh()
    shutil.copytree(made, settings.data_dir)


@cache
def _made() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="switchboard-filled-")
    _kept.append(folder)
    return Path(folder.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []


def _key(knowledge: Knowledge) -> str:
    found = hashlib.sha256()
    for folder in knowledge.folders:
        found.update(repr((folder.name, folder.readers, folder.link_base)).encode())
        for file in sorted(folder.path.rglob("*")):
            if file.is_file():
                found.update(repr((str(file.relative_to(folder.path)), file.read_bytes())).encode())
    return found.hexdigest()[:20]
