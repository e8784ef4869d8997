"""JSON and tables on a console: for people on a terminal, plain for whatever else reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

_PIPED_WIDTH = 200


def print_json(out: Console, value: Any, default: Callable[[Any], Any] = str) -> None:
    """Prints a value; `default` makes JSON of what JSON has no word for."""
    text = json.dumps(value, indent=2, default=default, ensure_ascii=False)
    if out.is_terminal:
        out.print_json(text)
    else:  # a long document takes seconds to be coloured, which nobody would see
        out.file.write(f"{text}\n")


def table_of(*titles: str) -> Table:
    """A table without lines; what is too long for its column goes on below."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def print_table(out: Console, table: Table) -> None:
    """A terminal's lines are kept to its width; in a pipe or a file nothing has to be folded."""
    page = out if out.is_terminal else Console(file=out.file, width=_PIPED_WIDTH, highlight=False)
    page.print(table)
