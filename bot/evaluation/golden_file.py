"""Golden questions from a JSONL or CSV file."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.domain import StrategyName
from bot.errors import UnusableGolden, UnusableQuestion
from bot.evaluation.golden import TOLD, Golden, GoldenSet, Problems, asked, gathered, words
from knowledge.sources.records.record import explained
from knowledge.sources.records.rows import ENDINGS, Broken, Row, rows

_LONGEST_ID = 120


def _texts(value: object) -> object:
    """One text or several, as a list."""
    if value is None or value == "":
        return ()
    return value if isinstance(value, list) else [value]


_Text = Annotated[str, Field(coerce_numbers_to_str=True)]
_Texts = Annotated[tuple[_Text, ...], BeforeValidator(_texts)]


class _Entry(BaseModel):
    """One line, as people write it."""

    model_config = ConfigDict(extra="ignore", frozen=True, str_strip_whitespace=True)

    question: str
    answer: _Texts = ()
    source: _Texts = ()
    rubric: str = ""
    group: _Text = ""
    id: Annotated[str, Field(coerce_numbers_to_str=True, max_length=_LONGEST_ID)] = ""
    strategy: StrategyName | None = None


FIELDS = tuple(_Entry.model_fields)
"""What a line may say."""


def read_golden(file: Path) -> GoldenSet:
    """The golden questions of a file, line by line. What cannot be used is left out and told with its line.

    Raises UnusableGolden where the file cannot be read, or where nothing in it can be used.
    """
    problems, gathering = Problems(), _Gathering()
    if file.suffix.lower() not in ENDINGS:
        raise UnusableGolden(f"{file} is no file of golden questions: its name must end in {', '.join(ENDINGS)}.")
    try:
        with file.open("rb") as opened:
            if opened.read(2) in (b"\xff\xfe", b"\xfe\xff"):
                raise UnusableGolden(f"{file} is in UTF-16. Save it in UTF-8.")
            opened.seek(0)
            for row in rows(opened, file):
                gathering.take(row, problems)
    except OSError as error:
        raise UnusableGolden(f"{file} cannot be read ({error.strerror}).") from error
    except csv.Error as error:
        raise UnusableGolden(f"{file} cannot be read as CSV: {error}. Mend that line.") from error
    return gathered(gathering.all, str(file), problems, _unknown_fields(gathering.unknown))


@dataclass(slots=True)
class _Gathering:
    """The questions of a file as they come, and the fields that are none."""

    all: list[Golden] = field(default_factory=list)
    unknown: dict[str, None] = field(default_factory=dict)

    def take(self, row: Row | Broken, problems: Problems) -> None:
        """One more line."""
        try:
            golden = self._golden(row)
        except _NotGolden as error:
            problems.add(f"Line {row.line}: {error}")
        else:
            self.all.append(golden)

    def _golden(self, row: Row | Broken) -> Golden:
        if isinstance(row, Broken):
            raise _NotGolden(row.reason)
        fields = row.fields if row.fields is not None else _parsed(row.raw)
        if len(self.unknown) < TOLD:
            self.unknown.update(dict.fromkeys(name for name in fields if name not in _Entry.model_fields))
        try:
            entry = _Entry.model_validate(fields)
        except ValidationError as error:
            raise _NotGolden(explained(error)) from None
        return _checked(entry, row.line)


class _NotGolden(Exception):
    """Why a line is no golden question."""


def _parsed(raw: bytes) -> dict[str, object]:
    try:
        fields = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise _NotGolden("it is not in UTF-8. Save the file in UTF-8.") from None
    except (ValueError, RecursionError):
        raise _NotGolden("it is no JSON. Each line is one object in braces.") from None
    if not isinstance(fields, dict):
        raise _NotGolden("it is no JSON object. Each line is one object in braces.")
    return fields


def _checked(entry: _Entry, line: int) -> Golden:
    answers = tuple(answer for answer in entry.answer if answer)
    sources = tuple(source for source in entry.source if source)
    if not (answers or sources or entry.rubric):
        raise _NotGolden("it expects nothing. Give it an answer, a source or a rubric.")
    texts = (entry.question, *answers, *sources, entry.rubric, entry.group, entry.id)
    if any("\0" in text for text in texts):
        raise _NotGolden("it holds a NUL character, which no database takes.")
    try:
        asked(entry.question)
    except UnusableQuestion as error:
        raise _NotGolden(f"its question cannot be answered. {error}") from None
    id = entry.id or hashlib.sha256(" ".join(words(entry.question)).encode()).hexdigest()[:12]
    return Golden(
        id=id,
        question=entry.question,
        answers=answers,
        sources=sources,
        rubric=entry.rubric,
        group=entry.group or id,
        strategy=entry.strategy,
        line=line,
    )


def _unknown_fields(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        near = get_close_matches(name, _Entry.model_fields, n=1)
        hint = f" Did you mean “{near[0]}”?" if near else ""
        yield f"The field “{name}” is not known and was passed over.{hint}"
