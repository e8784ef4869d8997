"""Evaluations over real stores: what is asked, what is kept, what is paid, and what is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import pytest
import sqlalchemy as sa
from evaluation_bench import Bench, cells, cost
from model_server import Reply, answer, server_error, unauthorized

from bot.errors import RunNotFound, UnusableGolden
from bot.evaluation.golden import asked
from bot.selection.features import NAMES
from bot.selection.questions import Questions
from bot.storage.cost_tables import ledger
from bot.storage.tables import questions

USAGE = {"prompt_tokens": 100, "completion_tokens": 400}
"""$0.0041 by the test model's prices."""
GREETING = "Write a birthday greeting."
ZERO, FEW, RAG = (f"{name} · test-model" for name in ("zero_shot", "few_shot", "rag"))


async def calls(bench: Bench) -> list[Any]:
    async with bench.core() as core, core.engine.connect() as connection:
        return list(await connection.execute(sa.select(ledger).order_by(ledger.c.id)))


async def test_each_question_is_answered_by_each_way_that_is_possible(bench: Bench) -> None:
    bench.server.reply = answer("It takes two minutes. [1]")
    document = await bench.evaluate()
    found = cells(document)
    assert {way for _, way in found} == {ZERO, FEW, RAG}
    assert found["rollback", RAG]["quality"] == 1.0
    assert found["rollback", RAG]["answer"] == "It takes two minutes. [1]"
    assert found["rollback", ZERO]["answer"] == "It takes two minutes."
    assert found["holidays", RAG]["scores"]["contains"] == 0.0
    assert found["deploy", RAG]["scores"]["citation_recall"] == 1.0
    assert found["deploy", ZERO]["quality"] == 0.0
    assert found["rollback", FEW]["outcome"] == "not possible"
    assert found["rollback", FEW]["detail"] == "There are no reviewed examples that everyone here may read."
    assert len(bench.server.chats) == 8


async def test_a_rubric_is_not_judged_without_a_judge(bench: Bench) -> None:
    found = cells(await bench.evaluate())
    assert found["greeting", ZERO]["quality"] is None
    assert found["greeting", RAG]["quality"] is None
    assert found["greeting", ZERO]["outcome"] == "answered"


async def test_what_a_run_costs_is_exact_and_stands_in_the_ledger(bench: Bench) -> None:
    document = await bench.evaluate()
    rows = await calls(bench)
    assert {(row.purpose, row.channel) for row in rows} == {("evaluate", "evaluation")}
    assert {row.strategy for row in rows} == {"zero_shot", "rag"}
    assert Decimal(document["run"]["spent"]) == sum(row.cost for row in rows) == cost(document) > 0
    assert all(row.question_id.startswith(f"{document['run']['id']}-") for row in rows)


async def test_each_row_has_the_evidence_and_what_the_selector_would_choose(bench: Bench) -> None:
    document = await bench.evaluate()
    row = next(row for row in document["questions"] if row["id"] == "rollback")
    # Three passages are too few to tell how much nearer than usual one is; what is not known is left out.
    assert row["features"].keys() == set(NAMES) - {"passage_lead"}
    assert row["features"]["passage_similarity"] > 0.4
    assert row["chosen"] in {ZERO, RAG}
    assert row["chosen"] in row["expected_quality"].keys() <= {ZERO, RAG}
    summary = document["ways"][-1]
    assert summary["name"] == "the selector's choice"
    assert summary["answered"] == 4


async def test_a_run_says_what_it_was_made_with_and_is_shown_again_as_it_was(bench: Bench) -> None:
    document = await bench.evaluate(name="first")
    run = document["run"]
    assert (run["name"], run["questions"], run["audience"]) == ("first", 4, ["everyone"])
    assert run["models"] == {"test-model": "testing/test-model"}
    assert run["finished"] is not None
    assert await bench.shown("first") == document
    (bench.folder / "docs" / "holidays.md").write_text("# Holidays\n\nThere are 31 days.\n", "utf-8")
    other = (await bench.evaluate())["run"]
    assert other["data"] == run["data"]
    assert other["prompts"] == run["prompts"]
    assert other["index"] != run["index"]


async def test_the_same_is_scored_again_without_being_paid_again(bench: Bench) -> None:
    first = await bench.evaluate()
    calls_made = len(bench.server.chats)
    second = await bench.evaluate(scorers=("f1",))
    assert len(bench.server.chats) == calls_made
    assert Decimal(second["run"]["spent"]) == 0
    assert "8 answers were kept from before" in bench.told
    one, other = cells(first)["rollback", RAG], cells(second)["rollback", RAG]
    assert (other["answer"], other["cost"], other["seconds"]) == (one["answer"], one["cost"], one["seconds"])
    assert other["scores"].keys() == {"f1"}
    await bench.evaluate(fresh=True)
    assert len(bench.server.chats) == 2 * calls_made


async def test_the_reviewed_answer_to_the_question_itself_is_never_told(bench: Bench) -> None:
    async with bench.core() as core:
        await core.examples.save("Hi, how long does a rollback take", "SECRET MINUTES", ["everyone"], "U0ANA")
        await core.examples.save("How do I tie a bow?", "With two loops.", ["everyone"], "U0ANA")
    document = await bench.evaluate()
    prompts = [chat.prompt for chat in bench.server.chats if "How long does a rollback take?" in chat.prompt]
    assert any("two loops" in prompt for prompt in prompts)
    assert not any("SECRET MINUTES" in prompt for prompt in prompts)
    assert any("SECRET MINUTES" in chat.prompt for chat in bench.server.chats)
    assert document["examples_left_out"] == 1


async def test_a_budget_that_ends_in_the_middle_keeps_what_is_done_and_is_never_overrun(bench: Bench) -> None:
    bench.server.reply = Reply(text="Two minutes.", usage=USAGE)
    document = await bench.evaluate(budget=Decimal("0.017"), parallel=8, strategies=("zero_shot", "rag"))
    spent = Decimal(document["run"]["spent"])
    outcomes = [cell["outcome"] for cell in cells(document).values()]
    assert 0 < spent <= Decimal("0.017")
    assert {"answered", "not run"} == set(outcomes)
    assert document["run"]["finished"] is None
    assert "`switchboard evaluate --resume" in bench.told
    answered = len(bench.server.chats)
    with pytest.raises(UnusableGolden, match=r"already\. --budget is for all of it"):
        await bench.resume(budget=spent / 2)
    whole = await bench.resume(budget=Decimal(1))
    assert whole["run"]["id"] == document["run"]["id"]
    assert {cell["outcome"] for cell in cells(whole).values()} == {"answered"}
    assert whole["run"]["finished"] is not None
    assert len(bench.server.chats) == 8 > answered
    assert len({chat.prompt for chat in bench.server.chats}) == 8
    assert Decimal(whole["run"]["spent"]) == cost(whole)


async def test_calls_without_a_known_price_are_counted_and_told(bench: Bench) -> None:
    document = await bench.evaluate(models=("unpriced",), budget=Decimal("0.01"))
    assert document["run"]["unpriced"] == 8
    assert document["ways"][0]["cost"] is None
    assert Decimal(document["run"]["spent"]) == 0


async def test_a_judge_scores_what_it_can_and_its_calls_stand_in_the_ledger(bench: Bench) -> None:
    bench.server.reply = answer('{"score": 0.75, "reason": "Nearly all of it."}')
    document = await bench.evaluate(judge="judge", strategies=("zero_shot",))
    found = cells(document)
    assert found["rollback", ZERO]["quality"] == 0.75
    assert found["greeting", ZERO]["quality"] == 0.75
    assert found["greeting", ZERO]["detail"] == "Nearly all of it."
    assert found["deploy", ZERO]["quality"] == 0.0  # a source is not judged
    purposes = [row.purpose for row in await calls(bench)]
    assert (purposes.count("evaluate"), purposes.count("judge")) == (4, 3)
    assert document["run"]["judge"] == "judge"


async def test_a_judge_that_answers_nonsense_is_told_and_never_counted_as_a_score(bench: Bench) -> None:
    bench.server.reply = answer("What a lovely answer!")
    document = await bench.evaluate(judge="judge", strategies=("zero_shot",))
    judged = [cell for (id, _), cell in cells(document).items() if id != "deploy"]
    assert [cell["quality"] for cell in judged] == [None] * 3
    assert document["ways"][0]["unjudged"] == 3
    assert document["ways"][0]["judged"] == 1
    assert "3 × The judge answered what is no judgement (it is no JSON object)" in bench.told
    calls_made = len(bench.server.chats)
    await bench.resume()
    assert len(bench.server.chats) == calls_made


async def test_an_answer_that_the_budget_left_unjudged_is_judged_by_another_start(bench: Bench) -> None:
    bench.golden({"id": "greeting", "question": "Write a birthday greeting.", "rubric": "It is friendly."})
    bench.server.reply = Reply(text='{"score": 1, "reason": "Yes."}', usage=USAGE)
    document = await bench.evaluate(judge="judge", strategies=("zero_shot",), budget=Decimal("0.0055"))
    (cell,) = cells(document).values()
    assert (cell["outcome"], cell["quality"]) == ("answered", None)
    assert cell["detail"].startswith("Not judged yet: the budget has no room")
    assert document["run"]["finished"] is None
    (cell,) = cells(await bench.resume(budget=Decimal(1))).values()
    assert cell["quality"] == 1.0
    assert len(bench.server.chats) == 2


async def test_how_far_the_judge_agrees_with_peoples_thumbs_is_reported(bench: Bench) -> None:
    async with bench.core() as core:
        kept = Questions(core.engine)
        thumbs: tuple[tuple[str, Literal[1, -1]], ...] = (("How long does a rollback take?", 1), (GREETING, -1))
        for text, thumb in thumbs:
            question = asked(text, id=text[:20])
            await kept.keep(question)
            async with core.engine.begin() as connection:
                changed = sa.update(questions).where(questions.c.id == question.id).values(answer="Well.")
                await connection.execute(changed)
            await core.feedback.give(question.id, "U0ANA", thumb)
    bench.server.script(*["Well.", '{"score": 1}'] * 2)
    bench.golden(
        {"question": "How long does a rollback take?", "answer": "two minutes"},
        {"question": GREETING, "rubric": "It is friendly."},
    )
    document = await bench.evaluate(judge="judge", strategies=("zero_shot",), parallel=1)
    assert document["agreement_with_people"] == {"n": 2, "share": 0.5, "kappa": None}


async def test_a_model_that_fails_is_told_and_tried_again_by_another_start(bench: Bench) -> None:
    bench.golden({"id": "rollback", "question": "How long does a rollback take?", "answer": "two minutes"})
    bench.server.script(unauthorized())
    document = await bench.evaluate(strategies=("zero_shot", "rag"))
    found = cells(document)
    assert found["rollback", ZERO]["outcome"] == "unauthorized"
    assert found["rollback", RAG]["outcome"] == "not run"
    assert len(bench.server.chats) == 1
    assert "× Not asked any more" in bench.told
    assert document["run"]["finished"] is None
    found = cells(await bench.resume())
    assert {cell["outcome"] for cell in found.values()} == {"answered"}


async def test_a_run_is_not_gone_on_with_when_what_is_known_has_changed(bench: Bench) -> None:
    await bench.evaluate(budget=Decimal("0.006"))
    (bench.folder / "docs" / "holidays.md").write_text("# Holidays\n\nThere are 31 days.\n", "utf-8")
    async with bench.core() as core:
        await core.knowledge.refresh()
    with pytest.raises(RunNotFound, match="what is known changed since"):
        await bench.resume()


async def test_only_what_the_audience_may_read_is_found(bench: Bench) -> None:
    (bench.folder / "pay.jsonl").write_text('{"id": "x", "text": "x"}', "utf-8")
    async with bench.core() as core:
        await core.examples.save("What is paid for night shifts?", "LOCKED AWAY", ["channel:G0PAY"], "U0ANA")
    bench.golden({"id": "pay", "question": "How are night shifts paid?", "answer": "double"})
    assert cells(await bench.evaluate())["pay", FEW]["outcome"] == "not possible"
    document = await bench.evaluate(readers=("channel:G0PAY",))
    assert cells(document)["pay", FEW]["outcome"] == "answered"
    assert document["run"]["audience"] == ["channel:G0PAY", "everyone"]
    assert any("LOCKED AWAY" in chat.prompt for chat in bench.server.chats)


async def test_a_question_that_is_too_long_for_a_model_is_not_possible_there(bench: Bench) -> None:
    cards = (bench.folder / "cards.toml").read_text()
    (bench.folder / "cards.toml").write_text(cards.replace("16000", "1000", 1))
    bench.golden({"id": "long", "question": "Why? " * 900, "answer": "So."})
    cell = cells(await bench.evaluate(strategies=("zero_shot",)))["long", ZERO]
    assert cell["outcome"] == "not possible"
    assert "too long for the model" in cell["detail"]


async def test_the_offline_model_is_evaluated_without_any_server(bench: Bench) -> None:
    document = await bench.evaluate(models=("offline",))
    found = cells(document)
    assert found["holidays", "rag · offline"]["quality"] == 1.0
    assert found["holidays", "rag · offline"]["scores"]["supported"] == 1.0
    assert {way["name"].split(" ")[0] for way in document["ways"]} == {"few_shot", "rag", "the"}
    assert bench.server.chats == []


async def test_very_many_questions_ask_for_a_budget_or_a_limit_before_anything_is_asked(bench: Bench) -> None:
    bench.golden(*({"question": f"What is number {n}?", "answer": str(n), "group": f"g{n % 4}"} for n in range(5_000)))
    with pytest.raises(UnusableGolden, match=r"5,000 questions by 3 ways are up to 15,000 calls.*--budget.*--limit N"):
        await bench.evaluate()
    assert bench.server.chats == []
    document = await bench.evaluate(limit=8, strategies=("zero_shot",))
    groups = [row["group"] for row in document["questions"]]
    assert sorted(groups) == ["g0", "g0", "g1", "g1", "g2", "g2", "g3", "g3"]
    assert len(bench.server.chats) == 8


async def test_a_name_is_taken_once(bench: Bench) -> None:
    await bench.evaluate(name="first")
    with pytest.raises(UnusableGolden, match="There is a run called “first” already"):
        await bench.evaluate(name="first")


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ({"strategies": ("ragg",)}, "There is no strategy “ragg”. Did you mean rag?"),
        ({"scorers": ("bleu",)}, "There is no scorer “bleu”"),
        ({"models": ("offline",), "strategies": ("zero_shot",)}, "There is nothing to evaluate. The offline model can"),
    ],
)
async def test_an_order_that_cannot_be_carried_out_says_why(bench: Bench, order: dict[str, Any], told: str) -> None:
    with pytest.raises(UnusableGolden, match=told.replace("?", r"\?")):
        await bench.evaluate(**order)


async def test_a_server_that_is_down_ends_in_failed_cells_and_not_in_an_error(bench: Bench) -> None:
    bench.golden({"id": "rollback", "question": "How long does a rollback take?", "answer": "two minutes"})
    bench.server.reply = Reply(status=500, error=server_error().error)
    document = await bench.evaluate(strategies=("zero_shot",))
    assert cells(document)["rollback", ZERO]["outcome"] == "unavailable"
    assert document["ways"][0]["failed"] == 1
    assert document["ways"][0]["quality"] is None
