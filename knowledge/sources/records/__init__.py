"""Documents from a JSONL or CSV file: one a line, with its own readers, link and age.

The fields are `id`, `text`, and where wanted `title`, `url`, `readers`, `updated`, `tags` and `author`; others are
passed over.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path

from pydantic import field_validator

from knowledge.errors import SourceUnavailable
from knowledge.sources.kinds import SourceContext, SourceOptions
from knowledge.sources.records.rows import ENDINGS
from knowledge.sources.records.source import RecordsSource

_NAME = re.compile(r"[^\w.-]+")


class RecordsOptions(SourceOptions):
    """Which file is imported."""

    path: Path
    """A file in JSONL (.jsonl, .ndjson) or CSV (.csv, .tsv, with a line of names first)."""

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

    def open(
        self, name: str, readers: frozenset[str], options: RecordsOptions, context: SourceContext
    ) -> RecordsSource:
        """The file."""
        return RecordsSource(name, options.path, readers)


KIND = RecordsKind()


def keep_file(file: Path, folder: Path, name: str) -> Path:
    """Copies a file of records to where it stays, for the source called `name`; the answer is its path there.

    A copy that is there is replaced at once and whole, also while it is read. Raises SourceUnavailable.
    """
    if file.suffix.lower() not in ENDINGS:
        raise SourceUnavailable(f"{file} is no file of records: its name must end in one of {', '.join(ENDINGS)}.")
    # Names that differ in signs alone do not share a copy.
    short = hashlib.sha256(name.encode()).hexdigest()[:8]
    kept = folder / f"{_NAME.sub('-', name)[:60]}-{short}{file.suffix.lower()}"
    part = kept.with_name(f"{kept.name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, part)
        os.replace(part, kept)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SourceUnavailable(
            f"{file} cannot be imported ({error.strerror}). Check that it is there and may be read, and that "
            f"{folder} has room for it."
        ) from error
    return kept
