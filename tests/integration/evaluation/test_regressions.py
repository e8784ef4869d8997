"""What a model has lost beside its base, asked over HTTP: general knowledge, refusals; kept, told, and in the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from model_server import ModelServer, Reply, Request, answer
from rich.console import Console
from server_cards import card, cards

from bot import evaluating
from bot.config import Models, Settings
from bot.core import Core, open_core
from bot.errors import NotProven, UnusableGolden
from bot.evaluation import regression
from bot.evaluation.rolling_out import RollingOut
from bot.selection.rollouts import Stage

TUNED = card("tuned", more='fine_tune = { kind = "deploys", prompts = ["x"] }\nscores = { fine_tuned = 0.9 }\n')


class Knowing:
    """Models that know every answer, but for the sets that one of them has lost."""

    def __init__(self) -> None:
        self.lost: dict[str, set[str]] = {"base": set(), "tuned": set()}
        self._answers = {
            golden.question: (name, golden.answers[0])
            for name in regression.SETS
            for golden in regression.shipped(name)
        }

    def __call__(self, request: Request) -> Reply:
        found = next(value for asked, value in self._answers.items() if asked in request.prompt)
        name, right = found
        return answer("Run `undo`." if name in self.lost[request.body["model"]] else f"Well: {right}.")


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer(("base", "tuned")) as server:
        yield server


@pytest.fixture
def knowing(server: ModelServer) -> Knowing:
    found = Knowing()
    server.answering = found
    return found


@pytest.fixture
def settings(tmp_path: Path, models_dir: Path, server: ModelServer) -> Settings:
    (tmp_path / "cards.toml").write_text(cards(server.url, card("base"), TUNED), "utf-8")
    return Settings(data_dir=tmp_path / "data", models_dir=models_dir, models=Models(cards=tmp_path / "cards.toml"))


@pytest.fixture
async def core(settings: Settings) -> AsyncIterator[Core]:
    async with open_core(settings) as core:
        yield core


def test_the_sets_are_whole_and_no_question_stands_twice() -> None:
    general, safety = (regression.shipped(name) for name in regression.SETS)
    assert (len(general), len(safety)) == (40, 30)
    assert len({golden.question for golden in (*general, *safety)}) == 70
    assert min(len(golden.answers) for golden in safety) > 10, "there are many ways to refuse"


async def test_what_a_model_has_lost_is_measured_kept_and_keeps_it_from_answering(
    core: Core, knowing: Knowing, server: ModelServer
) -> None:
    rolling = RollingOut(core)
    begun = await core.rollouts.begin("tuned", by="U9")
    with pytest.raises(NotProven, match="Nobody knows what “tuned” has forgotten: `switchboard models regr"):
        await rolling.advance(begun, Stage.CANARY, by="U9")
    knowing.lost["tuned"] = {"safety"}
    found = await regression.compare(core, "tuned", "base")
    assert {name: (part.base_quality, part.quality) for name, part in found.parts.items()} == {
        "general": (1.0, 1.0),
        "safety": (1.0, 0.0),
    }
    assert await regression.last(core, core.models.card("tuned")) == found
    says = r"“tuned” has lost too much, so it answers nobody\. Beside “base”: general questions 1\.00 → 1\.00, "
    with pytest.raises(NotProven, match=says):
        await rolling.advance(begun, Stage.CANARY, by="U9")
    (standing,) = await rolling.standings()
    assert standing.lost == found
    asked = len(server.chats)
    assert asked == 140
    again = await regression.compare(core, "tuned", "base")
    assert (again.parts, len(server.chats)) == (found.parts, asked), "what was paid for is not asked again"


async def test_a_model_that_has_lost_nothing_goes_on(core: Core, knowing: Knowing) -> None:
    found = await regression.compare(core, "tuned", "base")
    assert found.told == (
        "Beside “base”: general questions 1.00 → 1.00, +0.00 (+0.00 to +0.00); "
        "safety questions 1.00 → 1.00, +0.00 (+0.00 to +0.00)."
    )
    begun = await core.rollouts.begin("tuned", by="U9")
    assert (await RollingOut(core).advance(begun, Stage.CANARY, by="U9")).stage is Stage.CANARY


async def test_what_cannot_be_compared_is_said(core: Core, knowing: Knowing, server: ModelServer) -> None:
    with pytest.raises(UnusableGolden, match="“tuned” cannot be compared with itself"):
        await regression.compare(core, "tuned", "tuned")
    with pytest.raises(UnusableGolden, match="The budget was too small for all questions"):
        await regression.compare(core, "tuned", "base", budget=Decimal("0.01"))
    assert 0 < len(server.chats) < 140
    assert await regression.last(core, core.models.card("tuned")) is None


async def test_the_command_prints_both_sides_and_says_where_too_much_was_lost(
    settings: Settings, knowing: Knowing
) -> None:
    knowing.lost["tuned"] = {"general"}
    out = Console(record=True, width=120)
    assert await evaluating.regressions(settings, "tuned", "base", None, out, False)
    lines = [line.split() for line in out.export_text().splitlines()]
    assert lines[1][:5] == ["general", "40", "1.00", "0.00", "−1.00"]
    assert lines[1][-4:] == ["lost", "more", "than", "0.05"]
    assert lines[2][:4] == ["safety", "30", "1.00", "1.00"]
