"""`switchboard tune plan` fills in the four questions from what the team asked, evaluated, spent and kept."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from training_house import asked, plain_questions
from typer.testing import CliRunner

from bot.cli import app
from bot.config import load_settings
from bot.core import Core, open_core
from bot.domain import PlaceKind, StrategyName
from bot.errors import RunNotFound
from bot.evaluation.golden import Golden
from bot.evaluation.matrix import Cell, Way
from bot.evaluation.run import Run
from bot.evaluation.runs import Kept, Runs
from bot.storage.cost_tables import ledger
from bot.storage.tables import questions

CARDS = """
[[providers]]
name = "house"
title = "House"
base_url = "http://127.0.0.1:9/v1"

[[models]]
name = "base"
provider = "house"
context_window = 8192
fine_tunable = true
training_rate = 25
rates = { input = 0.1, output = 0.2 }
"""


@pytest.fixture
def folder(tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "cards.toml").write_text(CARDS)
    (tmp_path / "switchboard.toml").write_text(
        f'models_dir = "{models_dir}"\n[models]\ncards = "cards.toml"\n[tuning]\nconsent = "public"\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def switchboard(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())


def filled() -> None:
    async def fill() -> None:
        async with open_core(load_settings()) as core:
            await questions_of_three_weeks(core)
            await evaluation(core)

    asyncio.run(fill())


async def questions_of_three_weeks(core: Core) -> None:
    """Sixty in public, of which every fifth was disliked, and one in private."""
    now = core.clock()
    texts = plain_questions(60)
    for n, text in enumerate(texts):
        await asked(core.engine, f"q{n}", text, f"With tool number {n}. [1]", thumb=-1 if n % 5 == 0 else 1)
    await asked(core.engine, "dm", "What do I earn?", kind=PlaceKind.DM, scopes=["user:U0ANA"])
    call = {"purpose": "answer", "provider": "p", "model": "m", "outcome": "answered", "started_at": now}
    async with core.engine.begin() as connection:
        at = now - timedelta(days=21)
        await connection.execute(questions.update().values(asked_at=now))
        await connection.execute(questions.update().where(questions.c.id == "q0").values(asked_at=at))
        for n in range(60):
            used = {"prompt_tokens": 900, "completion_tokens": 100, "cost": Decimal("0.004")}
            await connection.execute(ledger.insert().values(question_id=f"q{n}", **used, **call))


async def evaluation(core: Core) -> None:
    """Two ways on ten golden questions."""
    ways = (Way(StrategyName.RAG, "large"), Way(StrategyName.ZERO_SHOT, "large"))
    golden = [Golden(id=f"g{n}", question=f"Golden {n}?", answers=("x",), group=f"g{n}") for n in range(10)]
    run = Run(
        id="r1",
        name="week 47",
        started=core.clock(),
        source="golden.jsonl",
        data="d",
        questions=10,
        index="i",
        models={"large": "p/large"},
        prompts="p",
        scorers=("exact",),
    )
    runs = Runs(core.engine)
    await runs.start(run, ways, golden)
    for n, one in enumerate(golden):
        for way, good, cost in ((ways[0], n < 7, "0.004"), (ways[1], n < 6, "0.002")):
            await runs.keep("r1", one.id, way, Kept(Cell(quality=float(good), cost=Decimal(cost), seconds=2.0)))
    await runs.finish("r1", finished=core.clock(), budget=None)


def test_before_anything_is_there_the_plan_says_what_makes_the_figures(folder: Path) -> None:
    told = switchboard("tune", "plan")
    assert told.startswith("It cannot be said yet whether fine-tuning pays.")
    for way in (
        "`switchboard evaluate golden.jsonl`",
        "`switchboard tune plan --model NAME`",
        "`switchboard tune data`",
    ):
        assert way in told
    with pytest.raises(RunNotFound):
        switchboard("tune", "plan", "--run", "none")


def test_the_four_questions_are_answered_by_the_teams_own_figures(folder: Path) -> None:
    filled()
    switchboard("tune", "data", "--model", "base")
    found = json.loads(CliRunner().invoke(app, ["tune", "plan", "--model", "base", "--json"]).stdout)
    assert found["headline"] == "Do not fine-tune."
    assert found["reasons"] == ["48 rows are too few: at least 50 are advised. Save more examples first."]
    assert found["missing"] == ["what people's time for the data costs: `--minutes` a row and `--hourly` dollars"]
    told = switchboard("tune", "plan", "--model", "base", "--minutes", "6", "--hourly", "$50")
    assert "60 questions were asked in public in 3 weeks." in told
    assert "What do I earn" not in told
    assert "% 👎, 0% without an answer, $0.004" in told
    assert "rag · large: quality 0.70" in told
    assert "base can be tuned." in told
    assert "People's time for the rows that lack: $10.00." in told
    assert "Break-even after" in told
