"""Every setting with its value, where that comes from, and what it does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy.engine import make_url

from bot.config.reading import document_of, file_or_default
from bot.config.sections import ExchangeRate, Folder, SourceTable
from bot.config.settings import PREFIX, Settings, fields_of


@dataclass(frozen=True, slots=True)
class Explained:
    """One setting for a person: its key, its value (masked where secret), where that comes from, what it does."""

    key: str
    value: str
    origin: str
    help: str


def explain(settings: Settings, file: Path | None = None) -> list[Explained]:
    """Every setting with its value and where it comes from, in the order of the sections."""
    chosen = file_or_default(file)
    document = document_of(chosen)
    rows = []
    for path, info in fields_of(Settings):
        value: Any = settings
        written: Any = document
        for name in path:
            value = getattr(value, name)
            written = written.get(name) if isinstance(written, Mapping) else None
        variable = PREFIX + "__".join(path).upper()
        given = next((name for name in (variable, f"{variable}_FILE") if name in os.environ), None)
        origin = given if given else str(chosen) if written is not None else "default"
        rows.append(Explained(".".join(path), _shown(value), origin, " ".join((info or "").split())))
    return rows


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        return make_url(text).render_as_string(hide_password=True) if text else ""
    if isinstance(value, tuple):
        return ", ".join(
            str(v.path) if isinstance(v, Folder) else v.name if isinstance(v, SourceTable) else str(v) for v in value
        )
    if isinstance(value, dict):
        return ", ".join(
            f"{name} at {each.dollars:f} of {each.date}" if isinstance(each, ExchangeRate) else name
            for name, each in value.items()
        )
    return "" if value is None else str(value)
