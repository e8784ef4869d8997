"""What a Markdown file says about itself in front of its text: YAML between `---`, TOML between `+++`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

_FRONT = re.compile(r"\A(---|\+\+\+)[ \t]*\n(.*?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_LONGEST = 20_000
_FIELD = re.compile(r"^(\w+)\s*:\s*(.+?)\s*$", re.MULTILINE)
_TAGS = ("tags", "keywords", "categories", "labels")
_UPDATED = ("updated", "lastmod", "last_modified", "last_updated", "modified", "date")
_MOST_TAGS = 20
_LONGEST_TAG = 60


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What was said; None and empty where nothing was. `length` counts the characters that it takes in the file."""

    length: int = 0
    title: str | None = None
    author: str | None = None
    updated: datetime | None = None
    tags: frozenset[str] = frozenset()


def read_front_matter(text: str) -> FrontMatter:
    """The front matter that a text begins with; an empty one where there is none."""
    match = _FRONT.match(text)
    if match is None:
        return FrontMatter()
    fields = {str(key).lower(): value for key, value in _fields(match[1], match[2]).items()}
    author = fields.get("author", fields.get("authors"))
    return FrontMatter(
        length=match.end(),
        title=_word(fields.get("title")),
        author=", ".join(_words(author)) or None,
        updated=next((moment for key in _UPDATED if (moment := _moment(fields.get(key)))), None),
        tags=frozenset(
            [tag.casefold() for key in _TAGS for tag in _words(fields.get(key)) if len(tag) <= _LONGEST_TAG][
                :_MOST_TAGS
            ]
        ),
    )


def _fields(mark: str, text: str) -> Mapping[Any, Any]:
    """The fields; those of broken front matter line by line."""
    import yaml  # a tenth of a second that only those pay who have such files

    try:
        read = tomllib.loads(text) if mark == "+++" else yaml.safe_load(text[:_LONGEST])
    except (yaml.YAMLError, tomllib.TOMLDecodeError, ValueError, RecursionError):
        read = None
    if isinstance(read, dict):
        return read
    return {key.lower(): value.strip("\"'") for key, value in _FIELD.findall(text)}


def _words(value: object) -> list[str]:
    """One or several names: a list, or a line with commas."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, Iterable) or isinstance(value, Mapping):
        value = [value]
    said = (_word(one.get("name") if isinstance(one, Mapping) else one) for one in value)
    return [word for word in said if word]


def _word(value: object) -> str | None:
    return " ".join(str(value).split()) or None if isinstance(value, (str, int, float)) else None


def _moment(value: object) -> datetime | None:
    """A date or a time; one without a zone is taken for UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, date) else None
