"""`switchboard explain`: what is told of an answer, from the database alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import warm
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner
from whole_receipt import NOW, whole_receipt

from bot.cli import app
from bot.costs.calls import Call
from bot.costs.ledger import Ledger
from bot.domain import Audience, Choice, Option, Place, PlaceKind, Price, Question, Receipt, StrategyName, Usage
from bot.learning.alternatives import Alternatives
from bot.learning.feedback import Feedback
from bot.learning.labels import Labels
from bot.lock import DataFolderLock
from bot.selection.questions import Questions
from bot.storage.engine import open_engine, upgrade


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which nothing was ever asked."""
    (tmp_path / "switchboard.toml").write_text('models_dir = "none"\n', encoding="utf-8")
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, write: Callable[[AsyncEngine], Awaitable[None]]) -> None:
    """Lets `write` fill the database of the folder."""

    async def work() -> None:
        engine = open_engine(f"sqlite+aiosqlite:///{folder / 'data' / 'switchboard.db'}")
        await upgrade(engine, "bot.storage:migrations", "alembic_version")
        await write(engine)
        await engine.dispose()

    asyncio.run(work())


def question(identifier: str, text: str = "How do I roll back?", minutes: int = 0) -> Question:
    return Question(
        id=identifier,
        text=text,
        asker="U0MAYA",
        place=Place(workspace="T1", channel="C0HELP", kind=PlaceKind.CHANNEL, thread="1.1"),
        audience=Audience.everyone(),
        asked_at=NOW + timedelta(minutes=minutes),
    )


async def answered(engine: AsyncEngine, identifier: str, receipt: Receipt | None = None, minutes: int = 0) -> None:
    questions = Questions(engine)
    await questions.keep(question(identifier, minutes=minutes))
    await questions.finish(identifier, "Run `undo`.", receipt or whole_receipt(identifier))


async def called(engine: AsyncEngine, identifier: str, purpose: str, outcome: str | None) -> None:
    """A row of the ledger; without an outcome it stays open."""
    ledger = Ledger(engine)
    names: dict[str, Any] = {
        "provider": "house",
        "model": "small-model",
        "strategy": "rag",
        "channel": "C0HELP",
        "asker": "U0MAYA",
    }
    row = await ledger.open(Call(question_id=identifier, purpose=purpose, attempt=1, started_at=NOW, **names))
    if outcome is not None:
        usage = Usage(prompt_tokens=1200, completion_tokens=80)
        price = Price(amount=Decimal("0.000437"), version="2026-05-01")
        await ledger.settle(row, outcome=outcome, seconds=1.9, usage=usage, price=price)


def explained(*arguments: str) -> str:
    return CliRunner().invoke(app, ["explain", *arguments], catch_exceptions=False).stdout


def refused(folder: Path, *arguments: str) -> str:
    done = warm.switchboard("explain", *arguments, cwd=folder)
    assert done.status == 1
    assert "Traceback" not in done.err
    return " ".join(done.err.split())


def test_the_whole_receipt_is_told_with_ranges_guards_weights_and_versions(folder: Path) -> None:
    written(folder, lambda engine: answered(engine, "a1b2c3d4e5f6"))
    told = explained("a1b2c3d4e5f6")
    for words in (
        "How do I roll back?",
        "small-model with knowledge search (RAG), chosen by what was learned from feedback",
        "The documents answer this closely",
        "a chance of 90%",
        "The budget of this channel leaves no room",
        "0.71 (0.62–0.79)",
        "$0.00041 ($0.0003–$0.0006)",
        "2.1 s (1.4–3.0 s)",
        "price unknown",
        "The model is not fine-tuned. small-model · fine_tuned, large-model · fine_tuned",
        "nearest passage 0.82",
        "frugal: a point of quality (0.01) is worth $0.0004 and 2 s here",
        "estimates shipped-3 · prices 2026-05-01 · index minilm-7",
        "answered after 2.4 s · $0.000437 · tokens: 1,200 read, 80 written",
        "https://docs.example/deploying.md",
        "No model was called.",
    ):
        assert words in told, words
    rows = [line for line in told.splitlines() if "-model" in line and "quality" not in line]
    assert next(line for line in rows if line.startswith("→")).split()[1:3] == ["small-model", "rag"]


def test_every_call_for_the_question_is_told_also_one_that_failed_or_never_ended(folder: Path) -> None:
    async def write(engine: AsyncEngine) -> None:
        await answered(engine, "a1b2c3d4e5f6")
        await called(engine, "a1b2c3d4e5f6", "rewrite", "timed_out")
        await called(engine, "a1b2c3d4e5f6", "answer", "answered")
        await called(engine, "a1b2c3d4e5f6", "answer", None)
        await called(engine, "another", "judging", "answered")

    written(folder, write)
    calls = explained("a1b2c3d4e5f6").split("Model calls")[1].splitlines()[2:5]
    assert [line.split()[0] for line in calls] == ["rewrite", "answer", "answer"]
    assert "timed out" in calls[0]
    assert "1,200 read, 80 written" in calls[1]
    assert "$0.000437" in calls[1]
    assert calls[2].count("not known") == 2
    assert "price unknown" in calls[2]


def test_it_tells_what_people_made_of_an_answer_and_which_other_one_they_kept(folder: Path) -> None:
    async def write(engine: AsyncEngine) -> None:
        await answered(engine, "first")
        await answered(engine, "second", minutes=1)
        alternatives = Alternatives(engine, Labels(engine))
        await alternatives.add("second", "first", "U0LEO")
        await alternatives.judge("second", "U0LEO", kept=True)
        await Feedback(engine).give("first", "U0MAYA", -1)

    written(folder, write)
    first, second = explained("first"), explained("second")
    assert "U0LEO preferred the other answer" in first
    assert "U0MAYA gave a thumb down" in first
    assert "asked again another way: second" in first
    assert "Another way to answer first." in second
    assert "U0LEO kept this answer" in second


def test_an_answer_of_an_older_version_is_told_without_what_nobody_wrote_down(folder: Path) -> None:
    old = Option(strategy=StrategyName.RAG, model="offline", quality=0.4, cost=Decimal(0), latency=0.1, utility=0.4)
    choice = Choice(option=old, options=(old,), reasons=("It quotes.",))
    receipt = whole_receipt("old", choice=choice, usage=None, citations=())
    written(folder, lambda engine: answered(engine, "old", receipt))
    told = explained("old")
    assert "0.40  " in told
    assert "free" in told
    for title in ("Weighed with", "Evidence", "kept out", "chance"):
        assert title not in told


def test_a_question_that_ended_before_a_choice_says_so(folder: Path) -> None:
    written(folder, lambda engine: Questions(engine).keep(question("early")))
    assert "It ended before a model was chosen." in explained("early")
    assert "nothing was chosen" in explained()


def test_as_json_it_is_the_receipt_exactly_with_every_call(folder: Path) -> None:
    async def write(engine: AsyncEngine) -> None:
        await answered(engine, "a1b2c3d4e5f6")
        await called(engine, "a1b2c3d4e5f6", "answer", "answered")

    written(folder, write)
    told = json.loads(explained("a1b2", "--json"))
    assert told["receipt"]["price"]["amount"] == "0.000437"
    assert told["receipt"]["choice"]["features"] == {"passage_similarity": 0.82, "coverage": 0.95, "agreement": 0.5}
    assert told["calls"][0]["cost"] == "0.000437"
    assert told["question"]["channel"] == "C0HELP"


def test_without_an_id_the_last_ten_answers_are_listed_newest_first(folder: Path) -> None:
    async def write(engine: AsyncEngine) -> None:
        for number in range(12):
            await answered(engine, f"id{number:02}", minutes=number)

    written(folder, write)
    listed = [line.split()[0] for line in explained().splitlines() if line.startswith("id") and line[2].isdigit()]
    assert listed == [f"id{number:02}" for number in range(11, 1, -1)]
    assert [row["id"] for row in json.loads(explained("--json"))] == listed


def test_an_id_may_be_shortened_as_long_as_it_is_the_only_one(folder: Path) -> None:
    async def write(engine: AsyncEngine) -> None:
        for identifier in ("abc1", "abc2", "abc", "a_c9"):
            await answered(engine, identifier)

    written(folder, write)
    assert "abc1 ·" in explained("abc1")
    assert "abc ·" in explained("abc")
    assert "a_c9 ·" in explained("a_")
    told = refused(folder, "ab")
    assert "More than one id begins with “ab”: abc, abc1, abc2. Write more of it." in told


def test_an_unknown_id_says_where_ids_stand(folder: Path) -> None:
    assert "There are no answers yet" in refused(folder, "abc")
    written(folder, lambda engine: answered(engine, "a1"))
    told = refused(folder, "%")
    assert "There is no answer whose id begins with “%”" in told
    assert "at the foot of “Why this answer?”" in told


def test_it_can_be_asked_while_the_bot_runs(folder: Path) -> None:
    written(folder, lambda engine: answered(engine, "a1"))
    lock = DataFolderLock(folder / "data")
    lock.acquire()
    try:
        assert "a1 ·" in explained("a1")
    finally:
        lock.release()


def test_a_question_whose_words_look_like_markup_is_printed_as_it_is(folder: Path) -> None:
    async def write(engine: AsyncEngine) -> None:
        await Questions(engine).keep(question("a1", "What does [red]array[0][/red] do?"))

    written(folder, write)
    assert "What does [red]array[0][/red] do?" in explained("a1")
    assert "[red]array[0][/red]" in explained()


def test_a_call_that_was_priced_again_is_shown_with_both_costs(folder: Path) -> None:
    async def write(engine: AsyncEngine) -> None:
        await answered(engine, "a1b2c3d4e5f6")
        await called(engine, "a1b2c3d4e5f6", "answer", "answered")
        ledger = Ledger(engine)
        (row,) = await ledger.of("a1b2c3d4e5f6")
        assert await ledger.correct(row, Price(amount=Decimal("0.0002"), version="later"), NOW)

    written(folder, write)
    assert "$0.0002 (first $0.000437)" in explained("a1b2c3d4e5f6")
    (call,) = json.loads(explained("a1b2c3d4e5f6", "--json"))["calls"]
    assert (call["cost"], call["first_cost"], call["first_price_version"]) == ("0.0002", "0.000437", "2026-05-01")
