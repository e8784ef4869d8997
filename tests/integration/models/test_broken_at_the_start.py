"""What the ledger tells of the last minutes holds after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from model_server import ModelServer, server_error
from server_cards import SHORT_ANSWERS, cards

from bot.config import Chains, Knowledge, Models, Settings
from bot.core import Core, open_core
from bot.doctor import check_settings, examine
from bot.domain import Audience, Message, Place, PlaceKind, Prompt, Question, StrategyName
from bot.errors import ConfigError, ModelUnavailable
from bot.gate import Gate, Tab
from bot.models.retry import Patience


async def fail(core: Core, tries: int) -> None:
    """Asks the test model so often in vain."""
    place = Place(workspace="T1", channel="C0HELP", kind=PlaceKind.CHANNEL)
    asked = Question(id="q1", text="?", asker="U0ANA", place=place, audience=Audience.everyone(), asked_at=core.clock())
    prompt = Prompt(strategy=StrategyName.ZERO_SHOT, question="?", messages=(Message("user", "?"),))
    patience = Patience(tries=tries, first_pause=0.0)
    gate = Gate(ledger=core.ledger, prices=core.prices, clock=core.clock, patience=patience)
    stream = gate.stream(asked, core.models.model("test-model"), prompt, max_tokens=10, tab=Tab())
    with pytest.raises(ModelUnavailable):
        await anext(stream)


async def test_a_broken_model_is_left_alone_after_a_restart_too_and_doctor_says_so(
    tmp_path: Path, models_dir: Path
) -> None:
    async with ModelServer(("test-model",)) as server:
        (tmp_path / "cards.toml").write_text(cards(server.url, SHORT_ANSWERS), "utf-8")
        settings = Settings(
            data_dir=tmp_path / "data",
            models_dir=models_dir,
            knowledge=Knowledge(folders=()),
            models=Models(cards=tmp_path / "cards.toml"),
        )
        server.script(*[server_error()] * 5)
        async with open_core(settings) as core:
            await fail(core, 5)
        async with open_core(settings) as core:
            why = core.models.breakers.broken(core.models.usable())
            assert list(why) == ["test-model"]
            assert why["test-model"].startswith("“test-model” failed 5 of its last 5 calls; it is tried again at ")
        (found,) = [one for one in await examine(settings) if one.name == "models: testing"]
        assert (found.state, found.sentence[:29]) == ("note", "“test-model” failed 5 of its ")


async def test_a_chain_with_an_unknown_name_stops_the_start(tmp_path: Path, models_dir: Path) -> None:
    models = Models(chains=Chains(answer=("gpt-6-lunaa",)))
    settings = Settings(data_dir=tmp_path, models_dir=models_dir, knowledge=Knowledge(folders=()), models=models)
    said = "models.chains.answer: There is no model called “gpt-6-lunaa”. Did you mean gpt-6-luna"
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")):
        check_settings(settings)
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")):
        async with open_core(settings):
            pass
