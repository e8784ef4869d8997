"""CSV and TSV: one table, with the first line as its head."""

from __future__ import annotations

import csv
import io

from knowledge.documents import Block, BlockKind, Content
from knowledge.errors import DocumentUnreadable
from knowledge.sources.parsers.base import decode

_LOOKED_AT = 4096


def parse(data: bytes, name: str) -> Content:
    """The content of a table in text. Raises DocumentUnreadable."""
    text = decode(data, name)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), _dialect(text)) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DocumentUnreadable(f"{name} is not a readable table: {error}.") from error
    if not rows:
        return Content(())
    return Content((Block(BlockKind.TABLE, to_markdown(rows)),))


def to_markdown(rows: list[list[str]]) -> str:
    """Rows of cells as a Markdown table, the first row as its head."""
    width = max(len(row) for row in rows)
    lines = ["| " + " | ".join(_cell(cell) for cell in [*row, *[""] * (width - len(row))]) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _dialect(text: str) -> type[csv.Dialect]:
    try:
        return csv.Sniffer().sniff(text[:_LOOKED_AT], ",;\t|")
    except csv.Error:
        return csv.excel_tab if "\t" in text.partition("\n")[0] else csv.excel
