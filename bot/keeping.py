"""`switchboard keys`: the keys that secrets in the database are encrypted with."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console

from bot.audit import COMMAND_LINE
from bot.config import Settings
from bot.storage.engine import open_existing
from bot.vault import Vault, new_key, rotate


def print_new(out: Console) -> None:
    """Prints a new key, and nothing else, so that it can be sent into a file."""
    out.file.write(f"{new_key()}\n")


async def rotate_all(settings: Settings, out: Console) -> None:
    """Encrypts all that is kept encrypted anew. Raises ConfigError and UnreadableSecret."""
    vault = Vault.of_environment()
    async with open_existing(settings.database_url, "There is no database yet", "The database") as engine:
        count = await rotate(engine, vault, by=COMMAND_LINE, at=datetime.now(UTC))
    out.print(f"{count:,} values are encrypted with the first key now; the keys behind it can be taken out.")
