"""When a cheap model drafts first, and when its draft is enough."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.domain import Choice, Citation, Option, Pin, Price, StrategyName
from bot.selection import escalation
from bot.selection.escalation import NEARLY_EQUAL, UNSURE, WITHIN_REACH, Draft, Plan
from bot.selection.reasons import CONFIGURED


def option(model: str, quality: float, cost: str | None, utility: float, **fields: Any) -> Option:
    price = None if cost is None else Decimal(cost)
    base = {"strategy": StrategyName.RAG, "latency": 1.0}
    return Option(**{**base, "model": model, "quality": quality, "cost": price, "utility": utility, **fields})


def choice(*options: Option, **fields: Any) -> Choice:
    """The first one is taken."""
    return Choice(**{"option": options[0], "options": options, "reasons": ("Why.",), **fields})


SMALL = option("small", 0.70, "0.0001", 0.695)
LARGE = option("large", 0.72, "0.002", 0.690)
POOR = option("small", 0.40, "0.0001", 0.39)
FAR = option("large", 0.45, "0.02", 0.30)
PLAN = Plan(SMALL, LARGE)


def test_of_two_nearly_equal_options_the_cheaper_drafts_whichever_was_taken() -> None:
    assert escalation.planned(choice(SMALL, LARGE)) == PLAN
    dear = replace(LARGE, utility=0.70)
    assert escalation.planned(choice(dear, SMALL)) == Plan(SMALL, dear)


def test_options_that_are_not_nearly_equal_need_no_draft() -> None:
    away = replace(LARGE, utility=SMALL.utility - NEARLY_EQUAL - 0.001)
    assert escalation.planned(choice(SMALL, away)) is None


def test_where_even_the_best_is_unlikely_to_be_good_a_dearer_one_stands_behind_it() -> None:
    assert escalation.planned(choice(POOR, FAR)) == Plan(POOR, FAR)
    out_of_reach = replace(FAR, utility=POOR.utility - WITHIN_REACH - 0.001)
    assert escalation.planned(choice(POOR, out_of_reach)) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(LARGE, quality=0.70),
        replace(LARGE, cost=None),
        replace(LARGE, cost=SMALL.cost),
        replace(LARGE, available=False),
        replace(LARGE, model="small"),
        replace(LARGE, model="offline"),
    ],
    ids=["not better", "price unknown", "not dearer", "kept out", "same model", "only quotes"],
)
def test_nothing_is_drafted_where_no_dearer_option_promises_more(other: Option) -> None:
    assert escalation.planned(choice(SMALL, other)) is None


@pytest.mark.parametrize("scope", ["question", "thread", "person", "channel"])
def test_nothing_is_drafted_where_a_person_fixed_the_way(scope: str) -> None:
    pinned = choice(SMALL, LARGE, pins=(Pin(scope=scope, model="small"),))
    assert escalation.planned(pinned) is None
    assert escalation.planned(choice(SMALL, LARGE, pins=(Pin(scope=CONFIGURED, model="small"),))) == PLAN


@pytest.mark.parametrize("policy", ["person", "learned", "best fixed"])
def test_nothing_is_drafted_where_something_else_than_the_estimates_chose(policy: str) -> None:
    assert escalation.planned(choice(SMALL, LARGE, policy=policy)) is None


def test_nothing_is_drafted_where_models_are_kept_out_of_the_channel() -> None:
    assert escalation.planned(choice(SMALL, LARGE), barred={"another"}) is None


def test_the_offline_model_neither_drafts_nor_is_drafted_for() -> None:
    assert escalation.planned(choice(replace(SMALL, model="offline"), LARGE)) is None


CITED = Citation(number=1, title="T", url=None, source="s", updated=None, quote="q")


def draft(text: str = "On Tuesdays.", **fields: Any) -> Draft:
    price = Price(amount=Decimal("0.0001"), version="v")
    base = {"citations": (CITED,), "numbered": True, "uncertainty": None, "price": price}
    return Draft(**{**base, "text": text, **fields})


@pytest.mark.parametrize(
    ("written", "unsure"),
    [
        (draft(uncertainty=UNSURE - 0.01, citations=()), False),
        (draft(uncertainty=UNSURE), True),
        (draft(), False),
        (draft(citations=()), True),
        (draft(citations=(), numbered=False), False),
        (draft("I don't know when deploys run."), True),
        (draft("The passages do not say when deploys run. [1]"), True),
        (draft("Das weiß ich leider nicht."), True),
        (draft("I don't deploy on Fridays, and neither should you. [1]"), False),
        (draft("Deploys run on Tuesdays. [1]" + " They do so every week." * 20 + " I do not know more."), False),
        (draft(failure="It failed."), True),
    ],
)
def test_a_draft_is_judged_by_its_probabilities_and_without_them_by_what_it_says(written: Draft, unsure: bool) -> None:
    assert escalation.is_unsure(written) is unsure


def test_the_receipt_says_what_became_of_the_draft_and_what_it_cost() -> None:
    before = choice(SMALL, LARGE)
    after = escalation.taken(before, PLAN, draft(uncertainty=0.41))
    assert (after.option, after.policy) == (LARGE, "draft")
    said = "A draft by “small” was unsure (0.41), so “large” answered; the draft cost $0.0001."
    assert after.reasons == (said, "Why.")
    sure = escalation.taken(before, PLAN, draft(uncertainty=0.1))
    assert sure.option == SMALL
    assert (
        "sure enough to be the answer (uncertainty 0.10, up to 0.35 is shown), so “large” was not asked"
        in sure.reasons[0]
    )
    shown = escalation.taken(before, PLAN, draft(uncertainty=0.5), answered=False)
    assert shown.option == SMALL
    assert "but “large” did not answer, so the draft is shown" in shown.reasons[0]


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (draft("I do not know."), "said that it could not tell"),
        (draft(citations=()), "cited nothing of what was found"),
        (draft("", failure="Nothing answers there."), "did not come (Nothing answers there)"),
        (draft(citations=(), price=Price(amount=None, version=None)), "the draft's price is unknown"),
    ],
)
def test_the_receipt_says_why_a_draft_was_not_shown(written: Draft, says: str) -> None:
    assert says in escalation.of_draft(PLAN, written)
