"""Installations, the workspaces that they serve, and their ends, on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Audit
from bot.config import Settings, Storage
from bot.errors import UnreadableSecret, UnusableWords
from bot.storage.installations import installations, oauth_states
from bot.tenancy.registry import ACCESS_TAKEN, KEPT_DAYS, Grant, Registry
from bot.tenancy.states import MINUTES, States
from bot.vault import Vault, new_key, rotate
from bot.workspaces import settings_for

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LEASE = timedelta(seconds=60)


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault() -> Vault:
    return Vault([SecretStr(new_key())])


@pytest.fixture
def registry(engine: AsyncEngine, vault: Vault, clock: Clock) -> Registry:
    return Registry(engine, vault, clock)


def grant(identifier: str = "T0ACME", token: str = "xoxb-first", **fields: object) -> Grant:
    given = {
        "enterprise": None,
        "name": "Acme",
        "bot_user": "U0SWITCH",
        "scopes": "chat:write",
        "installed_by": "U0MAYA",
    }
    return Grant(**{"id": identifier, "bot_token": token, **given, **fields})  # type: ignore[arg-type]


async def test_a_token_is_kept_encrypted_and_bound_to_its_row(
    registry: Registry, engine: AsyncEngine, vault: Vault, clock: Clock
) -> None:
    kept = await registry.install(grant(refresh_token="xoxe-1-renews"))
    assert (kept.bot_token, kept.refresh_token, kept.version) == ("xoxb-first", "xoxe-1-renews", 1)
    assert "xoxb" not in repr(kept)
    async with engine.connect() as connection:
        row = (await connection.execute(sa.select(installations))).mappings().one()
    assert not [value for value in row.values() if "xox" in str(value)]
    # Another key cannot read it, nor can another row be given it.
    with pytest.raises(UnreadableSecret, match="installation T0ACME"):
        await Registry(engine, Vault([SecretStr(new_key())]), clock).installation("T0ACME")
    await registry.install(grant("T0OTHER"))
    async with engine.begin() as connection:
        await connection.execute(
            sa.update(installations).where(installations.c.id == "T0OTHER").values(bot_token=row["bot_token"])
        )
    with pytest.raises(UnreadableSecret, match="installation T0OTHER"):
        await registry.installation("T0OTHER")
    assert (await registry.installation("T0ACME")) == kept


async def test_new_keys_take_the_tokens_along(
    registry: Registry, engine: AsyncEngine, vault: Vault, clock: Clock
) -> None:
    old, new = SecretStr(new_key()), SecretStr(new_key())
    await Registry(engine, Vault([old]), clock).install(grant(refresh_token="xoxe-1-renews"))
    assert await rotate(engine, Vault([new, old]), by="command line", at=NOON) == 2
    found = await Registry(engine, Vault([new]), clock).installation("T0ACME")
    assert found is not None
    assert (found.bot_token, found.refresh_token) == ("xoxb-first", "xoxe-1-renews")


async def test_installing_again_swaps_the_token_and_keeps_the_workspace(registry: Registry, clock: Clock) -> None:
    first = await registry.install(grant())
    await registry.opened("T0ACME", first)
    await registry.not_renewed(first, "Slack does not renew its token.")
    await registry.uninstall("T0ACME", "app_uninstalled")
    clock.now += timedelta(days=3)
    again = await registry.install(grant(token="xoxb-second", scopes="chat:write,files:read"))
    assert (again.bot_token, again.scopes, again.problem) == ("xoxb-second", "chat:write,files:read", None)
    (tenant,) = await registry.tenants()
    assert (tenant.opened_at, tenant.left_at, tenant.delete_at) == (NOON, None, None)
    newer = await registry.install(grant(token="xoxb-third"))
    assert newer.version == again.version + 1
    assert await registry.versions() == {"T0ACME": newer.version}


async def test_a_workspace_that_leaves_is_deleted_after_its_time_and_once(
    registry: Registry, engine: AsyncEngine, clock: Clock
) -> None:
    await registry.opened("T0ACME", await registry.install(grant()))
    await registry.opened("T0STAYS", await registry.install(grant("T0STAYS")))
    assert await registry.uninstall("T0ACME", "app_uninstalled") == ["T0ACME"]
    assert await registry.installation("T0ACME") is None
    clock.now += timedelta(days=KEPT_DAYS, seconds=-1)
    assert await registry.due_for_deletion() == []
    clock.now += timedelta(seconds=1)
    assert [tenant.id for tenant in await registry.due_for_deletion()] == ["T0ACME"]

    async def fail() -> None:
        async with registry.deleting("T0ACME") as connection:
            assert connection is not None
            raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        await fail()
    assert await registry.due_for_deletion(), "what failed is tried again"

    async def delete() -> bool:
        async with registry.deleting("T0ACME") as connection:
            return connection is not None

    assert sorted(await asyncio.gather(delete(), delete())) == [False, True]
    assert await registry.due_for_deletion() == []
    log = await Audit(engine).entries()
    assert [(entry.action, entry.subject) for entry in log][:2] == [
        ("workspace's data deleted", "workspace T0ACME"),
        ("workspace uninstalled", "installation T0ACME"),
    ]


async def test_who_installs_again_in_time_is_not_deleted(registry: Registry, clock: Clock) -> None:
    await registry.opened("T0ACME", await registry.install(grant()))
    await registry.uninstall("T0ACME", "removed", at_once=True)
    clock.now += timedelta(hours=1)
    assert await registry.due_for_deletion()
    await registry.install(grant(token="xoxb-second"))
    async with registry.deleting("T0ACME") as connection:
        assert connection is None
    assert await registry.due_for_deletion() == []


async def test_an_organisation_serves_its_workspaces_and_may_take_one_out(registry: Registry, clock: Clock) -> None:
    whole = await registry.install(grant("E0ORG", enterprise="E0ORG"))
    assert whole.is_organisation
    assert await registry.serving("T0ACME", None) is None
    assert await registry.serving("T0ACME", "E0ORG") == whole
    for workspace in ("T0ACME", "T0ROBO"):
        await registry.opened(workspace, whole)
    own = await registry.install(grant("T0ROBO", token="xoxb-own", enterprise="E0ORG"))
    assert await registry.serving("T0ROBO", "E0ORG") == own
    assert await registry.leave("T0ACME", ACCESS_TAKEN)
    await registry.install(grant("E0ORG", token="xoxb-again", enterprise="E0ORG"))
    left = {tenant.id: tenant.left_at for tenant in await registry.tenants()}
    assert left == {"T0ACME": NOON, "T0ROBO": None}, "an organisation that installs it again takes nobody back"
    assert await registry.uninstall("E0ORG", "app_uninstalled") == ["T0ROBO"], "who left before keeps its own time"
    assert await registry.uninstall("E0ORG", "app_uninstalled") is None


async def test_of_many_processes_one_renews_a_token(registry: Registry, clock: Clock) -> None:
    kept = await registry.install(grant(refresh_token="xoxe-1-a", expires_at=NOON + timedelta(hours=1)))
    claims = await asyncio.gather(*(registry.claim(kept, f"worker {number}", LEASE) for number in range(8)))
    assert claims.count(True) == 1
    # One that was killed lets go when its lease is over.
    clock.now += LEASE + timedelta(seconds=1)
    assert await registry.claim(kept, "another", LEASE)
    end = clock.now + timedelta(hours=12)
    assert await registry.renewed(kept, "xoxb-new", "xoxe-1-b", end)
    assert not await registry.renewed(kept, "xoxb-late", "xoxe-1-late", end), "the one that was killed comes too late"
    found = await registry.installation("T0ACME")
    assert found is not None
    assert (found.bot_token, found.refresh_token, found.expires_at, found.version) == ("xoxb-new", "xoxe-1-b", end, 2)
    assert not await registry.claim(kept, "late", LEASE), "of an older version there is nothing to renew"


async def test_a_state_counts_once_in_time_and_is_kept_as_a_digest(engine: AsyncEngine, clock: Clock) -> None:
    states, replica = States(engine, clock), States(engine, clock)
    one, late = await states.new(), await states.new()
    async with engine.connect() as connection:
        kept = (await connection.execute(sa.select(oauth_states.c.state))).scalars().all()
    assert one not in kept
    assert sorted(await asyncio.gather(replica.use(one), states.use(one))) == [False, True]
    assert not await states.use("guessed")
    clock.now += timedelta(minutes=MINUTES, seconds=1)
    assert not await states.use(late)
    await states.new()
    async with engine.connect() as connection:
        assert (await connection.execute(sa.select(sa.func.count()).select_from(oauth_states))).scalar_one() == 1


async def test_a_command_for_a_workspace_that_is_not_here_is_refused_with_those_that_are(
    registry: Registry, engine: AsyncEngine, clock: Clock, tmp_path: Path
) -> None:
    url = SecretStr(engine.url.render_as_string(hide_password=False))
    settings = Settings(data_dir=tmp_path, storage=Storage(url=url))
    with pytest.raises(UnusableWords, match=r"There is no workspace T0ACME here\. No workspace has installed the bot"):
        await settings_for(settings, "T0ACME")
    for team in ("T0ROBO", "T0ACME", "T0GONE"):
        await registry.opened(team, await registry.install(grant(team)))
    await registry.uninstall("T0GONE", "removed", at_once=True)
    clock.now += timedelta(hours=1)
    async with registry.deleting("T0GONE") as connection:
        assert connection is not None
    with pytest.raises(UnusableWords, match=r"There is no workspace T0GONE here\. Those here are T0ACME, T0ROBO\."):
        await settings_for(settings, "T0GONE")
    with pytest.raises(UnusableWords, match=r"“robo” is no workspace's id; they begin with T\."):
        await settings_for(settings, "robo")
    assert (await settings_for(settings, "T0ROBO")).data_dir == tmp_path / "workspaces" / "T0ROBO"
