"""What figures say of a fine-tune: when not to, what is not known, and after how many questions it pays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from bot.models.cards import ModelCard
from bot.tuning.plan import Baseline, Figures, Topic, plan

BASE = ModelCard(name="open-1b", provider="own", context_window=4096, fine_tunable=True, training_rate=Decimal(1))
RAG = Baseline(
    name="rag · large", reads=True, tuned=False, quality=0.7, low=0.6, high=0.8, cost=Decimal("0.004"), seconds=3.0
)
PLAIN = replace(RAG, name="zero_shot · large", reads=False, quality=0.65, cost=Decimal("0.002"))
TOPIC = Topic(
    words=("restart", "search"), a_week=40.0, disliked=0.2, unanswered=0.1, cost=Decimal("0.004"), seconds=3.0
)
GOOD = Figures(
    topics=[TOPIC],
    asked=400,
    weeks=4.0,
    golden="week 47",
    golden_questions=60,
    baselines=[RAG, PLAIN],
    base=BASE,
    base_cost=Decimal("0.001"),
    dataset="abc",
    rows=80,
    tokens=1_000_000,
    epochs=3,
    training=Decimal(1),
    prompt=900.0,
    answer=100.0,
    short_prompt=80.0,
    minutes=None,
    hourly=None,
)


def test_where_nothing_speaks_against_it_the_break_even_is_told() -> None:
    made = plan(GOOD)
    assert (made.verdict, made.headline) == ("maybe", "Nothing speaks against trying a fine-tune.")
    assert (made.reasons, made.missing) == ((), ())
    assert made.break_even == 1000  # 3 × $1 ÷ ($0.004 − $0.001)
    assert "Break-even after 1,000 questions, 10.0 weeks at today's pace." in made.benefits
    assert "A tuned model's prompt has 80 tokens, 820 fewer than now." in made.benefits
    assert "“restart search”: 40.0 a week, 20% 👎, 10% without an answer, $0.004, 3.0 s an answer" in made.use_case
    assert "rag · large: quality 0.70 (0.60 to 0.80), $0.004, 3.0 s an answer" in made.alternatives


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        (replace(GOOD, base=BASE.model_copy(update={"fine_tunable": False})), "open-1b cannot be tuned."),
        (replace(GOOD, base=BASE.model_copy(update={"shutdown": date(2027, 1, 14)})), "is shut down on 2027-01-14"),
        (replace(GOOD, topics=[replace(TOPIC, a_week=1.0)]), "Fewer than 5 questions a week"),
        (replace(GOOD, rows=49), "49 rows are too few: at least 50 are advised."),
        (replace(GOOD, baselines=[replace(RAG, quality=0.97)]), "has a quality of 0.97 already"),
        (replace(GOOD, baselines=[RAG, replace(PLAIN, quality=0.3)]), "What answers need is knowledge"),
        (replace(GOOD, training=Decimal(400)), "pays for itself after 4000 weeks"),
    ],
)
def test_each_thing_that_speaks_against_it_is_a_reason_not_to(figures: Figures, says: str) -> None:
    made = plan(figures)
    assert made.headline == "Do not fine-tune."
    assert [reason for reason in made.reasons if says in reason] == list(made.reasons)
    assert len(made.reasons) == 1


@pytest.mark.parametrize(
    ("figures", "names"),
    [
        (replace(GOOD, baselines=[]), "`switchboard evaluate golden.jsonl`"),
        (replace(GOOD, base=None, base_cost=None, training=None), "`switchboard tune plan --model NAME`"),
        (replace(GOOD, rows=None, tokens=None, training=None), "`switchboard tune data`"),
        (replace(GOOD, training=None), "`training_rate` on the card of open-1b"),
        (replace(GOOD, base_cost=None), "`rates` or `free` on its card"),
        (replace(GOOD, baselines=[replace(RAG, cost=None)]), "what rag · large costs"),
        (replace(GOOD, base=BASE.model_copy(update={"fine_tunable": None})), "state `fine_tunable` on its card"),
    ],
)
def test_what_is_not_known_is_named_with_the_way_to_know_it(figures: Figures, names: str) -> None:
    made = plan(figures)
    assert made.verdict == "unknown"
    assert [missing for missing in made.missing if names in missing] == list(made.missing)


def test_peoples_time_counts_and_is_unknown_where_nobody_said_it() -> None:
    few = replace(GOOD, rows=40)
    assert few.people is None
    assert few.break_even is None
    assert any("`--minutes` a row" in missing for missing in plan(few).missing)
    paid = replace(few, minutes=6.0, hourly=Decimal(60))
    assert (paid.people, paid.once) == (Decimal(60), Decimal(63))


def test_what_saves_nothing_never_breaks_even() -> None:
    dear = replace(GOOD, base_cost=Decimal("0.01"))
    made = plan(dear)
    assert made.break_even is None
    assert "An answer costs $0.006 more." in made.benefits
    assert plan(replace(dear, baselines=[replace(RAG, quality=0.92)])).verdict == "no"


def test_before_anything_is_known_every_question_says_so() -> None:
    nothing = replace(
        GOOD,
        topics=[],
        asked=0,
        weeks=0.0,
        baselines=[],
        golden="",
        base=None,
        base_cost=None,
        rows=None,
        training=None,
    )
    made = plan(nothing)
    assert made.verdict == "unknown"
    assert len(made.missing) == 4
    assert all((made.use_case, made.alternatives, made.costs))
