"""Documents from a JSONL or CSV file: one a line, with its own readers, link and age.

The fields are `id`, `text`, and where wanted `title`, `url`, `readers`, `updated`, `tags` and `author`; others are
passed over.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import field_validator

from knowledge.database import Database
from knowledge.errors import SourceUnavailable
from knowledge.sources.base import Source
from knowledge.sources.kinds import DATABASE, SourceContext, SourceOptions
from knowledge.sources.records.kept import KeptRecordsSource
from knowledge.sources.records.rows import ENDINGS
from knowledge.sources.records.source import RecordsSource


class RecordsOptions(SourceOptions):
    """Which file is imported."""

    path: Path
    """A file in JSONL (.jsonl, .ndjson) or CSV (.csv, .tsv, with a line of names first)."""
    digest: str = ""
    """What the file was when it was imported: its records are in the database, and `path` is its name alone."""

    @field_validator("path")
    @classmethod
    def _ending_is_known(cls, path: Path) -> Path:
        if path.suffix.lower() not in ENDINGS:
            raise ValueError(f"its name must end in one of {', '.join(ENDINGS)}")
        return path


class RecordsKind:
    """Imported files, as a kind of source."""

    name = "import"
    options = RecordsOptions

    def recognise(self, text: str) -> dict[str, object] | None:
        """The path of a file of records that is there."""
        is_path = text.startswith(("/", "~")) and text.lower().endswith(ENDINGS)
        return {"path": text} if is_path and Path(text).expanduser().is_file() else None

    def open(self, name: str, readers: frozenset[str], options: RecordsOptions, context: SourceContext) -> Source:
        """The file where it is, or its records where it was imported. Raises SourceUnavailable where there is no
        database to find them in."""
        if not options.digest:
            return RecordsSource(name, options.path, readers)
        database = context.services.get(DATABASE)
        if not isinstance(database, Database):
            raise SourceUnavailable(f"The records of “{name}” are in a database, and none is open here.")
        return KeptRecordsSource(name, options.digest, readers, database)


KIND = RecordsKind()
