"""Evaluations and the console where a hard budget has no room: a sentence, and nothing lost."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest
from evaluation_bench import Bench, cells
from model_server import answer
from rich.console import Console

from bot.console import ask

READS = "Write a birthday greeting."


async def set_hard(bench: Bench, amount: str, **changes: Any) -> None:
    async with bench.core() as core:
        values = {"scope": "workspace", "key": "", "period": "month", "by": "U0ADA", "at": core.clock(), **changes}
        await core.budgets.set(**values, amount=Decimal(amount), hard=True)


@pytest.mark.parametrize("scope", [{}, {"scope": "purpose", "key": "evaluate"}], ids=["workspace", "purpose"])
async def test_an_evaluation_that_meets_a_hard_budget_says_so_and_goes_on_when_there_is_room(
    bench: Bench, scope: dict[str, str]
) -> None:
    await set_hard(bench, "0.006", **scope)
    usage = {"prompt_tokens": 100, "completion_tokens": 300, "total_tokens": 400}
    bench.server.script(*[answer("Happy birthday.", usage=usage)] * 4)
    document = await bench.evaluate(strategies=("zero_shot",), parallel=1)
    asked = len(bench.server.chats)
    outcomes = [cell["outcome"] for cell in cells(document).values()]
    assert 0 < outcomes.count("answered") < len(outcomes)
    assert outcomes.count("not run") == len(outcomes) - outcomes.count("answered")
    assert document["run"]["finished"] is None
    assert "has no room for it" in bench.told
    assert "What was left out stays to be done: `switchboard evaluate --resume" in bench.told
    await set_hard(bench, "10", **scope)
    whole = await bench.resume()
    assert {cell["outcome"] for cell in cells(whole).values()} == {"answered"}
    assert len(bench.server.chats) == asked + outcomes.count("not run"), "nothing is paid for twice"


async def test_judging_for_which_there_is_no_room_is_done_by_another_start(bench: Bench) -> None:
    await set_hard(bench, "0", scope="purpose", key="judge")
    document = await bench.evaluate(judge="judge", strategies=("zero_shot",))
    details = {cell["detail"] for cell in cells(document).values() if cell["detail"]}
    assert details
    assert all(
        detail.startswith("Not judged yet: “judge” was not asked: the monthly budget of $0") for detail in details
    )
    assert document["run"]["finished"] is None


async def test_the_console_is_refused_with_the_same_sentence(bench: Bench) -> None:
    await set_hard(bench, "0")
    out, err = (Console(file=io.StringIO(), width=200, soft_wrap=True) for _ in range(2))
    assert not await ask(bench.settings, READS, None, "test-model", None, out, err, False)
    said = out.file.getvalue() + err.file.getvalue()  # type: ignore[attr-defined]
    assert "the monthly budget of $0 for the whole workspace has no room for it" in said
    assert bench.server.chats == []
