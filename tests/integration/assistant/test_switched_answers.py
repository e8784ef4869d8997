"""Allow-lists, trials and switches as they come out in answers, receipts and the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from model_server import ModelServer, answer, unauthorized

from bot.domain import Question, StrategyName, Turn
from bot.evaluation.trials import result_of, results
from bot.learning.experience import Experience
from bot.learning.feedback import Feedback
from bot.learning.labels import Labels, Signal
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from bot.selection.data_rules import NOT_LISTED
from bot.selection.trials import Trial
from bot.storage.evaluation_tables import trial_questions

Build = Callable[..., Any]
Hosted = Callable[..., tuple[Provider, ModelCard]]
HERE = "C0HELP"
ROLL_BACK = "How do I roll back a deployment?"
THREAD = (Turn("user", ROLL_BACK, "U0ANA"), Turn("assistant", "Run it. [1]", ""))


async def test_a_model_that_is_not_allowed_is_never_called_by_any_step_of_an_answer(
    build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer
) -> None:
    cheap = {"input": "0.001", "output": "0.001"}
    house = build(
        hosted("kept", server.url, scores={"rag": 0.7}),
        hosted("barred", second_server.url, scores={"rag": 1.0}, rates=cheap),
        escalate=True,
    )
    await house.allow_lists.set("channel", HERE, ["kept"], by="U9")
    await house.pins.set("person", "U0ANA", model="barred", by="U0ANA")
    server.script(answer("Who may roll back a deployment?"), answer("Release managers. [1]"), unauthorized())
    told = await house.ask("And who may do it?", history=THREAD)  # written anew by a model first
    choice = told.receipt.choice
    assert choice.option.model == "kept"
    assert NOT_LISTED["channel"] in choice.guards
    assert any("“barred” is what you pinned for yourself, but cannot be asked here" in each for each in choice.reasons)
    assert all(not option.available for option in choice.options if option.model == "barred")
    fallen = await house.ask(ROLL_BACK)  # the only allowed one fails, and none that is barred steps in
    assert fallen.receipt.choice.option.model == "offline"
    assert second_server.requests == []
    assert {call.model for call in await house.calls()} == {"kept", "offline"}


async def test_a_model_asked_for_with_the_question_is_refused_and_nothing_is_called(
    build: Build, hosted: Hosted, server: ModelServer
) -> None:
    house = build(hosted("barred", server.url))
    await house.allow_lists.set("workspace", "", ["open:yes"], by="U9")
    failed = await house.fail(ROLL_BACK, model="barred")
    assert "The workspace's allow-list leaves some models out. “barred” is one of them" in failed.sentence
    assert "These may be used: “offline”. `/model why` tells who set what." in failed.sentence
    assert server.requests == []
    assert await house.calls() == []


async def _trial(house: Any, model: str, share: float = 0.5) -> Trial:
    trial: Trial = await house.trials.start(HERE, model, share, by="U9", reason="is it better?")
    return trial


def _sided(house: Any, trial: Trial, drawn: bool) -> Question:
    """The next question that is on that side of a trial."""
    while trial.draws((question := house.question(ROLL_BACK)).id) is not drawn:
        pass
    found: Question = question
    return found


async def test_both_sides_of_a_trial_are_answered_told_and_counted_with_their_chances(
    build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer
) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    house = build(hosted("old", server.url), hosted("new", second_server.url), default_model="old")
    trial = await _trial(house, "new", 0.25)
    tried, rest = _sided(house, trial, True), _sided(house, trial, False)
    second_server.script(answer("So. [1]", usage=usage))
    server.script(answer("So it is. [1]", usage=usage))
    mine, other = await house.ask(tried), await house.ask(rest)
    choice = mine.receipt.choice
    assert (choice.option.model, choice.policy, choice.propensity) == ("new", "trial", 0.25)
    assert choice.reasons[0] == (
        "“new” is on trial in this channel (“is it better?”); this question is among those that it answers."
    )
    assert [(pin.scope, pin.model, pin.by) for pin in choice.pins] == [("trial", "new", "U9")]
    choice = other.receipt.choice
    assert (choice.option.model, choice.policy, choice.propensity) == ("old", "estimates", 0.75)
    assert any("A trial of “new” runs in this channel" in reason for reason in choice.reasons)
    async with house.engine.connect() as connection:
        rows = (await connection.execute(sa.select(trial_questions))).all()
    assert {(row.question_id, row.trial, row.drawn) for row in rows} == {(tried.id, 1, True), (rest.id, 1, False)}

    await Feedback(house.engine).give(tried.id, "U0ANA", 1)
    await Feedback(house.engine).give(rest.id, "U0ANA", -1)
    await Labels(house.engine).add(tried.id, "U0ANA", Signal.UP)
    await Labels(house.engine).add(rest.id, "U0ANA", Signal.DOWN)
    judged = await Experience(house.engine).read(tried.asked_at + timedelta(days=365))
    assert {(one.way[1], one.propensity) for one in judged} == {("new", 0.25), ("old", 0.75)}

    (found,) = await results(house.engine, tried.asked_at, tried.asked_at + timedelta(seconds=1))
    assert found == await result_of(house.engine, trial)
    assert (found.tried.asked, found.tried.answers, found.tried.cost) == (1, 1, Decimal("0.002"))
    assert (found.tried.up, found.tried.down, found.rest.up, found.rest.down) == (1, 0, 0, 1)
    assert found.rest.per_answer is not None
    assert found.rest.per_answer.value == pytest.approx(0.002)
    assert found.too_few
    assert found.cheaper is None
    assert await results(house.engine, tried.asked_at + timedelta(seconds=1), tried.asked_at + timedelta(days=1)) == ()


async def test_where_the_model_on_trial_fails_another_steps_in_and_it_counts_on_its_side(
    build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer
) -> None:
    house = build(hosted("old", server.url), hosted("new", second_server.url))
    await house.pins.set("channel", HERE, model="old", by="U9")
    trial = await _trial(house, "new")
    tried = _sided(house, trial, True)
    second_server.script(unauthorized())
    server.script(answer("So. [1]"))
    told = await house.ask(tried)
    assert told.receipt.choice.option.model == "old"
    assert told.receipt.choice.reasons[0].startswith("“new” was chosen first but did not answer")
    found = await result_of(house.engine, trial)
    assert (found.tried.answers, found.rest.answers) == (1, 0)


async def test_the_price_of_a_trial_is_unknown_where_a_call_has_none(
    build: Build, hosted: Hosted, server: ModelServer
) -> None:
    house = build(hosted("new", server.url, rates=None))
    trial = await _trial(house, "new")
    server.script(answer("So. [1]"))
    await house.ask(_sided(house, trial, True))
    side = (await result_of(house.engine, trial)).tried
    assert (side.answers, side.unpriced, side.per_answer, side.cost) == (1, 1, None, Decimal(0))


async def test_a_strategy_asked_for_with_the_question_goes_with_the_model_on_trial(
    build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer
) -> None:
    house = build(hosted("old", server.url), hosted("new", second_server.url))
    trial = await _trial(house, "new")
    tried = _sided(house, trial, True)
    second_server.script(answer("So."))
    fields = {name: getattr(tried, name) for name in Question.__slots__} | {"strategy": StrategyName.ZERO_SHOT}
    choice = (await house.ask(Question(**fields))).receipt.choice
    assert (choice.option.model, choice.option.strategy) == ("new", StrategyName.ZERO_SHOT)
