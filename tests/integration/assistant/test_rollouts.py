"""Roll-outs: which questions a model answers at each stage, what is noted of them, and who may move it when."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from model_server import ModelServer, answer

from bot.domain import Question
from bot.errors import RolloutMoved, UnusableWords
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from bot.selection.rollouts import EVERYWHERE, FULL_SHARE, Rollout, Rollouts, Stage
from bot.storage.audit_table import audit_log
from bot.storage.rollout_tables import rollout_questions

Build = Callable[..., Any]
Hosted = Callable[..., tuple[Provider, ModelCard]]
HERE = "C0HELP"
ROLL_BACK = "How do I roll back a deployment?"


@pytest.fixture
def house(build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer) -> Any:
    """Two models, of which the selector takes the new one where it may."""
    server.answering = lambda _: answer("As before. [1]")
    second_server.answering = lambda _: answer("Better. [1]")
    return build(hosted("old", server.url, scores={"rag": 0.9}), hosted("new", second_server.url, scores={"rag": 1.0}))


def sided(house: Any, rollout: Rollout, drawn: bool) -> Question:
    """The next question that is on that side of a roll-out."""
    while rollout.draws((question := house.question(ROLL_BACK)).id, HERE) is not drawn:
        pass
    found: Question = question
    return found


async def answered_by(house: Any, question: Question, **fields: Any) -> str:
    return str((await house.ask(question, **fields)).receipt.choice.option.model)


async def test_a_question_reads_the_roll_outs_once(house: Any) -> None:
    await Rollouts(house.engine).begin("new", by="U9")
    read: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        read.extend([statement] * bool(re.search(r"FROM rollouts\b", statement)))

    sa.event.listen(house.engine.sync_engine, "before_cursor_execute", note)
    await house.ask(ROLL_BACK)
    assert len(read) == 1


async def test_a_model_answers_nobody_in_the_shadow_its_share_as_a_canary_and_nearly_all_at_last(house: Any) -> None:
    rollouts = Rollouts(house.engine)
    assert await answered_by(house, house.question(ROLL_BACK)) == "new", "without a roll-out it is chosen"
    shadow = await rollouts.begin("new", by="U9", why="it was tuned")
    told = await house.ask(ROLL_BACK)
    assert told.receipt.choice.option.model == "old"
    assert "“new” is tried in the shadow: it answers nobody yet." in told.receipt.choice.guards
    pinned = Question(**{n: getattr(house.question(ROLL_BACK, model="new"), n) for n in Question.__slots__})
    assert await answered_by(house, pinned) == "new", "who asks for it by name gets it"

    canary = await rollouts.move(shadow, Stage.CANARY, by="U9", shares={HERE: 0.5})
    tried, rest = sided(house, canary, True), sided(house, canary, False)
    assert await answered_by(house, tried) == "new"
    assert await answered_by(house, rest) == "old"
    assert await answered_by(house, house.question(ROLL_BACK, channel="C0OTHER")) == "old"
    full = await rollouts.move(canary, Stage.FULL, by="U9")
    assert full.share("C0OTHER") == FULL_SHARE
    assert full.shares == {}
    held_out = sided(house, full, False)
    assert await answered_by(house, held_out) == "old"
    async with house.engine.connect() as connection:
        rows = (await connection.execute(sa.select(rollout_questions))).all()
    noted = {(row.question_id, row.step, row.drawn) for row in rows}
    assert noted == {(tried.id, 2, True), (rest.id, 2, False), (held_out.id, 3, False)}

    back = await rollouts.move(full, Stage.ROLLED_BACK, by="rule", why="Its answers are liked less.")
    told = await house.ask(sided(house, full, True))
    assert told.receipt.choice.option.model == "old"
    assert "“new” was rolled back: Its answers are liked less." in told.receipt.choice.guards
    assert await rollouts.of("new") == back


async def test_a_question_stays_on_its_side_when_the_share_grows(house: Any) -> None:
    rollouts = Rollouts(house.engine)
    begun = await rollouts.begin("new", by="U9")
    small = await rollouts.move(begun, Stage.CANARY, by="U9", shares={EVERYWHERE: 0.2})
    large = await rollouts.move(small, Stage.CANARY, by="U9", shares={HERE: 0.4})
    assert large.shares == {EVERYWHERE: 0.2, HERE: 0.4}
    ids = [f"q{number}" for number in range(2000)]
    before, after = ({id for id in ids if one.draws(id, HERE)} for one in (small, large))
    assert before < after
    assert len(before) / 2000 == pytest.approx(0.2, abs=0.04)
    assert len(after) / 2000 == pytest.approx(0.4, abs=0.04)
    assert {id for id in ids if large.draws(id, "C0OTHER")} == before


async def test_of_two_who_move_a_model_at_once_one_does_and_the_other_is_told(house: Any) -> None:
    rollouts = Rollouts(house.engine)
    seen = await rollouts.begin("new", by="U9")
    assert await rollouts.begin("new", by="U8") == seen, "it has begun already"
    moves = (rollouts.move(seen, Stage.CANARY, by=who, shares={HERE: 0.1}) for who in ("U1", "U2"))
    outcomes = await asyncio.gather(*moves, return_exceptions=True)
    (moved,) = [one for one in outcomes if isinstance(one, Rollout)]
    (refused,) = [one for one in outcomes if isinstance(one, RolloutMoved)]
    assert "Somebody else has just changed the roll-out of “new”." in str(refused)
    with pytest.raises(UnusableWords, match=r"is in the shadow; next it can be: a canary, rolled back, retired\."):
        await rollouts.move(seen, Stage.FULL, by="U9")
    async with house.engine.connect() as connection:
        log = (await connection.execute(sa.select(audit_log).order_by(audit_log.c.id))).all()
    assert [(row.who, row.action, row.before, row.after) for row in log] == [
        ("U9", "model rolled out", "", "in the shadow"),
        (moved.by, "model rolled out", "in the shadow", "a canary, 10% of C0HELP"),
    ]


async def test_where_only_the_model_in_the_shadow_is_there_the_offline_one_answers(
    build: Build, hosted: Hosted, second_server: ModelServer
) -> None:
    house = build(hosted("new", second_server.url, scores={"rag": 0.95}))
    await Rollouts(house.engine).begin("new", by="U9")
    assert await answered_by(house, house.question(ROLL_BACK)) == "offline"
    assert second_server.requests == []
