"""The kinds of sources that can be configured: those of the package, and those that others register.

A kind registers under the entry point group `switchboard.sources` with the name of an object that has the shape of
`SourceKind`. The kinds of this package do the same, so there is one way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from knowledge import access
from knowledge.errors import SourceUnavailable, UnknownSource
from knowledge.sources.base import Source
from knowledge.sources.unavailable import UnavailableSource

GROUP = "switchboard.sources"
DATABASE = "database"
"""The service that what is kept for a source comes from: a `knowledge.database.Database`."""
_log = structlog.get_logger(__name__)


class SourceOptions(BaseModel):
    """What a kind of source is told; each kind has its own. A key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What the program lends a source.

    `cache_dir` is the source's own folder, which may be deleted at any time and need not exist yet. `secret` gives the
    secret of a name, or None. `services` are connections that the program has open, by name ("slack", "database").
    """

    cache_dir: Path
    secret: Callable[[str], str | None]
    services: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source as it is configured: `options` are the kind's own, not yet checked."""

    name: str
    kind: str
    readers: frozenset[str]
    options: Mapping[str, object]


class SourceKind(Protocol):
    """One kind of source."""

    @property
    def name(self) -> str:
        """What it is called in the configuration."""
        ...

    @property
    def options(self) -> type[SourceOptions]:
        """The model of its options."""
        ...

    def recognise(self, text: str) -> dict[str, object] | None:
        """The options for what a person wrote (an address, a path, a channel); None where it means nothing here."""
        ...

    def open(self, name: str, readers: frozenset[str], options: Any, context: SourceContext) -> Source:
        """The source. `options` is a checked instance of the kind's model. Raises SourceUnavailable."""
        ...


@cache
def kinds() -> dict[str, SourceKind]:
    """All kinds that are installed, by name; one that cannot be loaded is told in the log and left out."""
    loaded: dict[str, SourceKind] = {}
    for entry in entry_points(group=GROUP):
        try:
            kind = entry.load()
        except Exception as error:  # somebody else's module, which may fail in any way and may not take the rest down
            _log.warning("knowledge.kind_failed", kind=entry.name, module=entry.value, reason=type(error).__name__)
            continue
        loaded[kind.name] = kind
    return loaded


def kind_of(name: str) -> SourceKind:
    """The kind called `name`. Raises UnknownSource with those that there are."""
    known = kinds()
    if name not in known:
        raise UnknownSource(f"There is no kind of source called “{name}”. There are: {', '.join(sorted(known))}.")
    return known[name]


def open_source(spec: SourceSpec, context: SourceContext) -> Source:
    """The source of a specification; one that cannot be opened says why at every refresh.

    Raises InvalidScope and UnknownSource, which are mistakes of whoever wrote the specification.
    """
    readers = access.parse_scopes(spec.readers)
    kind = kind_of(spec.kind)
    try:
        options = kind.options.model_validate(dict(spec.options))
        return kind.open(spec.name, readers, options, context)
    except ValidationError as error:
        return UnavailableSource(spec.name, spec.kind, f"The source “{spec.name}”: {explained(error)}")
    except SourceUnavailable as error:
        return UnavailableSource(spec.name, spec.kind, str(error))


def explained(error: ValidationError) -> str:
    """What is wrong with options, in words, without their values: one may be a secret in the wrong place."""
    parts = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            parts.append(f"it has no option {key}")
        elif item["type"] == "missing":
            parts.append(f"the option {key} is missing")
        else:
            reason = str(item["msg"]).removeprefix("Value error, ").rstrip(".")
            parts.append(f"{key}: {reason[:1].lower()}{reason[1:]}" if key else reason)
    return "; ".join(parts) + "."
