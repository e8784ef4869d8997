"""JSON on a console: in colours on a terminal, plain for whatever reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rich.console import Console


def print_json(out: Console, value: Any, default: Callable[[Any], Any] = str) -> None:
    """Prints a value; `default` makes JSON of what JSON has no word for."""
    text = json.dumps(value, indent=2, default=default, ensure_ascii=False)
    if out.is_terminal:
        out.print_json(text)
    else:  # a long document takes seconds to be coloured, which nobody would see
        out.file.write(f"{text}\n")
