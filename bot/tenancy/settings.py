"""What the configuration comes to for one workspace of many, and where its data lies."""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy as sa
from pydantic import SecretStr

from bot.config import Own, Section, Settings
from bot.errors import ConfigError
from knowledge import access

_ID = re.compile(r"T[A-Z0-9]{1,30}")


def is_workspace(identifier: str) -> bool:
    """Whether this is a workspace's id as Slack makes them: only such a one names a folder or a schema."""
    return _ID.fullmatch(identifier) is not None


def folder_of(settings: Settings, workspace: str) -> Path:
    """The folder of a workspace's data."""
    if not is_workspace(workspace):
        raise ValueError(f"{workspace!r} is no workspace's id")
    return settings.data_dir / "workspaces" / workspace


def schema_of(workspace: str) -> str:
    """The name of its schema in PostgreSQL."""
    if not is_workspace(workspace):
        raise ValueError(f"{workspace!r} is no workspace's id")
    return f"workspace_{workspace.lower()}"


def settings_of(settings: Settings, workspace: str) -> Settings:
    """The settings of one workspace: its own data folder and database, and what `[workspaces.T…]` says otherwise.

    On PostgreSQL the address itself holds the search path, so that every connection, whoever opens it, sees the tables
    of this workspace alone.
    """
    url = settings.storage.url.get_secret_value()
    changes: dict[str, object] = {
        "data_dir": folder_of(settings, workspace),
        "storage": settings.storage.model_copy(update={"url": SecretStr(_within(url, schema_of(workspace)))}),
        "workspaces": {},
    }
    own = settings.workspaces.get(workspace, Own())
    for name in own.model_fields_set:
        changes[name] = _merged(getattr(settings, name), getattr(own, name))
    return settings.model_copy(update=changes)


def _within(url: str, schema: str) -> str:
    if not url.startswith("postgresql"):
        return ""  # a file in the workspace's own folder
    address = sa.make_url(url)
    before = address.query.get("options", "")
    options = " ".join([*([before] if isinstance(before, str) else before), f"-csearch_path={schema}"]).strip()
    return address.update_query_dict({"options": options}).render_as_string(hide_password=False)


def _merged(shared: Section, own: Section) -> Section:
    return shared.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})


def check_shared(settings: Settings) -> None:
    """Raises ConfigError where the configuration names channels or people for all workspaces.

    Their ids belong to one workspace: in another the same id may be somebody else.
    """
    named = {
        "slack.admins": settings.slack.admins,
        "slack.answer_channels": settings.slack.answer_channels,
        "selection.stay_local": settings.selection.stay_local,
        "report.channel": settings.report.channel,
        "report.channels": settings.report.channels,
        "readers of sources": [s.name for s in settings.knowledge.specs if s.readers != access.PUBLIC],
        "sources of kind slack": [s.name for s in settings.knowledge.specs if s.kind == "slack"],
    }
    wrong = [name for name, value in named.items() if value]
    if wrong:
        raise ConfigError(
            f"With OAuth, ids of channels and people belong to one workspace each. Move {', '.join(wrong)} to that "
            "workspace's own table, for example [workspaces.T0123.report]."
        )
