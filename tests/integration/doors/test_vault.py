"""What is kept encrypted: read only with its key, in its place; keys are changed by a command."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
import structlog
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Audit
from bot.errors import ConfigError, UnreadableSecret
from bot.storage.columns import metadata
from bot.vault import Vault, encrypted_column, new_key, rotate

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
TOKEN = "xoxb-12345-secret"


@pytest.fixture
def table() -> Iterator[sa.Table]:
    """A table like those that keep tokens."""
    found = sa.Table(
        "kept_for_a_test",
        metadata,
        sa.Column("team", sa.String(20), primary_key=True),
        encrypted_column("token"),
        encrypted_column("other", nullable=True),
    )
    yield found
    metadata.remove(found)


def vault(*keys: str) -> Vault:
    return Vault([SecretStr(key) for key in keys])


def test_a_text_is_read_again_only_with_its_key_and_in_its_context() -> None:
    first, second = new_key(), new_key()
    kept = vault(first).encrypt(TOKEN, "installation T1")
    assert TOKEN not in kept
    assert vault(second, first).decrypt(kept, "installation T1") == TOKEN
    with pytest.raises(UnreadableSecret, match="cannot be read with the keys of SWITCHBOARD_KEYS"):
        vault(second).decrypt(kept, "installation T1")
    with pytest.raises(UnreadableSecret, match="encrypted for something else"):
        vault(first).decrypt(kept, "installation T2")
    with pytest.raises(UnreadableSecret):
        vault(first).decrypt(TOKEN, "installation T1")
    with pytest.raises(UnreadableSecret):  # by the key, but by another hand
        vault(first).decrypt(Fernet(first).encrypt(TOKEN.encode()).decode(), "installation T1")


def test_no_key_and_no_text_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    key = new_key()
    opened = vault(key)
    kept = opened.encrypt(TOKEN, "installation T1")
    said = [repr(opened), str(opened)]
    for ask in (lambda: opened.decrypt(kept[:-4], "T1"), lambda: opened.decrypt(kept, "T2"), lambda: vault("abc")):
        with pytest.raises((UnreadableSecret, ConfigError)) as caught:
            ask()
        said.append(str(caught.value) + repr(caught.value) + repr(caught.value.__cause__))
    with caplog.at_level(logging.DEBUG):
        structlog.get_logger("bot.vault").info("opened", vault=opened)
    said.append(caplog.text)
    assert not any(key in each or TOKEN in each or kept[:20] in each for each in said)


def test_keys_come_from_the_environment_or_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.raises(ConfigError, match="keys new"):
        Vault.of_environment()
    first, second = new_key(), new_key()
    monkeypatch.setenv("SWITCHBOARD_KEYS", f"{first}, {second}")
    kept = Vault.of_environment().encrypt(TOKEN, "T1")
    assert vault(first).decrypt(kept, "T1") == TOKEN
    monkeypatch.delenv("SWITCHBOARD_KEYS")
    file = tmp_path_factory.mktemp("keys") / "keys"
    file.write_text(f"{second},{first}\n")
    monkeypatch.setenv("SWITCHBOARD_KEYS_FILE", str(file))
    assert Vault.of_environment().decrypt(kept, "T1") == TOKEN
    monkeypatch.setenv("SWITCHBOARD_KEYS", "no key at all")
    with pytest.raises(ConfigError, match="44 characters"):
        Vault.of_environment()


async def test_all_that_is_kept_is_encrypted_anew_or_nothing_is(engine: AsyncEngine, table: sa.Table) -> None:
    old, new = new_key(), new_key()
    kept = vault(old).encrypt(TOKEN, "T1")
    rows = [{"team": f"T{n}", "token": kept, "other": kept if n else None} for n in range(3)]
    async with engine.begin() as connection:
        await connection.run_sync(table.create)
        await connection.execute(sa.insert(table), rows)
    assert await rotate(engine, vault(new, old), by="command line", at=NOW) == 5
    async with engine.connect() as connection:
        found = (await connection.execute(sa.select(table).order_by(table.c.team))).all()
    alone = vault(new)
    assert [alone.decrypt(row.token, "T1") for row in found] == [TOKEN] * 3
    assert [row.other and alone.decrypt(row.other, "T1") for row in found] == [None, TOKEN, TOKEN]
    assert (await Audit(engine).entries())[0].subject == "5 values"
    async with engine.begin() as connection:
        await connection.execute(sa.update(table).where(table.c.team == "T2").values(token=kept))
    with pytest.raises(UnreadableSecret, match=r"kept_for_a_test\.token"):
        await rotate(engine, alone, by="command line", at=NOW)
    async with engine.connect() as connection:
        assert (await connection.execute(sa.select(table).order_by(table.c.team))).all()[:2] == found[:2]
