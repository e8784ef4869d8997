"""The audit log on both databases: every change leaves an entry, and what was written cannot be changed unseen."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import COMMAND_LINE, Action, Audit, Change, noted
from bot.costs.budgets import Budgets
from bot.selection.allow_lists import AllowLists
from bot.selection.channels import Channels
from bot.selection.pins import Pins
from bot.selection.trials import Trials
from bot.selection.value import Value
from bot.storage.audit_table import audit_log

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


async def test_every_setting_leaves_who_what_where_before_and_after(engine: AsyncEngine) -> None:
    pins, lists = Pins(engine, lambda: NOW), AllowLists(engine, lambda: NOW)
    with structlog.contextvars.bound_contextvars(reference="ab12"):
        await pins.set("channel", "C1", model="small", by="U9", reason="it is quick")
        await pins.set("channel", "C1", model="large", by="U8")
    await pins.move("large", "huge", by="U9", reason="large is shut down")
    await pins.clear("channel", "C1", by="U9")
    await pins.clear("channel", "C1", by="U9")
    await lists.set("workspace", "", ("provider:house",), by="U9", reason="the contract")
    await lists.clear("workspace", "", by="U8")
    await lists.clear("workspace", "", by="U8")
    trials = Trials(engine, lambda: NOW)
    await trials.start("C1", "small", 0.2, by="U9")
    await trials.start("C1", "large", 0.3, by="U9")
    await trials.stop("C1", "U8")
    channels = Channels(engine, lambda: NOW)
    await channels.set_value("C1", Value.BEST, "U9")
    await channels.set_local("C1", True, "U9")
    budgets = Budgets(engine)
    for amount in ("5", "7.5"):
        budget = await budgets.set("channel", "C1", "month", Decimal(amount), hard=True, by="console", at=NOW)
    await budgets.drop(budget.id, by="U9", at=NOW)
    entries = await Audit(engine).entries()
    assert [(e.who, e.action, e.subject, e.before, e.after, e.reason) for e in reversed(entries)] == [
        ("U9", "model pinned", "channel C1", "", "small", "it is quick"),
        ("U8", "model pinned", "channel C1", "small", "large", ""),
        ("U9", "pins moved", "1 pins", "large", "huge", "large is shut down"),
        ("U9", "model unpinned", "channel C1", "huge", "", ""),
        ("U9", "models allowed", "the workspace", "any", "provider:house", "the contract"),
        ("U8", "models allowed", "the workspace", "provider:house", "any", ""),
        ("U9", "trial started", "channel C1", "", "small on 20%", ""),
        ("U8", "trial stopped", "channel C1", "small", "", ""),
        ("U9", "channel set", "channel C1", "value as configured", "value best", ""),
        ("U9", "channel set", "channel C1", "stay_local False", "stay_local True", ""),
        (COMMAND_LINE, "budget set", "channel C1", "", "$5 a month, hard", ""),
        (COMMAND_LINE, "budget set", "channel C1", "$5 a month, hard", "$7.5 a month, hard", ""),
        ("U9", "budget dropped", "channel C1", "$7.5 a month, hard", "", ""),
    ]
    assert [entry.reference for entry in entries[-3:]] == ["", "ab12", "ab12"]
    assert {entry.action for entry in await Audit(engine).entries(who="U9", what="Pinned")} == {
        "model pinned",
        "model unpinned",
    }
    assert await Audit(engine).entries(since=NOW + timedelta(seconds=1)) == ()
    assert await Audit(engine).broken() == ()


async def test_a_change_that_fails_leaves_no_entry(engine: AsyncEngine) -> None:
    with pytest.raises(DBAPIError):
        await Pins(engine, lambda: NOW).set("channel", "C1", model="m", by=None)  # type: ignore[arg-type]
    assert await Audit(engine).entries() == ()


async def test_rows_cannot_be_changed_replaced_or_deleted(engine: AsyncEngine) -> None:
    await _noted(engine, 2)
    statements = ["UPDATE audit_log SET who = 'U0'", "DELETE FROM audit_log", "DELETE FROM audit_log WHERE id = 1"]
    copied = "SELECT id, at, 'U0', action, subject, before, after, reason, reference, previous, digest FROM audit_log"
    if engine.dialect.name == "sqlite":
        statements.append(f"INSERT OR REPLACE INTO audit_log {copied}")
    else:
        statements.append("TRUNCATE audit_log")
    for statement in statements:
        with pytest.raises(DBAPIError, match="only added to"):
            async with engine.begin() as connection:
                await connection.execute(sa.text(statement))
    assert [entry.who for entry in await Audit(engine).entries()] == ["U9", "U9"]


async def test_whoever_gets_round_the_triggers_is_found_out(engine: AsyncEngine) -> None:
    await _noted(engine, 5)
    audit = Audit(engine)
    async with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            for name in ("update", "delete"):
                await connection.execute(sa.text(f"DROP TRIGGER audit_log_{name}"))
        else:
            await connection.execute(sa.text("ALTER TABLE audit_log DISABLE TRIGGER ALL"))
        await connection.execute(sa.update(audit_log).where(audit_log.c.id == 2).values(who="U0"))
        await connection.execute(sa.delete(audit_log).where(audit_log.c.id == 4))
    assert await audit.broken() == (
        "Entry 2 was changed after it was written.",
        "What stood before entry 5 was taken out or changed.",
    )


async def test_what_is_old_is_dropped_by_an_entry_and_the_rest_still_holds(engine: AsyncEngine) -> None:
    for day in range(4):
        await _noted(engine, 1, NOW + timedelta(days=day))
    audit = Audit(engine, lambda: NOW + timedelta(days=9))
    assert await audit.drop_before(NOW + timedelta(days=2), by=COMMAND_LINE) == 2
    assert [entry.id for entry in await audit.entries()] == [5, 4, 3]
    assert (await audit.entries(what="audit"))[0].subject == "the audit log before 2026-11-22"
    assert await audit.broken() == ()
    assert await audit.drop_before(NOW + timedelta(days=2), by=COMMAND_LINE) == 0
    with pytest.raises(DBAPIError, match="only added to"):
        async with engine.begin() as connection:
            await connection.execute(sa.delete(audit_log).where(audit_log.c.id == 3))


async def test_changes_at_the_same_time_make_one_chain(engine: AsyncEngine) -> None:
    pins = [Pins(engine, lambda: NOW) for _ in range(4)]
    await asyncio.gather(*(pins[n % 4].set("person", f"U{n}", model="m", by=f"U{n}") for n in range(20)))
    audit = Audit(engine)
    assert len(await audit.entries()) == 20
    assert await audit.broken() == ()


async def _noted(engine: AsyncEngine, times: int, at: datetime = NOW) -> None:
    for number in range(times):
        await noted(engine, Change(action=Action.REPRICED, subject=f"calls {number}"), by="U9", at=at)
