"""Reads the files of cards: TOML tables, the user's over the shipped ones, checked with a sentence for each mistake."""

from __future__ import annotations

import difflib
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.errors import ConfigError
from bot.models.cards import FACTS

Entry = TypeVar("Entry", bound=BaseModel)
Tables = dict[str, dict[str, Any]]
Kind = Literal["models", "providers"]

SHIPPED = "cards.toml"
_RENAMED = {"open_weights": "openness = { weights = true }"}


def shipped_tables() -> dict[str, Any]:
    """cards.toml with the models of the families that it names, in their order, before its own."""
    folder = resources.files("bot.models")
    tables = tomllib.loads(folder.joinpath(SHIPPED).read_text("utf-8"))
    models: list[dict[str, Any]] = []
    for family in tables.pop("families"):
        text = folder.joinpath("families", f"{family}.toml").read_text("utf-8")
        models += tomllib.loads(text)["models"]
    return {**tables, "models": [*models, *tables["models"]]}


def own_tables(path: Path) -> dict[str, Any]:
    """The user's file. Raises ConfigError where it cannot be read or has other tables than it may have."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The models file {path} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The models file {path} is not valid TOML: {error}.") from error
    if unknown := sorted(set(tables) - set(get_args(Kind))):
        raise ConfigError(f"The models file {path} has “{unknown[0]}”; it may have [[models]] and [[providers]] alone.")
    return tables


def named(tables: dict[str, Any], kind: Kind, where: str) -> Tables:
    """The entries under [[kind]] by name. Raises ConfigError where one has no name, or two have the same."""
    entries = tables.get(kind, [])
    if not isinstance(entries, list):
        raise ConfigError(f"In {where}, write [[{kind}]] with two brackets, one such heading for each entry.")
    found: Tables = {}
    for entry in entries:
        name = entry.get("name")
        if not isinstance(name, str):
            raise ConfigError(f"In {where}, an entry under [[{kind}]] has no name.")
        if name.casefold() in {other.casefold() for other in found}:
            raise ConfigError(f"In {where}, two entries under [[{kind}]] are called “{name}”. Rename one.")
        found[name] = entry
    return found


def merged(own: Tables, shipped: Tables) -> Tables:
    """Own entries first, each completed by the shipped one of its name in any case; then the other shipped ones."""
    spelt = {name.casefold(): name for name in shipped}
    over = {spelt.get(name.casefold(), name): {**table} for name, table in own.items()}
    for name, table in over.items():
        table["name"] = name
        _complete(table, shipped.get(name, {}))
    return {**over, **{name: table for name, table in shipped.items() if name not in over}}


def likened(models: Tables, providers: Tables, where: str) -> Tables:
    """Each entry that is `like` another with that one's facts, where it does not state them itself."""
    return {name: _with_facts(name, models, providers, where, ()) for name in models}


def checked(kind: type[Entry], table: dict[str, Any], where: str) -> Entry:
    """The entry as a value. Raises ConfigError that names the field, and the nearest where it was mistyped."""
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        # A name that was mistyped is named before the field that is missing because of it.
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        # A lone table of rates is kept as a list of one.
        path = first["loc"] if "dated" not in first["loc"] else (first["loc"][0], *first["loc"][3:])
        field = ".".join(str(part) for part in path)
        of = f"“{field}” of “{table['name']}”" if field else f"“{table['name']}”"
        raise ConfigError(f"In {where}, {of} {_problem(kind, first)}") from error


def _with_facts(name: str, models: Tables, providers: Tables, where: str, seen: tuple[str, ...]) -> dict[str, Any]:
    table = models[name]
    like = table.get("like", "")
    if not like:
        return table
    if name in seen:
        raise ConfigError(f"In {where}, {' is like '.join(f'“{one}”' for one in [*seen, name])}: one must stand alone.")
    known = {other.casefold(): other for other in models}
    if not isinstance(like, str) or like.casefold() not in known:
        near = difflib.get_close_matches(str(like).casefold(), known, n=1)
        hint = f" Did you mean “{known[near[0]]}”?" if near else ""
        raise ConfigError(f"In {where}, “{name}” is like “{like}”, but no model has that name.{hint}")
    base = _with_facts(known[like.casefold()], models, providers, where, (*seen, name))
    table = {**table, "like": known[like.casefold()]}
    _complete(table, {fact: base[fact] for fact in FACTS if fact in base})
    if "title" not in table and "title" in base:
        server = providers.get(table.get("provider", ""), {})
        table["title"] = f"{base['title']} on {server.get('title') or table.get('provider')}"
    return table


def _complete(table: dict[str, Any], other: dict[str, Any]) -> None:
    """Adds what `other` states and `table` does not, also inside the five disclosures."""
    mine, theirs = table.get("openness"), other.get("openness")
    for field, value in other.items():
        table.setdefault(field, value)
    if isinstance(mine, dict) and isinstance(theirs, dict):
        table["openness"] = {**theirs, **mine}


def _problem(kind: type[BaseModel], error: ErrorDetails) -> str:
    """What is wrong with a field, and what it might have been meant to be."""
    if error["type"] == "extra_forbidden":
        field = str(error["loc"][-1])
        if field in _RENAMED:
            return f"is written {_RENAMED[field]} now."
        known = _fields(kind, error["loc"][:-1])
        near = difflib.get_close_matches(field, known, n=1)
        all_of_them = f". There are: {', '.join(known)}." if len(error["loc"]) > 1 else "."
        return "is not a known field" + (f"; did you mean “{near[0]}”?" if near else all_of_them)
    if error["type"] == "literal_error":
        choices = [choice.strip("'") for choice in error["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        near = difflib.get_close_matches(str(error["input"]), choices, n=1)
        hint = f" Did you mean “{near[0]}”?" if near else ""
        return f"cannot be “{error['input']}”.{hint} There are: {', '.join(choices)}."
    return f"is wrong: {error['msg'].removeprefix('Value error, ')}."


def _fields(kind: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The fields of the table at `path` inside an entry."""
    for part in path:
        if isinstance(part, int):
            continue
        annotation = kind.model_fields[part].annotation
        candidates = [annotation, *get_args(annotation)]
        kind = next(one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel))
    return list(kind.model_fields)
