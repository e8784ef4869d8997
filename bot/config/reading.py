"""Reads the configuration file and the environment, and says what is wrong with them, in one line for each thing."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from bot.config.nearest import did_you_mean
from bot.config.sections import Folder
from bot.config.settings import PREFIX, Settings, fields_of
from bot.errors import ConfigError

DEFAULT_FILE = Path("switchboard.toml")


def load_settings(file: Path | None = None) -> Settings:
    """Reads the file (`switchboard.toml` where it exists and none is named) and the environment.

    Raises ConfigError with one line for each thing that is wrong, and the nearest known key for each unknown one.
    """
    if file is not None and not file.is_file():
        raise ConfigError(f"There is no configuration file {file}. Copy switchboard.example.toml to start one.")
    chosen = file_or_default(file)
    wrong = [*_secrets_in_file(document_of(chosen)), *_unknown_variables()]
    source = type("FileSettings", (Settings,), {"_file": chosen, "__module__": __name__, "__annotations__": {}})
    try:
        settings: Settings = source()
    except ValidationError as error:
        wrong += [_sentence(item) for item in error.errors() if not _told(item, wrong)]
    if wrong:
        raise ConfigError("\n".join(dict.fromkeys(wrong)))
    return settings


def file_or_default(file: Path | None) -> Path | None:
    """The file that is named, else `switchboard.toml` where it exists."""
    return file or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)


def document_of(file: Path | None) -> dict[str, Any]:
    """What stands in the file; nothing where there is none. Raises ConfigError."""
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}. Mend that line and start again.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} could not be read: {error}.") from error


def _secrets_in_file(document: Mapping[str, Any]) -> list[str]:
    found = []
    for section, values in document.items():
        for key, value in values.items() if isinstance(values, Mapping) else ():
            if key in {"bot_token", "app_token", "signing_secret", "api_key"}:
                variable = f"{section}_{key}".upper()
                found.append(
                    f"[{section}] {key}: secrets are not read from the file. Set {variable} in the environment, or "
                    f"{variable}_FILE to a file that holds it."
                )
            if (section, key) == ("storage", "url") and isinstance(value, str) and _has_password(value):
                found.append(f"[storage] url holds a password. Set {PREFIX}STORAGE__URL in the environment instead.")
    return found


def _has_password(url: str) -> bool:
    try:
        return make_url(url).password is not None
    except ArgumentError:
        return False


def _unknown_variables() -> list[str]:
    known = {PREFIX + "__".join(path).upper() for path, _ in fields_of(Settings)}
    sections = {PREFIX + name.upper() for name in Settings.model_fields}
    return [
        f"The environment variable {name} sets nothing{did_you_mean(name, known)}"
        for name in os.environ
        if name.startswith(PREFIX) and name not in known | sections | _NO_SETTINGS
    ]


# The configuration's own place, and keys, which are secrets: see bot.vault.
_NO_SETTINGS = frozenset(PREFIX + name for name in ("CONFIG", "KEYS", "KEYS_FILE", "STORAGE__URL_FILE"))


def _told(item: Any, wrong: Sequence[str]) -> bool:
    """Whether an unknown key was already named as a secret or as an environment variable."""
    path = [str(part) for part in item["loc"]]
    names = (f"[{path[0]}] {path[-1]}:", PREFIX + "__".join(path).upper() + " ")
    return item["type"] == "extra_forbidden" and any(name in line for line in wrong for name in names)


def _sentence(item: Any) -> str:
    path = [str(part) for part in item["loc"]]
    key = ".".join(path)
    if item["type"] == "extra_forbidden":
        return f"There is no setting {key}{did_you_mean(key, _known_keys())}"
    reason = str(item["msg"]).removeprefix("Value error, ").rstrip(".?")
    if not path:  # it is about several settings, which it names
        return f"{reason}."
    return f"{key}: {reason[:1].lower()}{reason[1:]}{'?' if 'Did you mean' in reason else '.'}"


def _known_keys() -> list[str]:
    keys = [".".join(path) for path, _ in fields_of(Settings)]
    folder = [f"knowledge.folders.0.{name}" for name in Folder.model_fields]
    return [*Settings.model_fields, *keys, *folder]
