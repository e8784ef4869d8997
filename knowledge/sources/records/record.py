"""One record: its fields, checked, and what is wrong with one that is none."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator

from knowledge import access
from knowledge.errors import InvalidScope
from knowledge.sources.names import printable

_LONGEST_ID = 500  # characters
_SPACES_OR_COMMAS = re.compile(r"[\s,]+")


class Record(BaseModel):
    """One record of the file."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(validation_alias=AliasChoices("id", "_id"), max_length=_LONGEST_ID, coerce_numbers_to_str=True)
    text: str
    title: str | None = None
    url: str | None = None
    readers: frozenset[str] | None = None
    updated: datetime | None = None
    tags: frozenset[str] = frozenset()
    author: str | None = None

    @field_validator("id")
    @classmethod
    def _id_is_there(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("it is empty")
        return printable(value.strip())

    @field_validator("url")
    @classmethod
    def _url_is_of_the_web(cls, value: str | None) -> str | None:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("it does not begin with https:// or http://")
        return value or None

    @field_validator("readers", mode="before")
    @classmethod
    def _readers_are_scopes(cls, value: object) -> object:
        if value is None:
            return None
        parts = _SPACES_OR_COMMAS.split(value.strip()) if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise ValueError("write them as a list, or as text with spaces between")
        try:
            scopes = access.parse_scopes(parts)
        except InvalidScope as error:
            raise ValueError(str(error)) from None
        if not scopes:
            raise ValueError("nobody may read it; leave readers out for those of the source")
        return scopes

    @field_validator("updated")
    @classmethod
    def _time_has_a_zone(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

    @field_validator("tags", mode="before")
    @classmethod
    def _tags_are_words(cls, value: object) -> object:
        if isinstance(value, str):
            value = value.split(",")
        return [tag.strip() for tag in value if str(tag).strip()] if isinstance(value, list) else value or []


def explained(error: ValidationError) -> str:
    """What is wrong with a record, in words."""
    parts = []
    for item in error.errors(include_url=False, include_input=False):
        field = str(item["loc"][0]) if item["loc"] else ""
        reason = str(item["msg"]).removeprefix("Value error, ").rstrip(".")
        reason = f"{reason[:1].lower()}{reason[1:]}"
        if item["type"] == "missing":
            parts.append(f"it has no {field}")
        else:
            parts.append(f"{field}: {reason}" if field else reason)
    return "; ".join(parts) + "."
