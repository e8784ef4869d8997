"""What choosing saved, and which savings are proven, by answers that are kept; over real stores."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.config import Models, Settings
from bot.core import Core, open_core
from bot.costs.periods import Week
from bot.domain import StrategyName
from bot.evaluation.golden import Golden
from bot.evaluation.matrix import Cell, Way
from bot.evaluation.run import Run
from bot.evaluation.runs import Kept, Runs
from bot.evaluation.savings import FEWEST, proposals, saved_by_choosing
from bot.storage.cost_tables import ledger
from bot.storage.evaluation_tables import shadows
from bot.storage.tables import questions

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
WEEK = Week.before(NOW, UTC)
CARDS = """
[[providers]]
name = "testing"
title = "Test server"
base_url = "http://127.0.0.1:9/v1"
local = true

[[models]]
name = "large"
provider = "testing"
context_window = 16000
rates = { input = "10", output = "40" }

[[models]]
name = "small"
provider = "testing"
context_window = 16000
rates = { input = "1", output = "4" }
"""


@pytest.fixture
async def core(tmp_path: Path, models_dir: Path) -> AsyncIterator[Core]:
    cards = tmp_path / "cards.toml"
    cards.write_text(CARDS, encoding="utf-8")
    settings = Settings(data_dir=tmp_path / "data", models_dir=models_dir, models=Models(cards=cards))
    async with open_core(settings, clock=lambda: NOW) as opened:
        yield opened


async def answered(core: Core, count: int, *, model: str = "large", channel: str = "C1", cost: str = "0.1") -> None:
    """Answers of the reported week, by RAG."""
    async with core.engine.begin() as connection:
        for number in range(count):
            id, at = f"{channel}-{model}-{number}", WEEK.since + timedelta(hours=number % 160)
            kind = "dm" if channel.startswith("D") else "channel"
            await connection.execute(
                questions.insert().values(
                    id=id, text=f"question {number} of {id}", asker="U1", workspace="T1", channel=channel,
                    place_kind=kind, scopes=[], asked_at=at,
                )
            )  # fmt: skip
            await connection.execute(
                ledger.insert().values(
                    question_id=id, purpose="answer", attempt=1, provider="testing", model=model, strategy="rag",
                    channel=channel, asker="U1", started_at=at, prompt_tokens=10, completion_tokens=1,
                    estimated=False, cost=Decimal(cost), outcome="answered",
                )
            )  # fmt: skip


async def shadowed(
    core: Core, count: int, *, gain: float = 0.0, spread: float = 0.02, cost: str = "0.01", channel: str = "C1",
    other: str = "small", strategy: str = "rag",
) -> None:  # fmt: skip
    """Shadow runs of the first answers by `large`, with the quality of the other answer above the one taken."""
    draw = random.Random(3)
    async with core.engine.begin() as connection:
        for number in range(count):
            await connection.execute(
                shadows.insert().values(
                    question_id=f"{channel}-large-{number}", at=WEEK.since + timedelta(hours=number % 160),
                    state="scored", changed_at=NOW, detail="", share=0.02, taken_strategy="rag", taken_model="large",
                    strategy=strategy, model=other, chance=0.5, others=2, held=Decimal(1),
                    cost=Decimal(cost) * Decimal(repr(draw.uniform(0.8, 1.2))), measure="judge", taken_quality=0.8,
                    other_quality=0.8 + gain + draw.uniform(-spread, spread),
                )
            )  # fmt: skip


async def test_a_cheaper_model_is_proposed_where_answers_to_the_same_questions_prove_it(core: Core) -> None:
    await answered(core, 200)
    await shadowed(core, 40)
    (found,) = await proposals(core, WEEK)
    assert (found.channel, found.model, found.other, found.source) == ("C1", "large", "small", "shadow runs")
    assert found.questions == 40
    assert abs(found.gain) < 0.02
    # $20 in 28 days, of which a tenth is left, as 30 days.
    assert abs(found.month - Decimal("19.29")) < Decimal("0.6")


@pytest.mark.parametrize(
    ("shadow", "why"),
    [
        ({"count": FEWEST - 1}, "too few"),
        ({"count": 40, "gain": -0.2}, "worse"),
        ({"count": 40, "spread": 0.5}, "the range hides a loss that matters"),
        ({"count": 40, "cost": "0.2"}, "dearer"),
        ({"count": 40, "strategy": "zero_shot"}, "another strategy"),
    ],
)
async def test_nothing_is_proposed_where_nothing_is_proven(core: Core, shadow: dict[str, object], why: str) -> None:
    await answered(core, 200)
    await shadowed(core, **shadow)  # type: ignore[arg-type]
    assert await proposals(core, WEEK) == (), why


async def test_direct_messages_mixed_channels_and_small_sums_are_left_alone(core: Core) -> None:
    await answered(core, 200, channel="D1")
    await shadowed(core, 40, channel="D1")
    await answered(core, 60, channel="C2")
    await answered(core, 60, model="small", channel="C2", cost="0.01")
    await shadowed(core, 40, channel="C2")
    await answered(core, 60, channel="C3", cost="0.002")
    await shadowed(core, 40, channel="C3", cost="0.0002")
    assert await proposals(core, WEEK) == ()


async def test_a_channel_is_offered_no_model_that_its_data_rules_bar(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answered(core, 200)
    await shadowed(core, 40)
    assert len(await proposals(core, WEEK)) == 1
    barred = frozenset({"small"})

    async def bars(_channel: str) -> frozenset[str]:
        return barred

    monkeypatch.setattr(core.data_rules, "barred", bars)
    assert await proposals(core, WEEK) == ()


async def evaluated(core: Core, count: int, gain: float) -> None:
    run = Run(
        id="r1", name="first", started=NOW - timedelta(days=3), source="golden.jsonl", data="", questions=count,
        index="", models={}, prompts="", scorers=(), finished=NOW - timedelta(days=2),
    )  # fmt: skip
    ways = [Way(StrategyName.RAG, "large"), Way(StrategyName.RAG, "small")]
    golden = [
        Golden(id=f"g{number}", question=f"What is {number}?", group=f"group {number}") for number in range(count)
    ]
    runs, draw = Runs(core.engine), random.Random(5)
    await runs.start(run, ways, golden)
    for one in golden:
        for way, quality, cost in ((ways[0], 0.8, "0.1"), (ways[1], 0.8 + gain + draw.uniform(-0.02, 0.02), "0.02")):
            await runs.keep(run.id, one.id, way, Kept(Cell(quality=quality, cost=Decimal(cost))))
    await runs.finish(run.id, finished=run.finished, budget=None)


async def test_the_last_evaluation_proves_a_saving_where_shadow_runs_are_too_few(core: Core) -> None:
    await answered(core, 200)
    await evaluated(core, 30, 0.0)
    (found,) = await proposals(core, WEEK)
    assert (found.other, found.source, found.questions) == ("small", "the last evaluation", 30)
    assert abs(found.month - Decimal("17.14")) < Decimal("0.01")


async def test_what_choosing_saved_is_told_with_its_range_or_that_it_is_not_known_yet(core: Core) -> None:
    assert await saved_by_choosing(core, WEEK) == ""
    await answered(core, 100, cost="0.01")
    await shadowed(core, 3, cost="0.05", strategy="zero_shot")
    assert "not known yet" in await saved_by_choosing(core, WEEK)
    async with core.engine.begin() as connection:
        await connection.execute(sa.delete(shadows))
    # The choice is RAG with the cheap one; the dearest model would have cost about ten cents more an answer.
    await answered(core, 100, model="small", channel="C4", cost="0.01")
    async with core.engine.begin() as connection:
        draw = random.Random(11)
        for number in range(40):
            await connection.execute(
                shadows.insert().values(
                    question_id=f"C4-small-{number}", at=WEEK.since + timedelta(hours=number), state="answered",
                    changed_at=NOW, detail="", share=0.02, taken_strategy="rag", taken_model="small", strategy="rag",
                    model="large", chance=0.5, others=2, held=Decimal(1),
                    cost=Decimal("0.11") * Decimal(repr(draw.uniform(0.9, 1.1))),
                )
            )  # fmt: skip
    told = await saved_by_choosing(core, WEEK)
    assert told.startswith("Choosing saved about $")
    assert "against always large, by 40 shadow runs." in told
    saved = Decimal(told.partition("$")[2].partition(" ")[0])
    assert Decimal("9") < saved < Decimal("11")  # of the 100 answers that were not by the dearest
    assert "always RAG" not in told  # every answer was by RAG
