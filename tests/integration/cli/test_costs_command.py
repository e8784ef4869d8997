"""`switchboard costs`: what is printed, what is changed, the exit status."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.costs.calls import Call, Row
from bot.costs.ledger import Ledger
from bot.domain import Price, Usage
from bot.errors import SwitchboardError
from bot.lock import DataFolderLock
from bot.storage.engine import open_engine, upgrade

FIRST, SECOND = datetime(2026, 11, 3, 12, tzinfo=UTC), datetime(2026, 11, 4, 12, tzinfo=UTC)
CARDS = """
[[providers]]
name = "house"
base_url = "http://127.0.0.1:9/v1"
[[models]]
name = "writer"
id = "writer-large"
provider = "house"
context_window = 1000
[[models.rates]]
input = 4
output = 10
[[models.rates]]
from = 2026-11-04
input = 2
output = 10
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two days of calls, each written down as $0.50, and cards that say something else."""
    (tmp_path / "switchboard.toml").write_text('models_dir = "none"\n[models]\ncards = "cards.toml"\n', "utf-8")
    (tmp_path / "cards.toml").write_text(CARDS, "utf-8")
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    asyncio.run(_fill(tmp_path))
    return tmp_path


async def _fill(folder: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{folder / 'data' / 'switchboard.db'}")
    await upgrade(engine, "bot.storage:migrations", "alembic_version")
    ledger = Ledger(engine)
    for model, at in (("writer", FIRST), ("writer", SECOND), ("gone", SECOND)):
        names = {"provider": "house", "model": model, "strategy": None, "channel": "C1", "asker": "U1"}
        row = await ledger.open(Call(question_id="q1", purpose="answer", attempt=1, started_at=at, **names))  # type: ignore[arg-type]
        usage = Usage(prompt_tokens=100_000, completion_tokens=1_000)
        price = Price(amount=Decimal("0.5"), version="override")
        await ledger.settle(row, outcome="answered", seconds=1, usage=usage, price=price)
    await engine.dispose()


def rows(folder: Path) -> list[Row]:
    async def read() -> list[Row]:
        engine = open_engine(f"sqlite+aiosqlite:///{folder / 'data' / 'switchboard.db'}")
        found = await Ledger(engine).of("q1")
        await engine.dispose()
        return found

    return asyncio.run(read())


def costs(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["costs", *arguments])


def export(folder: Path, *lines: str) -> str:
    file = folder / "export.csv"
    file.write_text("\n".join(["model,day,input_tokens,output_tokens,cost,currency", *lines]), "utf-8")
    return str(file)


def test_calls_are_priced_again_by_the_price_of_their_day_also_while_the_bot_runs(folder: Path) -> None:
    lock = DataFolderLock(folder / "data")
    lock.acquire()
    dry = costs("reprice", "--since", "2026-11-01", "--dry-run")
    assert [row.cost for row in rows(folder)] == [Decimal("0.5")] * 3
    assert dry.exit_code == 0
    assert "2 calls would cost something else" in dry.stdout
    done = costs("reprice", "--since", "2026-11-01")
    lock.release()
    (writer,) = [line.split() for line in done.stdout.splitlines() if line.startswith("writer")]
    assert writer == ["writer", "2", "2", "$1.00", "$0.62", "−$0.38"]
    assert "1 call kept at the old price" in done.stdout
    first, second, gone = rows(folder)
    assert (first.cost, first.price_version) == (Decimal("0.41"), "override")
    assert (second.cost, second.price_version) == (Decimal("0.21"), "override from 2026-11-04")
    assert (first.first_cost, gone.repriced_at) == (Decimal("0.5"), None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "2026-11-04", "--model", "writer"], "1 call would cost"),
        (["--since", "2026-12-01"], "No call since 2026-12-01 has counts"),
    ],
)
def test_only_what_was_asked_for_is_looked_at(folder: Path, arguments: list[str], said: str) -> None:
    assert said in costs("reprice", "--dry-run", *arguments).stdout


def test_an_export_that_agrees_is_status_0_and_one_that_differs_status_1(folder: Path) -> None:
    same = [f"writer-large-2026-01-01,2026-11-0{day},100000,1000,0.5,USD" for day in (3, 4)]
    agrees = costs("reconcile", export(folder, *same, "gone,2026-11-04,100000,1000,0.5,USD"), "--provider", "house")
    assert agrees.exit_code == 0
    assert "Nothing differs by more than 1%" in agrees.stdout
    differs = costs("reconcile", export(folder, *same, "other,2026-11-04,5,5,,"), "--provider", "house")
    assert differs.exit_code == 1
    told = [" ".join(line.split()) for line in differs.stdout.splitlines()]
    assert "2026-11-04 gone 100,000 / – 1,000 / – $0.50 / – only here" in told
    assert "2026-11-04 other – / 5 – / 5 – / – only there" in told
    assert "2026-11-03 writer-large 100,000 / 100,000 1,000 / 1,000 $0.50 / $0.50 nothing" in told
    assert any(line.startswith("2 of 4 differ by more than 1%") for line in told)


def test_an_export_in_euros_is_compared_once_it_is_known_what_one_is_worth(folder: Path) -> None:
    file = export(folder, *(f"writer-large,2026-11-0{day},100000,1000,0.4,EUR" for day in (3, 4)))
    with pytest.raises(SwitchboardError, match=r"in EUR, and what that is worth is not known.*costs\.currencies\.EUR"):
        CliRunner().invoke(app, ["costs", "reconcile", file, "--provider", "house"], catch_exceptions=False)
    with (folder / "switchboard.toml").open("a", encoding="utf-8") as config:
        config.write("[costs.currencies.EUR]\ndollars = 1.25\ndate = 2026-11-01\n")
    told = costs("reconcile", file, "--provider", "house")
    assert "$0.50 / $0.50" in told.stdout


def test_a_provider_without_calls_is_told_with_those_there_are(folder: Path) -> None:
    told = costs("reconcile", export(folder, "writer-large,2026-11-03,1,1,1,USD"), "--provider", "hause")
    assert told.exit_code == 1
    assert "The ledger has no call of hause on these days. Providers: " in told.stdout
    assert ", house," in told.stdout
