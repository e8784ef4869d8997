"""Examples as a CSV file: read with a sentence for each line that cannot be taken, and written in the same form."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from bot.errors import UnusableExamples
from bot.learning.reviewed import Draft, Reviewed

COLUMNS = ("question", "answer", "tags", "valid_until")
MOST_ROWS = 2000
MOST_BYTES = 5_000_000
LONGEST_CELL = 100_000
"""Characters: more is a quotation mark that nothing closes."""
_SHOWN = 5
_LIKE_A_FORMULA = re.compile(r"^[=+\-@\t\r]")
_LED = re.compile(r"^'(?=[=+\-@\t\r])")
_FORM = f"The first line names the columns: {', '.join(COLUMNS)}; the last two may be left out."


@dataclass(slots=True)
class Parsed:
    """`drafts` with the `lines` that they stand in; `left_out`: a phrase for each line that is none, such as "line 7
    has no answer"; `extra`: the columns that mean nothing here."""

    drafts: list[Draft] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    extra: tuple[str, ...] = ()


def parse(data: bytes, name: str, today: date) -> Parsed:
    """What the file called `name` says: UTF-8 with or without BOM, with commas or semicolons. Raises UnusableExamples
    where it cannot be read at all."""
    if len(data) > MOST_BYTES:
        raise UnusableExamples(f"{name} has {len(data) / 1e6:,.1f} MB, and {MOST_BYTES / 1e6:,.0f} fit. Split it.")
    rows = list(_rows(_decoded(data, name), name))
    if not rows:
        raise UnusableExamples(f"{name} is empty. {_FORM}")
    (_, header), *rows = rows
    columns = [column.strip().casefold() for column in header]
    for needed in COLUMNS[:2]:
        if needed not in columns:
            raise UnusableExamples(f"{name} has no column “{needed}”. {_FORM}")
    if len(rows) > MOST_ROWS:
        raise UnusableExamples(f"{name} has {len(rows):,} examples, and {MOST_ROWS:,} fit at once. Split it.")
    found = Parsed(extra=tuple(each for each in columns if each and each not in COLUMNS))
    for line, row in rows:
        cells = dict(zip(columns, (_LED.sub("", cell) for cell in row), strict=False))
        draft, wrong = _draft(cells, today)
        if len(row) > len(columns):
            wrong = [f"has {len(row)} cells, and the first line {len(columns)}"]
        if wrong:
            found.left_out.append(f"line {line} {wrong[0]}")
        else:
            found.drafts.append(draft)
            found.lines.append(line)
    return found


def written(examples: Iterable[Reviewed]) -> str:
    """The examples as a file that `parse` reads. What a spreadsheet would take for a formula is led by an
    apostrophe."""
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for one in examples:
        example, last = one.example, one.valid_until
        cells = (example.question, example.answer, ", ".join(example.tags), last.isoformat() if last else "")
        rows.writerow(_LIKE_A_FORMULA.sub(r"'\g<0>", cell) for cell in cells)
    return out.getvalue()


def tags_in(text: str) -> list[str]:
    """The tags in a text, with commas or semicolons between them."""
    return [tag.strip() for tag in re.split(r"[,;\n]", text) if tag.strip()]


def summary(kept: int, merged: int, left_out: list[str], extra: Iterable[str] = ()) -> str:
    """What came of a file, such as "12 kept, 3 merged with ones that were there, 1 left out: line 7 has no answer."."""
    parts = [f"{kept:,} kept"]
    parts += [f"{merged:,} merged with {'one' if merged == 1 else 'ones'} that asked the same"] if merged else []
    if left_out:
        more = f" and {len(left_out) - _SHOWN:,} more" if len(left_out) > _SHOWN else ""
        parts.append(f"{len(left_out):,} left out: {'; '.join(left_out[:_SHOWN])}{more}")
    named = ", ".join(f"“{each}”" for each in extra)
    return f"{', '.join(parts)}.{f' I passed over what I do not know: {named}.' if named else ''}"


def _draft(cells: dict[str, str], today: date) -> tuple[Draft, list[str]]:
    last, wrong = cells.get("valid_until", "").strip(), []
    valid_until = None
    if last:
        try:
            valid_until = date.fromisoformat(last)
        except ValueError:
            wrong = [f"has “{last[:20]}” as its last day, which is no date such as 2027-01-31"]
    draft = Draft.of(cells.get("question", ""), cells.get("answer", ""), tags_in(cells.get("tags", "")), valid_until)
    return draft, [*wrong, *(phrase for _, phrase in draft.wrong(today))]


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UnusableExamples(
            f"{name} is not UTF-8: line {line} has a byte that does not belong there. Save it as “CSV UTF-8”."
        ) from None


def _rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the line that it begins in."""
    first = text.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    line = 1
    try:
        for row in reader:
            if any(len(cell) > LONGEST_CELL for cell in row):  # the module's own limit is the whole program's
                raise csv.Error(f"field larger than field limit ({LONGEST_CELL})")
            if any(cell.strip() for cell in row):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnusableExamples(f"{name} cannot be read as CSV from line {line} on: {error}.") from None
