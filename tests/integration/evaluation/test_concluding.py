"""What follows from a finished evaluation, over real stores and a real model server."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from evaluation_bench import Bench
from model_server import Reply, Request, answer
from pydantic import SecretStr

from bot.config import Storage
from bot.doctor import examine
from bot.evaluation.concluding import NAME, VERSION
from bot.learning.kept import Kept
from bot.selection.fits import Fit, Fits
from bot.selection.weights import load_weights
from bot.storage.tables import learned

ZERO, RAG = "zero_shot · test-model", "rag · test-model"
TOPICS = ("rollback", "deploying", "holidays", "leads", "mornings", "weeks")


def stale(number: int) -> dict[str, object]:
    """A question that the documents seem to answer; what is expected stands in none of them."""
    topic = TOPICS[number % len(TOPICS)]
    asked = ("How long does a rollback take", "Who may deploy", "How many days of holiday are there")[number % 3]
    return {"id": f"q{number}", "question": f"{asked} in case {number}?", "answer": "violet", "group": topic}


def golden(count: int) -> list[dict[str, object]]:
    return [stale(number) for number in range(count)]


def answers(request: Request) -> Reply:
    """Mostly right without documents, mostly wrong with them."""
    number = int(re.findall(r"in case (\d+)", request.prompt)[-1])
    is_right = number % 5 == 0 if "rollback takes two minutes" in request.prompt else number % 8 > 0
    return answer("violet" if is_right else "It is so. [1]")


@pytest.fixture
def taught(bench: Bench) -> Bench:
    bench.golden(*golden(48))
    bench.server.answering = answers
    return bench


async def fit_of(bench: Bench) -> Fit:
    async with bench.core() as core:
        return await Fits(core.engine).current()


async def finding(bench: Bench, name: str) -> dict[str, str]:
    (found,) = (one.as_dict() for one in await examine(bench.settings) if one.name == name)
    return found


async def test_a_finished_run_fits_the_estimates_again_and_decides_who_chooses(taught: Bench) -> None:
    document = await taught.evaluate()
    assert "The estimates were fitted again on your 48 questions: calibration error" in taught.told
    assert "Who chooses has changed (entry 1)." in taught.told
    fit = await fit_of(taught)
    assert fit.weights is not None
    async with taught.core() as core:
        assert fit.weights.index == core.knowledge.embedder.name
        standing = await core.learning.standing()
        assert (standing.golden, standing.entry is not None) == (48, True)
        features = document["questions"][0]["features"]
    assert features["passage_similarity"] > 0.3
    # What is kept of the run is what was expected of questions that the estimates had not seen.
    assert {row["chosen"] for row in document["questions"]} == {ZERO}
    assert document["selector"]["policies"][0]["quality"]["mean"] == 0.875
    assert await taught.shown() == document
    assert (await finding(taught, "estimates"))["sentence"].startswith(
        "The selector's estimates were fitted on 48 of your golden questions on 20"
    )


async def test_the_estimates_that_were_fitted_choose_from_then_on(taught: Bench) -> None:
    before = await taught.evaluate(limit=6, name="before")
    assert "30 are needed, and these are 6" in taught.told
    await taught.evaluate()
    after = await taught.evaluate(limit=6, name="after")

    def expected(document: dict[str, Any]) -> float:
        return max(float(row["expected_quality"].get(RAG, 0.0)) for row in document["questions"])

    assert expected(after) < expected(before)
    assert "30 are needed, and these are 6" in taught.told
    # A short run takes nothing away from the long one.
    assert (await fit_of(taught)).weights is not None
    async with taught.core() as core:
        assert (await core.learning.standing()).golden == 48


async def test_few_questions_change_nothing_and_say_how_many_it_takes(bench: Bench) -> None:
    await bench.evaluate()
    assert "to fit them on your own questions, 30 of which every answer was judged are needed" in bench.told
    assert await fit_of(bench) == Fit()
    assert (await finding(bench, "estimates"))["sentence"] == "The selector's estimates are those that are shipped."


async def test_a_budget_that_ends_in_the_middle_fits_nothing_and_says_so(taught: Bench) -> None:
    taught.server.answering = None
    usage = {"prompt_tokens": 100, "completion_tokens": 400}
    taught.server.reply = Reply(text="violet", usage=usage)
    document = await taught.evaluate(budget=Decimal("0.2"))
    assert document["run"]["finished"] is None
    assert "It is not finished, so nothing is learned from it." in taught.told
    assert "fitted again" not in taught.told
    assert await fit_of(taught) == Fit()
    await taught.resume(budget=Decimal(5))
    assert "on your 48 questions" in taught.told


async def test_a_judge_that_answers_nonsense_leaves_too_little_to_fit_on(taught: Bench) -> None:
    await taught.evaluate(judge="judge")
    assert "30 of which every answer was judged are needed, and these are 0." in taught.told
    assert await fit_of(taught) == Fit()


async def test_what_was_not_tried_cannot_lose(taught: Bench) -> None:
    await taught.evaluate(strategies=("rag",))
    assert "Nothing is learned from this run, since few_shot and zero_shot was not tried" in taught.told
    assert await fit_of(taught) == Fit()
    async with taught.core() as core:
        assert (await core.learning.standing()).golden == 0


async def test_a_run_that_was_killed_before_anything_was_learned_is_learned_from_by_the_next_start(
    taught: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    async def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Fits, "put", killed)
        with pytest.raises(Killed):
            await taught.evaluate(name="killed")
    assert await fit_of(taught) == Fit()
    taught.golden(*golden(3))
    await taught.evaluate(name="next")
    assert "The run “killed” was stopped before anything was learned from it. That is done now." in taught.told
    assert "fitted again on your 48 questions" in taught.told
    assert (await fit_of(taught)).weights is not None
    await taught.evaluate(name="third")
    assert "was stopped before" not in taught.told


async def test_a_killed_run_that_is_gone_on_with_is_learned_from_once(taught: Bench) -> None:
    await taught.evaluate(name="first")
    asked = len(taught.server.chats)
    async with taught.core() as core, core.engine.begin() as connection:
        await connection.execute(sa.delete(learned))  # as if it had been killed right after its last answer
    await taught.resume("first")
    assert len(taught.server.chats) == asked
    assert taught.told.count("fitted again on your 48 questions") == 1
    assert (await fit_of(taught)).weights is not None


async def test_estimates_that_were_fitted_with_another_embedding_model_are_left_out_and_that_is_told(
    bench: Bench,
) -> None:
    weights = replace(load_weights(), questions=load_weights().questions + 40, version="other", index="other-model")
    async with bench.core() as core:
        await Fits(core.engine).put(Fit(weights), datetime(2026, 11, 1, tzinfo=UTC))
    found = await finding(bench, "estimates")
    assert found["state"] == "note"
    assert "fitted on 40 of your golden questions on 2026-11-01 are left out" in found["sentence"]
    assert "knowledge was searched with “other-model” then" in found["sentence"]
    await bench.evaluate()
    assert "The estimates that were fitted on your golden questions are left out" in bench.told


async def test_a_model_that_is_gone_ends_in_a_sentence_and_not_in_an_error(taught: Bench) -> None:
    await taught.evaluate(name="first")
    async with taught.core() as core:
        stamp = await Kept(core.engine).get(NAME, VERSION)
        async with core.engine.begin() as connection:
            await connection.execute(sa.delete(learned).where(learned.c.name == NAME))
    assert stamp is not None
    cards = (taught.folder / "cards.toml").read_text().replace('"test-model"', '"renamed"')
    (taught.folder / "cards.toml").write_text(cards)
    taught.golden(*golden(2))
    await taught.evaluate(models=("judge",))
    assert "Nothing is learned from the run “first”. There is no model called “test-model”." in taught.told


async def test_a_document_that_is_not_known_is_reported_and_so_is_a_choice_that_flips(bench: Bench) -> None:
    bench.golden(
        {"id": "here", "question": "Who may deploy?", "source": "Deploying.md", "group": "a"},
        {"id": "gone", "question": "Who may book rooms?", "source": "rooms.md", "group": "b"},
    )
    document = await bench.evaluate()
    selector = document["selector"]
    assert selector["false_rag"]["questions"] == 1
    assert selector["sent_to_rag"]["questions"] == 1
    assert {flip["kind"] for flip in selector["flips"]} == {
        "greetings and thanks", "lower case", "upper case", "typing errors",
    }  # fmt: skip
    assert all(flip["share"]["questions"] == 2 for flip in selector["flips"])
    assert selector["latency"]["decisions"] == 2
    assert 0 < selector["latency"]["p50"] < 1_000
    assert len(bench.server.chats) == 4  # other words are searched for, and no model is asked


async def test_all_of_it_is_kept_in_postgresql_too(taught: Bench, empty_postgres: str) -> None:
    taught.settings = taught.settings.model_copy(update={"storage": Storage(url=SecretStr(empty_postgres))})
    document = await taught.evaluate()
    assert "The estimates were fitted again on your 48 questions: calibration error" in taught.told
    assert {row["chosen"] for row in document["questions"]} == {ZERO}
    assert await taught.shown() == document
    fit = await fit_of(taught)
    assert fit.weights is not None
    assert fit.at is not None
    assert fit.at.tzinfo is not None
    assert "fitted on 48 of your golden questions" in (await finding(taught, "estimates"))["sentence"]
