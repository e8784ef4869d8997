from __future__ import annotations

import json
import stat
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.config import Retention
from bot.errors import UnusableBackup
from bot.holdings.handing_out import hand_out
from bot.holdings.subject import Subject
from bot.jobs.retention_job import retention_job
from bot.storage.direct import transaction
from bot.storage.whole import TABLES
from bot.tuning.datasets import Datasets

NOW = datetime(2026, 11, 21, 3, 40, tzinfo=UTC)
ANNA, BOB, HELP = "U0ANNA", "U0BOB", "C0HELP"


@pytest.fixture
def url(engine: AsyncEngine) -> str:
    """A database in which Anna asked thirty-one and two days ago, and Bob of her."""
    url = engine.url.render_as_string(hide_password=False)
    for number, (asker, days) in enumerate([(ANNA, 31), (ANNA, 2), (BOB, 32)]):
        at = NOW - timedelta(days=days)
        ts = f"{at.timestamp():.6f}"
        put(
            url,
            "questions",
            id=f"q{number}",
            text=f"Asked by <@{asker}>, of {ANNA}?",
            asker=asker,
            workspace="T1",
            channel=HELP,
            place_kind="channel",
            thread=ts,
            scopes=["everyone"],
            private=False,
            asked_at=at,
            answer_ts=None,
            answer="Told.",
            receipt={"citations": []},
        )
        said = {"channel": HELP, "thread": ts, "deleted": False, "question_id": f"q{number}"}
        put(url, "conversations", ts=ts, role="user", author=asker, text="Please?", **said)
        put(url, "conversations", ts=f"{ts}1", role="assistant", author="", text="Told.", **said)
        put(url, "feedback", question_id=f"q{number}", person=BOB, value=1, comment="Well said.", given_at=at)
        put(
            url,
            "ledger",
            question_id=f"q{number}",
            asker=asker,
            channel=HELP,
            purpose="answer",
            provider="p",
            model="m",
            started_at=at,
            outcome="answered",
            cost=Decimal("0.25"),
        )
    return url


async def test_what_is_older_than_its_days_goes_with_its_copies_while_costs_stay(
    engine: AsyncEngine, url: str, tmp_path: Path
) -> None:
    sweep = partial(Datasets(engine, tmp_path).sweep, NOW)
    await retention_job(url, Retention(conversations=10, questions=30), sweep)(NOW)
    assert [row["question_id"] for row in rows(url, "conversations")] == ["q1", "q1"]
    texts = {row["id"]: (row["text"][:5], row["answer"], row["receipt"]) for row in rows(url, "questions")}
    assert texts == {"q0": ("", None, None), "q1": ("Asked", "Told.", {"citations": []}), "q2": ("", None, None)}
    assert [row["comment"] for row in rows(url, "feedback")] == [None, "Well said.", None]
    assert [(row["asker"], row["cost"]) for row in rows(url, "ledger")] == [
        (asker, Decimal("0.25")) for asker in (ANNA, ANNA, BOB)
    ]
    before = [rows(url, name) for name in ("questions", "conversations", "feedback")]
    await retention_job(url, Retention(), sweep)(NOW + timedelta(days=4000))
    assert [rows(url, name) for name in ("questions", "conversations", "feedback")] == before


def test_a_person_gets_what_is_stored_on_them_and_nothing_that_others_wrote(url: str, tmp_path: Path) -> None:
    file = tmp_path / "anna.zip"
    assert hand_out(url, Subject("user", ANNA), file, NOW) == {"conversations": 4, "questions": 2, "ledger": 2}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        held = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(held) == {"README.txt", "conversations.jsonl", "questions.jsonl", "ledger.jsonl"}
    asked = [json.loads(line) for line in held["questions.jsonl"].splitlines()]
    assert [(one["asker"], one["answer"]) for one in asked] == [(ANNA, "Told.")] * 2
    assert {json.loads(line)["cost"] for line in held["ledger.jsonl"].splitlines()} == {"0.25"}
    assert BOB not in "".join(held.values())
    assert "questions with their answers and receipts: 1 row" in held["README.txt"]
    with pytest.raises(UnusableBackup, match="there already"):
        hand_out(url, Subject("user", ANNA), file, NOW)


def put(url: str, table: str, **values: Any) -> None:
    with transaction(url, "write") as connection:
        connection.execute(TABLES[table].insert().values(values))


def rows(url: str, table: str) -> list[dict[str, Any]]:
    with transaction(url, "read") as connection:
        found = connection.execute(sa.select(TABLES[table]).order_by(*TABLES[table].primary_key.columns))
        return [dict(row) for row in found.mappings()]
