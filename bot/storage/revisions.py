"""The schema's revisions: which one a database has, which ones this version knows, and the way from one to another."""

from __future__ import annotations

import importlib.util
import threading
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from bot.errors import NewerSchema

_LOCK = 0x5317CB0A
"""PostgreSQL's advisory lock under which a schema is changed: whoever comes second finds it done."""

_ALEMBIC = threading.Lock()  # what it runs with is global


@dataclass(frozen=True, slots=True)
class Package:
    """A package with migrations. `location`: where its scripts are, as `package:folder`; `table` keeps its revision."""

    location: str
    table: str

    @property
    def name(self) -> str:
        """As a person is told of it."""
        return "knowledge" if self.location.startswith("knowledge:") else "bot"

    def known(self) -> list[str]:
        """The revisions that this version knows, oldest first."""
        scripts = ScriptDirectory.from_config(self._config())
        return [script.revision for script in scripts.walk_revisions()][::-1]

    def found(self, connection: Connection) -> str | None:
        """The database's revision; None where it has no tables yet."""
        if not sa.inspect(connection).has_table(self.table):
            return None
        revision: str | None = connection.execute(
            sa.select(sa.column("version_num")).select_from(sa.table(self.table))
        ).scalar()
        return revision

    def check(self, connection: Connection) -> str | None:
        """The database's revision. Raises NewerSchema where this version does not know it."""
        found, known = self.found(connection), self.known()
        if found is not None and found not in known:
            raise NewerSchema(
                f"The database was written by a newer Switchboard: the schema of its {self.name} is {found}, and this "
                f"version ({version('switchboard')}) knows {known[0]} to {known[-1]}. Nothing was changed. Start the "
                "newer version again, or restore the backup from before it into an empty database: "
                "`switchboard restore FILE`."
            )
        return found

    def upgrade(self, connection: Connection, revision: str = "head") -> None:
        """Brings the database up to a revision, in the transaction that the connection is in. One process at a time
        does; raises NewerSchema as `check` does."""
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        self.check(connection)
        with _ALEMBIC:
            command.upgrade(self._config(connection), revision)

    def downgrade(self, connection: Connection, revision: str = "base") -> None:
        """Takes the database back to a revision."""
        with _ALEMBIC:
            command.downgrade(self._config(connection), revision)

    def _config(self, connection: Connection | None = None) -> Config:
        package, _, folder = self.location.partition(":")
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise ValueError(f"{package} is not an installed package")
        config = Config()
        config.set_main_option("script_location", str(Path(spec.submodule_search_locations[0]) / folder))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        config.attributes["version_table"] = self.table
        return config


BOT = Package("bot.storage:migrations", "alembic_version")
KNOWLEDGE = Package("knowledge:migrations", "knowledge_version")
PACKAGES = (BOT, KNOWLEDGE)
