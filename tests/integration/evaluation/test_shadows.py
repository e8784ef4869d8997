"""Shadow runs over real stores and a real model server, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from evaluation_bench import DOCUMENTS
from model_server import ModelServer, answer, rate_limited, server_error, silence, unauthorized
from pydantic import SecretStr
from server_cards import JUDGE, SHORT_ANSWERS, UNPRICED, cards

from bot.config import Chains, Folder, Knowledge, Models, Selection, Settings, Storage
from bot.core import Core, open_core
from bot.costs.calls import Row
from bot.costs.periods import Week
from bot.domain import Attachment, Audience, Finished, Place, PlaceKind, Question, StrategyName
from bot.errors import NotAllowed
from bot.evaluation import shadow_admission as admission
from bot.evaluation.planning import cards_of
from bot.evaluation.shadow_report import shadow_lines, week_of_shadows
from bot.evaluation.shadow_scores import Scoring
from bot.evaluation.shadowing import Shadowing, judge_card, nobodys
from bot.evaluation.shadows import STALE, Shadow, Shadows, is_drawn, is_swapped
from bot.jobs.schedule import Schedule
from bot.jobs.shadow_job import NIGHTLY, OFTEN, scoring_job, shadow_job

MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)
QUESTION = "How long does a rollback take?"
VERBS = ("does", "may", "will", "can", "did", "could", "would", "must")
ALIKE = [f"How long {verb} a rollback take?" for verb in VERBS]
AWAY = """
[[providers]]
name = "away"
title = "Far away"
base_url = "https://models.example/v1"

[[models]]
name = "far-model"
provider = "away"
context_window = 16000
rates = { input = "1", output = "10" }
"""


@dataclass
class Bench:
    """The core in a folder, a clock that tests turn, and short ways to ask and to run the jobs."""

    settings: Settings
    server: ModelServer
    now: datetime = MONDAY
    audience: Audience | None = None
    asked: list[Question] = field(default_factory=list)

    def open(self, **selection: Any) -> AbstractAsyncContextManager[Core]:
        """The core; every question is drawn unless told otherwise."""
        changed = Selection(**{"shadow_share": 1.0, **selection})
        return open_core(self.settings.model_copy(update={"selection": changed}), clock=lambda: self.now)

    async def audience_of(self, question: Question) -> Audience:
        return question.audience if self.audience is None else self.audience

    async def ask(
        self, core: Core, text: str = QUESTION, said: str = "It takes two minutes. [1]", **fields: Any
    ) -> str:
        """Asks in a thread of its own and gets an answer; gives the question's id."""
        number = len(self.asked) + 1
        place = fields.pop("place", None) or Place(
            workspace="T1", channel="C1", kind=PlaceKind.CHANNEL, thread=f"{number}.0"
        )
        question = Question(
            id=f"q{number}",
            text=text,
            asker="U0ANA",
            place=place,
            audience=Audience.of_channel(place.channel),
            asked_at=self.now,
            **fields,
        )
        self.asked.append(question)
        if place.thread is not None:
            ts = fields.get("ts", f"{number}.5")
            await core.conversations.record(place.channel, place.thread, ts, "user", "U0ANA", text, question.id)
        self.server.script(answer(said))
        async with aclosing(core.assistant.answer(question)) as events:
            *_, last = [event async for event in events]
        assert isinstance(last, Finished), last
        return question.id

    async def shadow(self, core: Core) -> int:
        """The job, ten minutes later."""
        self.now += timedelta(minutes=10)
        return await Shadowing(core, self.audience_of).run()

    async def score(self, core: Core) -> int:
        """The nightly job, the next night."""
        self.now += timedelta(days=1)
        return await Scoring(core, self.audience_of).run()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """The address of an empty database; "" is SQLite in the data folder."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("empty_postgres"))


@pytest.fixture
async def bench(tmp_path: Path, models_dir: Path, database: str) -> AsyncIterator[Bench]:
    async with opened(tmp_path, models_dir, database) as made:
        yield made


@pytest.fixture
async def small_bench(tmp_path: Path, models_dir: Path) -> AsyncIterator[Bench]:
    """SQLite alone, for what no database can tell apart."""
    async with opened(tmp_path, models_dir, "") as made:
        yield made


@asynccontextmanager
async def opened(folder: Path, models_dir: Path, database: str) -> AsyncIterator[Bench]:
    (folder / "docs").mkdir()
    for name, text in DOCUMENTS.items():
        (folder / "docs" / name).write_text(text, "utf-8")
    async with ModelServer(("test-model", "judge", "unpriced")) as server:
        file = folder / "cards.toml"
        file.write_text(cards(server.url, SHORT_ANSWERS), "utf-8")
        settings = Settings(
            data_dir=folder / "data",
            models_dir=models_dir,
            knowledge=Knowledge(folders=(Folder(path=folder / "docs", name="handbook"),)),
            models=Models(cards=file, default="test-model"),
            storage=Storage(url=SecretStr(database)),
        )
        yield Bench(settings, server)


def with_models(bench: Bench, *more: str, default: str = "auto", judges: tuple[str, ...] = ()) -> None:
    assert bench.settings.models.cards is not None
    with bench.settings.models.cards.open("a", encoding="utf-8") as file:
        file.write("".join(more))
    models = Models(cards=bench.settings.models.cards, default=default, chains=Chains(judge=judges))
    bench.settings = bench.settings.model_copy(update={"models": models})


async def all_of(core: Core) -> dict[str, Shadow]:
    drawn = await Shadows(core.engine).drawn(MONDAY - timedelta(days=90), MONDAY + timedelta(days=90))
    return {shadow.question_id: shadow for shadow in drawn}


async def one(core: Core) -> Shadow:
    (shadow,) = (await all_of(core)).values()
    return shadow


async def calls(core: Core, purpose: str) -> list[Row]:
    rows = await core.ledger.rows(MONDAY - timedelta(days=90), MONDAY + timedelta(days=90))
    return [row for row in rows if row.purpose == purpose]


def asked_for(bench: Bench) -> int:
    return len(bench.server.chats)


async def test_a_drawn_question_is_answered_by_one_other_option_once_and_kept_apart(bench: Bench) -> None:
    async with bench.open() as core:
        await core.knowledge.refresh()
        id = await bench.ask(core)
        taken = await core.assistant.receipt(id)
        before = asked_for(bench)
        bench.server.script(answer("About two minutes."))
        assert await bench.shadow(core) == 1
        assert asked_for(bench) == before + 1
        shadow = await one(core)
        assert (shadow.state, shadow.answer) == ("answered", "About two minutes.")
        assert taken is not None
        assert shadow.taken is not None
        assert (shadow.taken.strategy, shadow.taken.model) == (taken.choice.option.strategy, taken.choice.option.model)
        assert shadow.other is not None
        assert shadow.other != shadow.taken
        assert shadow.others is not None
        assert shadow.chance == 1 / shadow.others
        (row,) = await calls(core, "shadow")
        assert (row.model, row.strategy) == (shadow.other.model, shadow.other.strategy.value)
        assert row.cost == shadow.cost
        assert shadow.cost is not None
        assert 0 < shadow.cost <= (shadow.held or 0)
        # Neither the question's own calls, nor its place, nor its asker, nor its receipt tell of it.
        assert row.question_id == nobodys(bench.asked[0]).id
        assert not row.channel
        assert [each.purpose for each in await core.ledger.of(id)] == ["answer"]
        assert await core.assistant.receipt(id) == taken
        assert await core.assistant.answered(id) == "It takes two minutes. [1]"
        assert await bench.shadow(core) == 0
        assert asked_for(bench) == before + 1


async def test_two_processes_at_once_ask_once(bench: Bench) -> None:
    async with bench.open() as core:
        await core.knowledge.refresh()
        await bench.ask(core)
        before = asked_for(bench)
        bench.now += timedelta(minutes=10)
        first, second = (Shadowing(core, bench.audience_of) for _ in range(2))
        assert sorted(await asyncio.gather(first.run(), second.run())) == [0, 1]
        assert asked_for(bench) == before + 1


async def test_a_question_that_may_still_be_under_way_waits(small_bench: Bench) -> None:
    async with small_bench.open() as core:
        await core.knowledge.refresh()
        await small_bench.ask(core)
        assert await Shadowing(core, small_bench.audience_of).run() == 0
        assert await small_bench.shadow(core) == 1


async def test_a_process_that_ends_in_the_middle_pays_for_nothing_twice(bench: Bench) -> None:
    async with bench.open() as core:
        await core.knowledge.refresh()
        await bench.ask(core)
        await bench.ask(core, "How many days of holiday are there?", "Everyone has 30 days. [1]")
        before = asked_for(bench)
        bench.server.script(silence())
        running = asyncio.create_task(bench.shadow(core))
        await bench.server.until_asked(before + 1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    async with bench.open() as core:
        bench.server.script(answer("30 days."))
        assert await bench.shadow(core) == 1
        states = {id: shadow.state for id, shadow in (await all_of(core)).items()}
        assert states == {"q1": "asking", "q2": "answered"}
        bench.now += STALE
        assert await bench.shadow(core) == 0
        assert asked_for(bench) == before + 2
        lost = (await all_of(core))["q1"]
        assert lost.state == "lost"
        # It may have been billed, so it counts in the budget as the most that it can have cost.
        assert lost.spent == lost.held
        assert len(await calls(core, "shadow")) == 2


async def test_what_the_budget_has_no_room_for_is_not_asked_and_the_week_after_has_room_again(bench: Bench) -> None:
    async with bench.open() as core:
        await core.knowledge.refresh()
        await bench.ask(core)
        await bench.shadow(core)
        first = await one(core)
        assert first.held is not None
        assert first.cost is not None
    budget = first.cost + first.held - Decimal("0.000001")
    async with bench.open(shadow_budget=budget) as core:
        await bench.ask(core)
        before = asked_for(bench)
        await bench.shadow(core)
        second = (await all_of(core))["q2"]
        assert (second.state, second.detail, second.spent) == ("skipped", admission.BUDGET, Decimal(0))
        assert asked_for(bench) == before
        week = Week(MONDAY.date(), UTC)
        assert await Shadows(core.engine).spent(week.since, week.until) <= budget
        assert "Drawn and not asked: 1 because the week's budget had no room." in await week_of_shadows(core, week)
        bench.now += timedelta(days=7)
        await bench.ask(core)
        await bench.shadow(core)
        assert (await all_of(core))["q3"].state == "answered"


async def test_a_question_stays_where_its_channel_says_that_questions_stay(small_bench: Bench) -> None:
    with_models(small_bench, AWAY)
    async with small_bench.open() as core:
        await core.knowledge.refresh()
        await core.channels.set_local("C1", True, "U0BOSS")
        id = await small_bench.ask(core)
        await small_bench.shadow(core)
        shadow, receipt = await one(core), await core.assistant.receipt(id)
        assert shadow.state == "answered"
        assert receipt is not None
        ways = [option for option in receipt.choice.options if option.available]
        assert {option.model for option in receipt.choice.options} >= {"test-model", "far-model"}
        assert "far-model" not in {option.model for option in ways}
        assert shadow.others == len(ways) - 1


async def test_a_model_that_is_not_allowed_is_neither_drawn_nor_judges_nor_is_evaluated(small_bench: Bench) -> None:
    with_models(small_bench, JUDGE, UNPRICED)
    async with small_bench.open(judge="judge") as core:
        await core.knowledge.refresh()
        await core.allow_lists.set("workspace", "", ["test-model"], by="U0BOSS", reason="the contract")
        await small_bench.ask(core)
        await small_bench.shadow(core)
        shadow = await one(core)
        assert shadow.other is not None
        assert shadow.other.model in ("test-model", "offline")
        await small_bench.score(core)
        assert await calls(core, "judge") == []
        assert {chat.body["model"] for chat in small_bench.server.chats} == {"test-model"}
        assert [card.name for card in await cards_of(core, ())] == ["test-model", "offline"]
        with pytest.raises(NotAllowed, match=r"The workspace's allow-list leaves some models out\. “judge” is one of"):
            await cards_of(core, ("judge",))


async def test_who_may_read_less_now_is_not_answered_from_what_was_open_then(small_bench: Bench) -> None:
    async with small_bench.open() as core:
        await core.knowledge.refresh()
        await small_bench.ask(core)
        small_bench.audience = Audience.everyone()
        before = asked_for(small_bench)
        await small_bench.shadow(core)
        shadow = await one(core)
        assert (shadow.state, shadow.detail) == ("skipped", admission.AUDIENCE)
        assert asked_for(small_bench) == before


@pytest.mark.parametrize("what", ["deleted", "changed"])
async def test_a_question_that_was_taken_back_is_not_asked(bench: Bench, what: str) -> None:
    async with bench.open() as core:
        await core.knowledge.refresh()
        await bench.ask(core)
        if what == "deleted":
            await core.conversations.delete("C1", "1.0", "1.5")
        else:
            await core.conversations.edit("C1", "1.5", "Never mind")
        before = asked_for(bench)
        await bench.shadow(core)
        assert (await one(core)).detail == admission.GONE
        assert asked_for(bench) == before


async def test_with_a_share_of_nothing_no_question_is_drawn(small_bench: Bench) -> None:
    async with small_bench.open(shadow_share=0) as core:
        await core.knowledge.refresh()
        await small_bench.ask(core)
        assert await small_bench.shadow(core) == 0
        assert await all_of(core) == {}
        assert await week_of_shadows(core, Week(MONDAY.date(), UTC)) == ""


PRIVATE_PLACES: Mapping[str, dict[str, Any]] = {
    "direct message": {"place": Place(workspace="T1", channel="D1", kind=PlaceKind.DM, thread="9.0")},
    "group message": {"place": Place(workspace="T1", channel="G1", kind=PlaceKind.GROUP_DM, thread="9.0")},
    "for one person": {"private": True},
}


@pytest.mark.parametrize("where", PRIVATE_PLACES)
async def test_what_was_asked_in_private_is_asked_only_where_that_is_set(small_bench: Bench, where: str) -> None:
    async with small_bench.open() as core:
        await core.knowledge.refresh()
        await small_bench.ask(core, **PRIVATE_PLACES[where])
        await small_bench.shadow(core)
        assert (await one(core)).detail == admission.PRIVATE
    async with small_bench.open(shadow_private=True) as core:
        await small_bench.ask(core, **PRIVATE_PLACES[where])
        await small_bench.shadow(core)
        assert (await all_of(core))["q2"].state == "answered"


async def test_what_a_person_fixed_is_no_choice_to_regret(small_bench: Bench) -> None:
    async with small_bench.open() as core:
        await core.knowledge.refresh()
        await small_bench.ask(core, strategy=StrategyName.RAG)
        await small_bench.shadow(core)
        assert (await one(core)).detail == admission.PINNED


async def test_what_another_model_answered_than_was_chosen_is_no_choice_to_regret(small_bench: Bench) -> None:
    models = small_bench.settings.models.model_copy(update={"chains": Chains(answer=("offline",))})
    small_bench.settings = small_bench.settings.model_copy(update={"models": models})
    async with small_bench.open() as core:
        await core.knowledge.refresh()
        small_bench.server.script(unauthorized())
        await small_bench.ask(core)
        await small_bench.shadow(core)
        assert (await one(core)).detail == admission.STEPPED_IN


async def test_a_question_with_files_is_not_asked_without_them(small_bench: Bench) -> None:
    class Shelf:
        async def fetch(self, attachment: Attachment, most_bytes: int) -> tuple[Attachment, bytes]:
            return attachment, b"The release takes two minutes."

    async with small_bench.open() as core:
        core.enclosing.connect(Shelf())
        await core.knowledge.refresh()
        await small_bench.ask(core, attachments=(Attachment(name="a.txt", mimetype="text/plain", size=9, id="F1"),))
        await small_bench.shadow(core)
        assert (await one(core)).detail == admission.FILES


async def test_a_follow_up_is_not_asked_since_its_search_would_differ(small_bench: Bench) -> None:
    async with small_bench.open() as core:
        await core.knowledge.refresh()
        await core.conversations.record("C1", "1.0", "1.1", "user", "U0LEO", "Tell me of releases.")
        await small_bench.ask(core, "And how long does it take?")
        await small_bench.shadow(core)
        assert (await one(core)).detail == admission.FOLLOW_UP


async def test_a_model_of_unknown_price_is_never_drawn(small_bench: Bench) -> None:
    with_models(small_bench, UNPRICED)
    async with small_bench.open() as core:
        await core.knowledge.refresh()
        for number in range(8):
            await small_bench.ask(core, ALIKE[number])
        await small_bench.shadow(core)
        drawn = (await all_of(core)).values()
        assert {shadow.state for shadow in drawn} == {"answered"}
        assert "unpriced" not in {shadow.other.model for shadow in drawn if shadow.other}


async def test_where_the_price_of_all_others_is_unknown_that_is_said(small_bench: Bench) -> None:
    with_models(small_bench, UNPRICED, default="unpriced")
    async with small_bench.open() as core:
        await core.knowledge.refresh()
        await small_bench.ask(core)
        await small_bench.shadow(core)
        assert (await one(core)).detail == admission.PRICE
        told = await week_of_shadows(core, Week(MONDAY.date(), UTC))
        assert told == "Shadow runs: none. Drawn and not asked: 1 because the others' prices are unknown."


async def test_a_model_that_fails_is_tried_once_and_the_reason_is_kept(small_bench: Bench) -> None:
    async with small_bench.open() as core:
        await core.knowledge.refresh()
        await small_bench.ask(core)
        before = asked_for(small_bench)
        small_bench.server.script(server_error())
        await small_bench.shadow(core)
        shadow = await one(core)
        assert shadow.state == "failed"
        assert "test-model" in shadow.detail
        assert asked_for(small_bench) == before + 1


async def test_a_hard_budget_lets_the_jobs_wait_and_they_go_on_when_there_is_room(small_bench: Bench) -> None:
    with_models(small_bench, JUDGE, default="test-model")
    async with small_bench.open(judge="judge") as core:
        await core.knowledge.refresh()
        for text in ALIKE[:2]:
            await small_bench.ask(core, text)
        before = asked_for(small_bench)

        async def hard(purpose: str, amount: int) -> None:
            values: dict[str, Any] = {"period": "month", "amount": Decimal(amount), "hard": True, "by": "U0ADA"}
            await core.budgets.set("purpose", purpose, at=small_bench.now, **values)

        await hard("shadow", 0)
        assert await small_bench.shadow(core) == 0
        assert await all_of(core) == {}, "they are drawn when there is room"
        await hard("shadow", 1)
        assert await small_bench.shadow(core) == 2
        assert asked_for(small_bench) == before + 2
        await hard("judge", 0)
        assert await small_bench.score(core) == 0
        assert {shadow.state for shadow in (await all_of(core)).values()} == {"answered"}
        await hard("judge", 1)
        small_bench.server.script(*[answer('{"a": 1, "b": 1}')] * 2)
        assert await small_bench.score(core) == 2


async def test_what_an_answer_was_saved_as_is_not_quoted_back(small_bench: Bench) -> None:
    async with small_bench.open() as core:
        await core.knowledge.refresh()
        await small_bench.ask(core)
        await core.examples.save(QUESTION, "It takes two minutes.", {"everyone"}, "U0ANA")
        await small_bench.shadow(core)
        shadow = await one(core)
        assert shadow.others is not None
        assert shadow.other is not None
        assert shadow.other.strategy is not StrategyName.FEW_SHOT


async def test_a_model_judges_both_without_knowing_which_was_shown(bench: Bench) -> None:
    with_models(bench, JUDGE, default="test-model")
    async with bench.open(judge="judge") as core:
        await core.knowledge.refresh()
        for number in range(6):
            await bench.ask(core, ALIKE[number], "SHOWN. [1]")
        bench.server.script(*[answer("OTHER.")] * 6)
        await bench.shadow(core)
        first = asked_for(bench)
        drawn = await all_of(core)
        replies = dict.fromkeys(drawn, '{"a": 0.2, "b": 0.9, "reason": "B."}')
        bench.server.script(*(answer(text) for text in replies.values()))
        assert await bench.score(core) == 6
        orders = set()
        for (id, shadow), request in zip((await all_of(core)).items(), bench.server.chats[first:], strict=True):
            shown_first = request.prompt.index("SHOWN") < request.prompt.index("OTHER")
            orders.add(shown_first)
            assert shown_first is not is_swapped(id)
            assert (shadow.taken_quality, shadow.other_quality) == ((0.2, 0.9) if shown_first else (0.9, 0.2))
            assert (shadow.state, shadow.measure) == ("scored", "judge")
            assert shadow.answer is None
            assert shadow.judge_cost is not None
        assert orders == {True, False}
        rows = await calls(core, "judge")
        assert len(rows) == 6
        assert sum(row.cost or 0 for row in rows) == sum(s.judge_cost or 0 for s in (await all_of(core)).values())
        told = await week_of_shadows(core, Week(MONDAY.date(), UTC))
        assert told.startswith("Shadow runs: 6 questions were also answered another way ($0.0")
        assert "of 6 judged by a model" in told
        lines = await shadow_lines(core)
        assert any("Compared 6 by a model" in line for line in lines)


async def test_a_judge_who_answers_nonsense_leaves_it_unjudged_and_counted(bench: Bench) -> None:
    with_models(bench, JUDGE, default="test-model")
    async with bench.open(judge="judge") as core:
        await core.knowledge.refresh()
        await bench.ask(core)
        await bench.shadow(core)
        bench.server.script(answer("A is nicer."))
        assert await bench.score(core) == 0
        shadow = await one(core)
        assert (shadow.state, shadow.answer) == ("unjudged", None)
        assert "no judgement" in shadow.detail
        assert shadow.judge_cost is not None
        assert await bench.score(core) == 0
        assert len(await calls(core, "judge")) == 1
        assert "Too few to tell (0 judged)." in await week_of_shadows(core, Week(MONDAY.date(), UTC))


async def test_a_judge_who_turns_the_call_down_is_asked_the_next_night(small_bench: Bench) -> None:
    with_models(small_bench, JUDGE, default="test-model")
    async with small_bench.open(judge="judge") as core:
        await core.knowledge.refresh()
        await small_bench.ask(core)
        await small_bench.shadow(core)
        small_bench.server.script(rate_limited())
        assert await small_bench.score(core) == 0
        assert (await one(core)).state == "answered"
        small_bench.server.script(answer('{"a": 1, "b": 1}'))
        assert await small_bench.score(core) == 1


async def test_where_the_judge_is_left_alone_the_next_of_the_chain_judges(small_bench: Bench) -> None:
    with_models(small_bench, JUDGE, default="test-model", judges=("test-model",))
    async with small_bench.open(judge="judge") as core:
        assert (await judge_card(core, "C0HELP")).name == "judge"  # type: ignore[union-attr]
        for _ in range(5):
            core.models.breakers.note("testing", "judge", "unavailable")
        assert (await judge_card(core, "C0HELP")).name == "test-model"  # type: ignore[union-attr]


async def test_judging_stays_within_the_weeks_budget_too(small_bench: Bench) -> None:
    with_models(small_bench, JUDGE, default="test-model")
    async with small_bench.open(judge="judge") as core:
        await core.knowledge.refresh()
        await small_bench.ask(core)
        await small_bench.shadow(core)
        shadow = await one(core)
        assert shadow.judge_held is not None
        assert shadow.judge_held > 0
    async with small_bench.open(judge="judge", shadow_budget=shadow.cost) as core:
        before = asked_for(small_bench)
        assert await small_bench.score(core) == 0
        assert (await one(core)).detail == admission.BUDGET
        assert asked_for(small_bench) == before


async def test_a_reviewed_answer_to_the_same_question_compares_both(bench: Bench) -> None:
    async with bench.open() as core:
        await core.knowledge.refresh()
        await bench.ask(core, said="It takes two minutes. [1]")
        bench.server.script(answer("It takes four hours."))
        await bench.shadow(core)
        await core.examples.save(QUESTION, "two minutes", {"everyone"}, "U0BOSS")
        assert await bench.score(core) == 1
        shadow = await one(core)
        assert (shadow.measure, shadow.taken_quality) == ("reference", 1.0)
        assert shadow.other_quality is not None
        assert shadow.other_quality < 0.5


async def test_without_any_of_that_what_stands_in_the_documents_compares_both(bench: Bench) -> None:
    async with bench.open() as core:
        await core.knowledge.refresh()
        await bench.ask(core, said="To roll back a release takes four hundred hours on Neptune. [1]")
        bench.server.script(answer("The rollback takes two minutes."))
        await bench.shadow(core)
        # The very answer, saved by somebody, would only ever speak for itself.
        saved = "To roll back a release takes four hundred hours on Neptune."
        await core.examples.save(QUESTION, saved, {"everyone"}, "U0ANA")
        assert await bench.score(core) == 1
        shadow = await one(core)
        assert shadow.measure == "supported"
        assert shadow.other_quality == 1.0
        assert shadow.taken_quality is not None
        assert shadow.taken_quality < 1.0


async def test_a_question_that_is_deleted_before_the_night_is_not_judged_and_its_answer_is_forgotten(
    bench: Bench,
) -> None:
    async with bench.open() as core:
        await core.knowledge.refresh()
        await bench.ask(core)
        await bench.shadow(core)
        await core.conversations.delete("C1", "1.0", "1.5")
        assert await bench.score(core) == 0
        shadow = await one(core)
        assert (shadow.state, shadow.detail, shadow.answer) == ("unjudged", admission.GONE, None)


async def test_the_jobs_run_by_the_clock(small_bench: Bench) -> None:
    async with small_bench.open() as core:
        await core.knowledge.refresh()
        await small_bench.ask(core)
        schedule = Schedule(core.engine, UTC, clock=lambda: small_bench.now)
        schedule.add("shadows", OFTEN, shadow_job(Shadowing(core, small_bench.audience_of)), catch_up=False)
        schedule.add("shadow-scores", NIGHTLY, scoring_job(Scoring(core, small_bench.audience_of)), catch_up=True)
        await schedule.start()
        small_bench.now += timedelta(minutes=10)
        await schedule.run_due(small_bench.now)
        assert (await one(core)).state == "answered"
        small_bench.now += timedelta(days=1)
        await schedule.run_due(small_bench.now)
        await schedule.close()
        assert (await one(core)).state == "scored"


def test_the_share_that_is_drawn_is_the_share_and_the_same_everywhere() -> None:
    ids = [f"question {number}" for number in range(20_000)]
    drawn = [id for id in ids if is_drawn(id, 0.02)]
    assert 340 < len(drawn) < 460
    assert set(drawn) <= {id for id in ids if is_drawn(id, 0.1)}
    assert not any(is_drawn(id, 0) for id in ids)
    assert all(is_drawn(id, 1) for id in ids)
