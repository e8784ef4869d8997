"""Who installed the bot: tokens (encrypted), the workspaces that they serve, and what becomes of those that leave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.audit import Action, Change, record
from bot.storage.installations import installations, tenants
from bot.storage.upsert import insert

KEPT_DAYS = 30
"""For so long the data of a workspace that left is kept: whoever installs the bot again finds it as it was."""


CLOSING = timedelta(minutes=2)
"""By then every process has seen that an installation is gone, and has closed its houses."""
ACCESS_TAKEN = "its organisation took the access away"


class Vault(Protocol):
    """Encrypts what is kept, bound to its context. `decrypt` raises SwitchboardError where no key fits."""

    def encrypt(self, text: str, context: str) -> str: ...

    def decrypt(self, kept: str, context: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Grant:
    """What Slack gave: an installation by a workspace (`id` T…), or by a whole organisation (E…)."""

    id: str
    enterprise: str | None
    name: str
    bot_user: str
    scopes: str
    installed_by: str
    bot_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Installation(Grant):
    """A grant that is kept. `version` grows with each new token; `problem` says why somebody has to look after it, and
    `refused_at` since when Slack refuses it without saying that it is gone."""

    installed_at: datetime | None = None
    version: int = 1
    problem: str | None = None
    refused_at: datetime | None = None

    @property
    def is_organisation(self) -> bool:
        """Whether it serves all workspaces of an organisation."""
        return self.id.startswith("E")

    def named(self, workspace: str) -> str | None:
        """What every call has to name: the workspace, where the token is that of an organisation, which has many."""
        return workspace if self.is_organisation else None


@dataclass(frozen=True, slots=True)
class Tenant:
    """A workspace that has or had a house. `delete_at`: when the data of one that left goes."""

    id: str
    enterprise: str | None
    installation: str
    name: str
    opened_at: datetime
    left_at: datetime | None
    left_how: str | None
    delete_at: datetime | None
    deleted_at: datetime | None


class Registry:
    """Over the database that all workspaces share; each replica sees the same."""

    def __init__(self, engine: AsyncEngine, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock

    async def install(self, grant: Grant) -> Installation:
        """Keeps what Slack gave, in place of what was there: its token and scopes are new, all data stays."""
        values = {**self._encrypted(grant), "installed_at": self._clock(), "version": 1}
        new: dict[str, Any] = {**values, "version": installations.c.version + 1}
        new |= dict.fromkeys(("claim", "claimed_until", "problem", "refused_at"))
        async with self._engine.begin() as connection:
            statement = insert(connection, installations).values(values)
            await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=new))
            await self._welcome_back(connection, grant.id)
            change = Change(action=Action.INSTALLED, subject=_context(grant.id), after=grant.scopes)
            await record(connection, change, by=grant.installed_by, at=self._clock())
        kept = await self.installation(grant.id)
        assert kept is not None
        return kept

    async def installation(self, identifier: str) -> Installation | None:
        """The installation of this id (T… or E…). Raises SwitchboardError where its token cannot be decrypted."""
        async with self._engine.connect() as connection:
            query = sa.select(installations).where(installations.c.id == identifier)
            row = (await connection.execute(query)).mappings().first()
        return self._installation(row) if row else None

    async def serving(self, workspace: str, enterprise: str | None) -> Installation | None:
        """The installation that serves a workspace: its own, else that of its organisation."""
        own = await self.installation(workspace)
        if own is not None or not enterprise:
            return own
        return await self.installation(enterprise)

    async def installations(self) -> list[Installation]:
        """All of them, oldest first."""
        async with self._engine.connect() as connection:
            query = sa.select(installations).order_by(installations.c.installed_at, installations.c.id)
            return [self._installation(row) for row in (await connection.execute(query)).mappings()]

    async def versions(self) -> dict[str, int]:
        """The version of every installation, by id: cheap enough to ask every few seconds."""
        async with self._engine.connect() as connection:
            query = sa.select(installations.c.id, installations.c.version)
            return {row.id: row.version for row in await connection.execute(query)}

    async def tenants(self) -> list[Tenant]:
        """Every workspace that has or had a house, in the order in which they came."""
        async with self._engine.connect() as connection:
            query = sa.select(tenants).order_by(tenants.c.opened_at, tenants.c.id)
            return [Tenant(**row) for row in (await connection.execute(query)).mappings()]

    async def opened(self, workspace: str, installation: Installation) -> None:
        """A workspace has a house from now on (again)."""
        values = {
            "id": workspace,
            "enterprise": installation.enterprise,
            "installation": installation.id,
            "name": installation.name,
            "opened_at": self._clock(),
        }
        back = dict.fromkeys(("left_at", "left_how", "delete_at", "deleted_at"))
        async with self._engine.begin() as connection:
            statement = insert(connection, tenants).values(values)
            change = {"installation": installation.id, "name": installation.name, **back}
            await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=change))

    async def uninstall(
        self, identifier: str, how: str, *, by: str = "slack", at_once: bool = False
    ) -> list[str] | None:
        """Deletes an installation with its tokens; the workspaces that it served have left. Gives their ids, and None
        where all that had happened before.

        Their data goes after KEPT_DAYS, or where `at_once` as soon as every process has closed their houses.
        """
        async with self._engine.begin() as connection:
            gone = await connection.execute(sa.delete(installations).where(installations.c.id == identifier))
            served = (tenants.c.installation == identifier) & tenants.c.deleted_at.is_(None)
            if not at_once:  # who left before keeps its own time
                served &= tenants.c.left_at.is_(None)
            left = await self._leave(connection, served, how, at_once)
            if not gone.rowcount and not left:
                return None
            change = Change(action=Action.UNINSTALLED, subject=_context(identifier), reason=how)
            await record(connection, change, by=by, at=self._clock())
            return left

    async def leave(self, workspace: str, how: str, *, by: str = "slack", at_once: bool = False) -> bool:
        """One workspace has left an organisation's installation, which goes on for the others."""
        async with self._engine.begin() as connection:
            there = (tenants.c.id == workspace) & tenants.c.deleted_at.is_(None)
            left = await self._leave(connection, there, how, at_once)
            if left:
                change = Change(action=Action.UNINSTALLED, subject=f"workspace {workspace}", reason=how)
                await record(connection, change, by=by, at=self._clock())
            return bool(left)

    async def due_for_deletion(self) -> list[Tenant]:
        """Workspaces that left so long ago that their data goes now."""
        now = self._clock()
        return [t for t in await self.tenants() if t.delete_at and t.delete_at <= now and t.deleted_at is None]

    @asynccontextmanager
    async def deleting(self, workspace: str) -> AsyncIterator[AsyncConnection | None]:
        """A transaction in which its data is to go and which notes that it did; None where it came back meanwhile, or
        another process was first. Whoever installs the bot again waits until it is over."""
        due = (tenants.c.id == workspace) & (tenants.c.delete_at <= self._clock()) & tenants.c.deleted_at.is_(None)
        async with self._engine.begin() as connection:
            change = sa.update(tenants).where(due).values(deleted_at=self._clock())
            mine = (await connection.execute(change)).rowcount == 1
            yield connection if mine else None
            if mine:
                gone = Change(action=Action.WORKSPACE_DELETED, subject=f"workspace {workspace}")
                await record(connection, gone, by="tenancy", at=self._clock())

    async def claim(self, installation: Installation, worker: str, lease: timedelta) -> bool:
        """Whether this worker is the one to renew the token of this version, until `lease` is over."""
        now = self._clock()
        c = installations.c
        free = (c.claimed_until.is_(None)) | (c.claimed_until < now)
        mine = (c.id == installation.id) & (c.version == installation.version) & free
        change = sa.update(installations).where(mine).values(claim=worker, claimed_until=now + lease)
        async with self._engine.begin() as connection:
            return (await connection.execute(change)).rowcount == 1

    async def renewed(self, installation: Installation, token: str, refresh: str, expires_at: datetime) -> bool:
        """Keeps a new pair of tokens; False where the installation was replaced or removed meanwhile."""
        return await self._change(
            installation,
            bot_token=self._vault.encrypt(token, _context(installation.id)),
            refresh_token=self._vault.encrypt(refresh, _context(installation.id)),
            expires_at=expires_at,
            version=installation.version + 1,
            problem=None,
            refused_at=None,
        )

    async def not_renewed(self, installation: Installation, problem: str) -> None:
        """Slack refuses to renew its token: a person has to install the bot again."""
        await self._change(installation, problem=problem)

    async def refused(self, installation: Installation, problem: str) -> bool:
        """Slack refuses its token from now on, which may end; False where that was known."""
        known = installations.c.refused_at.is_not(None)
        return await self._change(installation, ~known, problem=problem, refused_at=self._clock())

    async def accepted(self, installation: Installation) -> bool:
        """Slack takes its token again; False where that was known."""
        known = installations.c.refused_at.is_(None)
        return await self._change(installation, ~known, problem=None, refused_at=None)

    async def _change(self, installation: Installation, *where: sa.ColumnElement[bool], **values: object) -> bool:
        mine = (installations.c.id == installation.id) & (installations.c.version == installation.version)
        change = sa.update(installations).where(mine, *where).values(claim=None, claimed_until=None, **values)
        async with self._engine.begin() as connection:
            return (await connection.execute(change)).rowcount == 1

    async def _leave(self, connection: AsyncConnection, which: Any, how: str, at_once: bool) -> list[str]:
        now = self._clock()
        first = sa.func.coalesce(tenants.c.left_at, now, type_=tenants.c.left_at.type)
        delete_at = now + (CLOSING if at_once else timedelta(days=KEPT_DAYS))
        change = sa.update(tenants).where(which).values(left_at=first, left_how=how, delete_at=delete_at)
        return list((await connection.execute(change.returning(tenants.c.id))).scalars())

    async def _welcome_back(self, connection: AsyncConnection, installation: str) -> None:
        """What a workspace left is not deleted once it installed the bot again."""
        mine = (tenants.c.installation == installation) & tenants.c.deleted_at.is_(None)
        # An organisation that installs the bot anew does not give it back a workspace that it took from it.
        mine &= sa.func.coalesce(tenants.c.left_how, "") != ACCESS_TAKEN
        back = dict.fromkeys(("left_at", "left_how", "delete_at"))
        await connection.execute(sa.update(tenants).where(mine).values(back))

    def _encrypted(self, grant: Grant) -> dict[str, Any]:
        encrypt = self._vault.encrypt
        return {
            "id": grant.id,
            "enterprise": grant.enterprise,
            "name": grant.name,
            "bot_user": grant.bot_user,
            "scopes": grant.scopes,
            "installed_by": grant.installed_by,
            "bot_token": encrypt(grant.bot_token, _context(grant.id)),
            "refresh_token": encrypt(grant.refresh_token, _context(grant.id)) if grant.refresh_token else None,
            "expires_at": grant.expires_at,
        }

    def _installation(self, row: Any) -> Installation:
        refresh = row["refresh_token"]
        named = {key: row[key] for key in ("id", "enterprise", "name", "bot_user", "scopes", "installed_by")}
        return Installation(
            **named,
            bot_token=self._vault.decrypt(row["bot_token"], _context(row["id"])),
            refresh_token=self._vault.decrypt(refresh, _context(row["id"])) if refresh else None,
            expires_at=row["expires_at"],
            installed_at=row["installed_at"],
            version=row["version"],
            problem=row["problem"],
            refused_at=row["refused_at"],
        )


def _context(identifier: str) -> str:
    return f"installation {identifier}"
