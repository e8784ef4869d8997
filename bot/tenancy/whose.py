"""Whose a payload is: the workspace whose installation Slack sent it for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.tenancy.settings import is_workspace

JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Whose:
    """A workspace (T…), and its organisation (E…) where it belongs to one."""

    workspace: str
    enterprise: str | None


def whose(payload: JSON) -> Whose | None:
    """None where it names no workspace.

    Of an event in a channel that companies share, `authorizations` says whose installation it is for: the outer
    `team_id` may be the other company. With an organisation's installation the workspace may be named by
    `context_team_id` or by the person alone.
    """
    authorization = _first(payload.get("authorizations"))
    enterprise = _id(authorization.get("enterprise_id")) or _enterprise(payload)
    named = (
        _mapping(payload.get("view")).get("app_installed_team_id"),
        authorization.get("team_id"),
        *(() if authorization.get("team_id") else (payload.get("context_team_id"),)),
        _id(payload.get("team")),
        payload.get("team_id"),
        _mapping(payload.get("user")).get("team_id"),
        _mapping(payload.get("view")).get("team_id"),
    )
    for identifier in named:
        # An organisation's own id may stand where a workspace's is expected; it is none.
        if isinstance(identifier, str) and is_workspace(identifier):
            return Whose(identifier, enterprise)
    return None


def organisation(payload: JSON) -> str | None:
    """The organisation whose installation an event is for, None where it is a workspace's own."""
    authorization = _first(payload.get("authorizations"))
    is_whole = authorization.get("is_enterprise_install", payload.get("is_enterprise_install"))
    if is_whole in (True, "true"):
        return _id(authorization.get("enterprise_id")) or _enterprise(payload)
    named = payload.get("team_id")
    return named if isinstance(named, str) and named.startswith("E") else None


def _enterprise(payload: JSON) -> str | None:
    team = _mapping(payload.get("team"))
    found = _id(payload.get("enterprise")) or payload.get("enterprise_id") or team.get("enterprise_id")
    return found if isinstance(found, str) and found.startswith("E") else None


def _first(value: object) -> JSON:
    return _mapping(value[0]) if isinstance(value, list) and value else {}


def _mapping(value: object) -> JSON:
    return value if isinstance(value, Mapping) else {}


def _id(value: object) -> str | None:
    found = value.get("id") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) and found else None
