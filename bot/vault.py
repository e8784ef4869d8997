"""The vault: what is kept encrypted in the database, such as the tokens of Slack workspaces.

Keys come from SWITCHBOARD_KEYS (or the file that SWITCHBOARD_KEYS_FILE names), with commas between: the first encrypts,
all decrypt. What is encrypted is bound to its context, such as "installation T0123", so that a value that was moved to
another row cannot be read there.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import storage
from bot.audit import Action, Change, record
from bot.errors import ConfigError, UnreadableSecret
from bot.secrets import read_secret
from bot.storage.columns import metadata

VARIABLE = "SWITCHBOARD_KEYS"
ENCRYPTED = {"encrypted": True}
"""`info` of a column whose texts the vault has encrypted: `rotate` finds them by it."""
_BETWEEN = "\x00"


def encrypted_column(name: str, *, nullable: bool = False) -> sa.Column[str]:
    """A column for what `Vault.encrypt` returns; `rotate` takes it along."""
    return sa.Column(name, sa.Text, nullable=nullable, info=ENCRYPTED)


def new_key() -> str:
    """A key that nobody else has: 32 random bytes in URL-safe base64."""
    return Fernet.generate_key().decode("ascii")


class Vault:
    """Encrypts and decrypts texts. It shows no key and no text, whatever asks for its words."""

    __slots__ = ("_fernet",)

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        """Raises ConfigError where there is no key or one that is none."""
        if not keys:
            raise ConfigError(
                f"{VARIABLE} is not set, so nothing can be kept encrypted. `switchboard keys new` prints a key; put it "
                f"there, or into a file that {VARIABLE}_FILE names."
            )
        try:
            self._fernet = MultiFernet([Fernet(key.get_secret_value().strip()) for key in keys])
        except ValueError:
            raise ConfigError(
                f"{VARIABLE} holds something that is no key (32 bytes in URL-safe base64, 44 characters each, with "
                "commas between). `switchboard keys new` prints one."
            ) from None

    @classmethod
    def of_environment(cls) -> Vault:
        """The one whose keys are configured. Raises ConfigError."""
        found = read_secret(VARIABLE)
        texts = found.get_secret_value().split(",") if found is not None else []
        return cls([SecretStr(text.strip()) for text in texts if text.strip()])

    def __repr__(self) -> str:
        return "Vault(…)"

    def encrypt(self, text: str, context: str) -> str:
        """The text, bound to its context, as a column keeps it."""
        return self._fernet.encrypt(f"{context}{_BETWEEN}{text}".encode()).decode("ascii")

    def decrypt(self, kept: str, context: str) -> str:
        """The text again. Raises UnreadableSecret where no key fits or it was kept for another context."""
        said, between, text = self._opened(kept, context).partition(_BETWEEN)
        if not between or said != context:
            raise UnreadableSecret(
                f"What is kept for {context} was encrypted for something else: its row was changed by hand."
            )
        return text

    def rotated(self, kept: str, what: str) -> str:
        """The same, encrypted anew with the first key. `what` names it. Raises UnreadableSecret where no key fits."""
        try:
            return self._fernet.rotate(kept.encode()).decode("ascii")
        except InvalidToken:
            raise _no_key_fits(what) from None

    def _opened(self, kept: str, what: str) -> str:
        try:
            return self._fernet.decrypt(kept.encode()).decode()
        except InvalidToken:
            raise _no_key_fits(what) from None


async def rotate(engine: AsyncEngine, vault: Vault, *, by: str, at: datetime) -> int:
    """Encrypts every value of every encrypted column anew with the first key; says how many.

    All or nothing: raises UnreadableSecret where one cannot be read, and then nothing is changed.
    """
    count = 0
    for module in pkgutil.iter_modules(storage.__path__, f"{storage.__name__}."):
        importlib.import_module(module.name)  # each knows its tables once it is there
    async with engine.begin() as connection:
        for table in metadata.sorted_tables:
            keys = list(table.primary_key.columns)
            for column in (each for each in table.columns if each.info.get("encrypted")):
                query = sa.select(*keys, column).where(column.is_not(None)).with_for_update()
                for row in (await connection.execute(query)).all():
                    where = [key == row[place] for place, key in enumerate(keys)]
                    again = vault.rotated(row[-1], f"{table.name}.{column.name}")
                    await connection.execute(sa.update(table).where(*where).values({column.name: again}))
                    count += 1
        await record(connection, Change(action=Action.KEYS_ROTATED, subject=f"{count} values"), by=by, at=at)
    return count


def _no_key_fits(what: str) -> UnreadableSecret:
    return UnreadableSecret(
        f"What is kept for {what} cannot be read with the keys of {VARIABLE}. Put the key that it was encrypted with "
        "back, behind the others."
    )
