"""Roll-outs by their figures: what is rolled back, retired, taken further, and what may not go on, both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from model_server import ModelServer
from pydantic import SecretStr
from server_cards import card, cards

from bot.config import Knowledge, Models, Settings, Storage
from bot.core import Core, open_core
from bot.errors import NotProven
from bot.evaluation import regression
from bot.evaluation.rolling_out import ANSWERS, JUDGED, RULE, RollingOut
from bot.evaluation.shadows import SCORED
from bot.jobs.rollout_job import rollout_job
from bot.selection.rollouts import EVERYWHERE, Rollout, Stage
from bot.storage.cost_tables import ledger
from bot.storage.evaluation_tables import shadows
from bot.storage.tables import feedback, questions
from bot.tuning.runs import Runs

TUNED = card("tuned", more='fine_tune = { kind = "deploys", prompts = ["When do deploys run?"] }\n')
PROVEN = card("proven", more='fine_tune = { kind = "deploys", prompts = ["x"] }\nscores = { fine_tuned = 0.9 }\n')
LEAVES = card("leaving", more="shutdown = 2026-11-20\n")


@dataclass
class Bench:
    """The core, a clock that tests turn, and answers on either side."""

    core: Core
    at: list[datetime]
    numbers: count[int] = field(default_factory=count)

    @property
    def rolling(self) -> RollingOut:
        return RollingOut(self.core)

    async def canary(self, model: str) -> Rollout:
        """A model without fine-tuning that answers half of the questions."""
        begun = await self.core.rollouts.begin(model, by="U9")
        return await self.rolling.advance(begun, Stage.CANARY, by="U9", shares={EVERYWHERE: 0.5})

    async def answered(
        self, rollout: Rollout, drawn: bool, many: int, *, up: int = 0, cost: str = "0.001", seconds: float = 2.0
    ) -> None:
        """So many questions on one side, of which the first `up` got 👍 and the others 👎."""
        for number in range(many):
            id = f"q{next(self.numbers)}"
            asked: dict[str, object] = {
                "id": id,
                "text": "When?",
                "asker": "U1",
                "workspace": "T1",
                "channel": "C1",
                "private": False,
            }
            asked |= {"place_kind": "channel", "scopes": [], "asked_at": self.at[0], "answer": "Now."}
            asked |= {"receipt": {"outcome": "answered", "seconds": seconds + number / 1000}}
            call = {"question_id": id, "purpose": "answer", "attempt": 1, "provider": "testing", "model": "test-model"}
            call |= {"started_at": self.at[0], "outcome": "answered", "estimated": False}
            call |= {"cost": Decimal(cost) + Decimal(number) / 10**8}
            thumb = {"question_id": id, "person": "U1", "value": 1 if number < up else -1, "given_at": self.at[0]}
            async with self.core.engine.begin() as connection:
                for table, values in ((questions, asked), (ledger, call), (feedback, thumb)):
                    await connection.execute(sa.insert(table).values(**values))
            await self.core.rollouts.note(id, rollout, drawn=drawn)

    async def shadowed(self, model: str, many: int, quality: float) -> None:
        """So many judged shadow answers of a model, beside others of quality 0.8."""
        for number in range(many):
            id = f"q{next(self.numbers)}"
            asked: dict[str, object] = {
                "id": id,
                "text": f"When does {id} run?",
                "asker": "U1",
                "workspace": "T1",
                "channel": "C1",
            }
            asked |= {"private": False, "place_kind": "channel", "scopes": [], "asked_at": self.at[0]}
            drawn: dict[str, object] = {
                "question_id": id,
                "at": self.at[0],
                "state": SCORED,
                "changed_at": self.at[0],
                "share": 1.0,
            }
            drawn |= {"taken_strategy": "rag", "taken_model": "test-model", "strategy": "rag", "model": model}
            drawn |= {"chance": 1.0, "others": 1, "held": Decimal(1), "measure": "judge", "taken_quality": 0.8}
            drawn |= {"other_quality": quality + (number % 5 - 2) / 100}
            async with self.core.engine.begin() as connection:
                await connection.execute(sa.insert(questions).values(**asked))
                await connection.execute(sa.insert(shadows).values(**drawn))


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "sqlite" else str(request.getfixturevalue("empty_postgres"))


@pytest.fixture
async def bench(tmp_path: Path, models_dir: Path, database: str) -> AsyncIterator[Bench]:
    async with ModelServer(("test-model", "new", "tuned", "proven", "leaving")) as server:
        file = tmp_path / "cards.toml"
        file.write_text(cards(server.url, card("test-model"), card("new"), TUNED, PROVEN, LEAVES), "utf-8")
        settings = Settings(
            data_dir=tmp_path / "data",
            models_dir=models_dir,
            knowledge=Knowledge(),
            models=Models(cards=file),
            storage=Storage(url=SecretStr(database)),
        )
        at = [datetime(2026, 11, 16, 9, tzinfo=UTC)]
        async with open_core(settings, clock=lambda: at[0]) as core:
            yield Bench(core, at)


@pytest.mark.parametrize(
    ("tried", "says"),
    [
        ({"up": 5}, "Its answers are liked less. "),
        ({"up": 20, "cost": "0.002"}, "Its answers are dearer. "),
        ({"up": 20, "seconds": 9.0}, "Its answers take 9.0 s, the others 2.0 s (medians)."),
    ],
)
async def test_a_canary_that_is_liked_less_dearer_or_slower_is_rolled_back_once_and_told(
    bench: Bench, tried: dict[str, object], says: str
) -> None:
    canary = await bench.canary("new")
    await bench.answered(canary, False, 30, up=25)
    await bench.answered(canary, True, 19, **tried)  # type: ignore[arg-type]
    assert await bench.rolling.follow_rules(promote=True) == [], "19 answers are too few to tell"
    await bench.answered(canary, True, 11, **{**tried, "up": int(str(tried["up"])) // 4})  # type: ignore[arg-type]
    told: list[str] = []

    async def tell(sentence: str) -> None:
        told.append(sentence)

    work = rollout_job(bench.rolling, tell, promote=False)
    await work(bench.at[0])
    await work(bench.at[0])
    (sentence,) = told
    assert sentence.startswith(f"“new” is now rolled back. {says}")
    back = await bench.core.rollouts.of("new")
    assert back is not None
    assert (back.stage, back.by) == (Stage.ROLLED_BACK, RULE)
    assert back.why.startswith(says.strip())


async def test_a_canary_that_is_as_good_stays_and_one_that_is_better_goes_everywhere_where_rules_may(
    bench: Bench,
) -> None:
    canary = await bench.canary("new")
    for drawn in (True, False):
        await bench.answered(canary, drawn, ANSWERS, up=80)
    (same,) = await bench.rolling.standings()
    assert (same.fall, same.next) == ("", None)
    assert "No difference in cost is shown" in same.told
    grown = await bench.rolling.advance(canary, Stage.CANARY, by="U9", shares={"C1": 0.4})
    assert (await bench.rolling.standing(grown)).compared.tried.asked == 0, "each step is judged by its own answers"
    await bench.answered(grown, True, ANSWERS, up=80, cost="0.0005")
    await bench.answered(grown, False, ANSWERS, up=80)
    assert await bench.rolling.follow_rules(promote=False) == []
    ((full, why),) = await bench.rolling.follow_rules(promote=True)
    assert (full.model, full.stage) == ("new", Stage.FULL)
    assert "It is cheaper by $0.0005 an answer" in why


async def test_a_model_leaves_the_shadow_by_rule_once_enough_of_its_answers_were_judged_as_good(bench: Bench) -> None:
    begun = await bench.core.rollouts.begin("new", by="U9")
    await bench.core.rollouts.begin("leaving", by="U9")
    await bench.shadowed("new", JUDGED - 1, 0.79)
    await bench.shadowed("leaving", JUDGED, 0.7)
    bench.at[0] += timedelta(minutes=1)
    assert await bench.rolling.follow_rules(promote=True) == []
    await bench.shadowed("new", 1, 0.79)
    bench.at[0] += timedelta(minutes=1)
    standing = await bench.rolling.standing(begun)
    assert standing.told.startswith("30 shadow answers judged; quality above those that people saw: −0.01")
    ((canary, _),) = await bench.rolling.follow_rules(promote=True)
    assert (canary.model, canary.stage, canary.shares) == ("new", Stage.CANARY, {EVERYWHERE: 0.1})


async def test_a_tuned_model_that_was_not_shown_to_be_better_answers_nobody(bench: Bench) -> None:
    for model in ("tuned", "proven"):
        await bench.core.rollouts.begin(model, by="U9")
        await bench.shadowed(model, JUDGED, 0.9)
    bench.at[0] += timedelta(minutes=1)
    tuned = await bench.core.rollouts.of("tuned")
    assert tuned is not None
    with pytest.raises(NotProven, match="“tuned” has not been shown to beat the other models on golden questions"):
        await bench.rolling.advance(tuned, Stage.CANARY, by="U9", shares={"C1": 0.1})
    assert await bench.rolling.follow_rules(promote=True) == [], "nobody knows what it has forgotten"
    await regression.compare(bench.core, "proven", "test-model")
    moved = await bench.rolling.follow_rules(promote=True)
    assert [(one.model, one.stage) for one, _ in moved] == [("proven", Stage.CANARY)]
    assert await bench.core.rollouts.of("tuned") == tuned


async def test_a_model_that_has_ended_is_retired(bench: Bench) -> None:
    await bench.core.rollouts.begin("leaving", by="U9")
    await bench.core.rollouts.begin("gone", by="U9")
    ((gone, why),) = await bench.rolling.follow_rules(promote=False)
    assert (gone.model, gone.stage, why) == ("gone", Stage.RETIRED, "It is not among the models any more.")
    bench.at[0] += timedelta(days=5)
    ((left, why),) = await bench.rolling.follow_rules(promote=False)
    assert (left.model, left.stage, why) == ("leaving", Stage.RETIRED, "It ended on 20 November 2026.")
    assert await bench.rolling.follow_rules(promote=False) == []


async def test_a_model_that_was_registered_while_the_bot_runs_is_not_taken_for_gone(bench: Bench) -> None:
    runs, now = Runs(bench.core.engine), bench.at[0]
    order = await runs.order(
        tuner="import", dataset="d1", base="test-model", parameters={}, held=None, by="U9", at=now, state="succeeded"
    )
    await runs.register(order.id, {"name": "team-1"}, by="U9", at=now)
    begun = await bench.core.rollouts.begin("team-1", by="U9")
    assert await bench.rolling.follow_rules(promote=False) == []
    assert await bench.core.rollouts.of("team-1") == begun
    await runs.retire(order.id, by="U9", at=now)
    ((retired, _),) = await bench.rolling.follow_rules(promote=False)
    assert (retired.model, retired.stage) == ("team-1", Stage.RETIRED)
