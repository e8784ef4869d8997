"""`switchboard workspaces`: who installed the bot, and taking a workspace out."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import sqlalchemy as sa
from aiohttp import ClientError
from rich.console import Console
from rich.markup import escape
from slack_sdk.errors import SlackApiError

from bot.audit import COMMAND_LINE
from bot.config import Settings
from bot.errors import ConfigError, UnusableWords
from bot.printing import print_json, print_table, table_of
from bot.secrets import slack_secrets
from bot.storage.engine import open_existing
from bot.storage.installations import tenants as tenant_rows
from bot.tenancy.client import REFUSED
from bot.tenancy.oauth import OAuth
from bot.tenancy.registry import KEPT_DAYS, Installation, Registry, Tenant
from bot.tenancy.settings import is_workspace, settings_of
from bot.vault import Vault
from handlers.slack_client import slack_session

_NONE_YET, _WHAT = "No workspace has installed the bot yet", "The installations"


async def list_all(settings: Settings, out: Console, as_json: bool) -> None:
    """Prints every workspace that has or had a house, and what of an installation has none yet."""
    async with _opened(settings) as registry:
        installations = {each.id: each for each in await registry.installations()}
        tenants = await registry.tenants()
    if as_json:
        kept = {name: _told(each) for name, each in installations.items()}
        print_json(out, {"installations": kept, "workspaces": [dataclasses.asdict(each) for each in tenants]})
        return
    if not installations and not tenants:
        out.print(f"{_NONE_YET}. `switchboard run` prints where they do.")
        return
    table = table_of("id", "name", "installed by", "since", "how it stands")
    served = {tenant.id for tenant in tenants}
    for tenant in tenants:
        serving = installations.get(tenant.installation) if tenant.left_at is None else None
        by = serving.installed_by if serving is not None else ""
        table.add_row(tenant.id, escape(tenant.name), by, f"{tenant.opened_at:%Y-%m-%d}", _standing(tenant, serving))
    for name, each in installations.items():
        if name not in served:
            since = f"{each.installed_at:%Y-%m-%d}" if each.installed_at else ""
            how = each.problem or (
                "its workspaces come as they ask" if each.is_organisation else "it was not opened yet"
            )
            table.add_row(name, escape(each.name), each.installed_by, since, escape(how))
    print_table(out, table)


async def settings_for(settings: Settings, workspace: str) -> Settings:
    """The settings of one workspace. Raises UnusableWords where it has no data here, and StorageError."""
    if not is_workspace(workspace):
        raise UnusableWords(f"“{workspace}” is no workspace's id; they begin with T.")
    kept = sa.select(tenant_rows.c.id).where(tenant_rows.c.deleted_at.is_(None)).order_by(tenant_rows.c.id)
    async with open_existing(settings.database_url, _NONE_YET, _WHAT) as engine, engine.connect() as connection:
        there = list((await connection.execute(kept)).scalars())
    if workspace not in there:
        which = f"Those here are {', '.join(there)}." if there else f"{_NONE_YET}."
        raise UnusableWords(f"There is no workspace {workspace} here. {which}")
    return settings_of(settings, workspace)


async def remove(settings: Settings, identifier: str, out: Console, *, now: bool) -> None:
    """Takes the app out of a workspace (T…) or an organisation (E…); its data goes after 30 days, or `now`.

    Raises UnusableWords where nobody knows the id, and ConfigError where Slack cannot be asked.
    """
    async with _opened(settings) as registry:
        installation = await registry.installation(identifier)
        known = {tenant.id: tenant for tenant in await registry.tenants() if tenant.deleted_at is None}
        if installation is None and identifier not in known:
            raise UnusableWords(f"There is no workspace “{identifier}”. `switchboard workspaces list` shows them.")
        how = "removed on the command line"
        if installation is not None:
            await _uninstall(settings, installation)
            await registry.uninstall(identifier, how, by=COMMAND_LINE, at_once=now)
        else:
            await registry.leave(identifier, how, by=COMMAND_LINE, at_once=now)
    when = "in about two minutes, while the bot runs or with its next start" if now else f"after {KEPT_DAYS} days"
    out.print(f"{escape(identifier)} is removed: its token is deleted, and its data goes {when}.")


async def _uninstall(settings: Settings, installation: Installation) -> None:
    secrets = slack_secrets()
    if secrets.client_secret is None:
        raise ConfigError("SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are needed to take the app out of a workspace.")
    async with slack_session() as session:
        clock = lambda: datetime.now(UTC)  # noqa: E731
        oauth = OAuth(settings.slack.base_url, session, secrets.client_id, secrets.client_secret, (), clock)
        try:
            await oauth.uninstall(installation)
        except SlackApiError as error:
            if (word := str(error.response.get("error") or "")) not in REFUSED:
                raise ConfigError(f"Slack did not take the app out: {word}. Nothing was changed.") from None
        except (ClientError, OSError, TimeoutError) as error:
            raise ConfigError(f"Slack cannot be reached ({type(error).__name__}). Nothing was changed.") from None


def _standing(tenant: Tenant, installation: Installation | None) -> str:
    if tenant.deleted_at is not None:
        return f"left, and its data was deleted on {tenant.deleted_at:%Y-%m-%d}"
    if tenant.left_at is not None and tenant.delete_at is not None:
        left = f"left on {tenant.left_at:%Y-%m-%d} ({tenant.left_how})"
        return f"{left}; its data goes on {tenant.delete_at:%Y-%m-%d}"
    if installation is None:
        return "without an installation"
    end = f", token until {installation.expires_at:%Y-%m-%d %H:%M} UTC" if installation.expires_at else ""
    return escape(installation.problem or f"served{end}")


def _told(installation: Installation) -> dict[str, object]:
    """All but its tokens."""
    hidden = {"bot_token", "refresh_token"}
    return {key: value for key, value in dataclasses.asdict(installation).items() if key not in hidden}


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Registry]:
    vault = Vault.of_environment()
    async with open_existing(settings.database_url, _NONE_YET, _WHAT) as engine:
        yield Registry(engine, vault, lambda: datetime.now(UTC))
