from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.costs.prices import PriceBook
from bot.domain import (
    Audience,
    Choice,
    Evidence,
    Example,
    Mean,
    Option,
    Pin,
    Place,
    PlaceKind,
    Question,
    StrategyName,
    Versions,
)
from bot.models.cards import CardRates, FineTune, ModelCard
from bot.models.catalogue import OFFLINE, load_catalogue
from bot.selection.data_rules import STAYS
from bot.selection.guards import OWN_AFFAIRS
from bot.selection.selector import Circumstances, Selector
from bot.selection.usual import Spread, Usual
from bot.selection.value import Value
from bot.selection.weights import load_weights
from knowledge.access import PUBLIC
from knowledge.documents import Passage

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ZERO_SHOT, FEW_SHOT, RAG, FINE_TUNED = StrategyName
OFFLINE_CARD = load_catalogue().get(OFFLINE)


def card(name: str, dollars: str | None = "1", **fields: Any) -> ModelCard:
    rates = CardRates(input=Decimal(dollars), output=Decimal(dollars)) if dollars is not None else None
    return ModelCard(name=name, provider="house", context_window=8192, rates=rates, **fields)


def tuned(name: str = "notes") -> ModelCard:
    fine_tune = FineTune(kind="release notes", prompts=("Write the release notes",))
    return card(name, fine_tune=fine_tune, scores={"fine_tuned": 0.9})


def passage(similarity: float, lexical: float = 0.0, text: str = "text") -> Passage:
    return Passage(
        chunk_id="c",
        document_id="d",
        source="docs",
        title="Deploying",
        heading=("Deploying", "Rollback"),
        text=text,
        url=None,
        updated=None,
        score=1.0,
        similarity=similarity,
        lexical=lexical,
    )


def example(similarity: float) -> Example:
    return Example(id="e", question="How do I book a room?", answer="So.", readers=PUBLIC, similarity=similarity)


FAR = tuple(passage(0.12, 0.1) for _ in range(4))
NEAR = (passage(0.82, 0.9), passage(0.4, 0.3), passage(0.35, 0.2), passage(0.3, 0.1))
DOCUMENTS = Evidence(passages=NEAR, examples=(example(0.1),), coverage=0.95, agreement=0.5)
EXAMPLES = Evidence(passages=FAR, examples=(example(0.9), example(0.6)), coverage=0.3, agreement=0.1)
TASK = Evidence(passages=FAR, examples=(example(0.1),), coverage=0.2, fine_tuned={"notes": 0.9})
NOTHING = Evidence(passages=FAR, examples=(example(0.1),), coverage=0.2, fine_tuned={"notes": 0.1})


def choose(
    evidence: Evidence,
    *cards: ModelCard,
    pins: tuple[Pin, ...] = (),
    seconds: Any = None,
    value: Value = Value.BALANCED,
    barred: Mapping[str, str] | None = None,
    known: Circumstances | None = None,
    text: str = "How?",
) -> Choice:
    selector = Selector(prices=PriceBook())
    place = Place(workspace="T1", channel="C1", kind=PlaceKind.CHANNEL)
    question = Question(id="q", text=text, asker="U1", place=place, audience=Audience.everyone(), asked_at=NOW)
    usual = {key: Usual(Spread(value, value, value)) for key, value in (seconds or {}).items()}
    known = known or Circumstances(usual=usual, value=value, barred=barred or {})
    return selector.choose(question, evidence, cards, pins, known)


def taken(choice: Choice) -> tuple[str, StrategyName]:
    return choice.option.model, choice.option.strategy


@pytest.mark.parametrize(
    ("evidence", "strategy"), [(DOCUMENTS, RAG), (EXAMPLES, FEW_SHOT), (TASK, FINE_TUNED), (NOTHING, ZERO_SHOT)]
)
def test_the_strategy_follows_the_evidence(evidence: Evidence, strategy: StrategyName) -> None:
    choice = choose(evidence, card("writer"), tuned())
    assert choice.option.strategy is strategy
    assert choice.option.quality > 0.5


@pytest.mark.parametrize("value", Value)
def test_every_option_follows_the_formula_and_the_best_is_taken(value: Value) -> None:
    choice = choose(DOCUMENTS, card("writer"), card("dear", "400"), value=value)
    available = [option for option in choice.options if option.available]
    for option in available:
        assert option.cost is not None
        expected = option.quality - value.cost_weight * float(option.cost) - value.latency_weight * option.latency
        assert option.utility == pytest.approx(expected)
    assert choice.option == max(available, key=lambda option: option.utility)
    assert choice.options[: len(available)] == tuple(available)


def test_of_two_models_that_nobody_has_measured_the_cheaper_one_answers() -> None:
    assert taken(choose(DOCUMENTS, card("dear", "20"), card("cheap", "1"))) == ("cheap", RAG)


def test_a_measured_better_model_is_worth_its_price_until_money_counts_more() -> None:
    good, poor = card("good", "60", scores={"rag": 0.95}), card("poor", "1", scores={"rag": 0.6})
    assert taken(choose(DOCUMENTS, good, poor, value=Value.BEST)) == ("good", RAG)
    assert taken(choose(DOCUMENTS, good, poor, value=Value.FRUGAL)) == ("poor", RAG)


def test_a_slow_model_loses_against_a_fast_one() -> None:
    seconds = {("house", "slow"): 20.0, ("house", "fast"): 1.0}
    choice = choose(DOCUMENTS, card("slow"), card("fast"), seconds=seconds)
    assert taken(choice) == ("fast", RAG)
    assert choice.option.latency == 1.0


def test_what_a_model_usually_writes_tells_its_cost_and_its_range() -> None:
    usual = {("house", "writer"): Usual(Spread(2.0, 1.0, 5.0), Spread(100, 40, 300))}
    plain = choose(NOTHING, card("writer"), known=Circumstances(usual=usual)).option
    assert plain.cost is not None
    assert plain.cost_range is not None
    assert plain.cost_range[0] < plain.cost < plain.cost_range[1]
    assert plain.cost_range[1] - plain.cost == 200 * Decimal("0.000001")
    assert (plain.latency, plain.latency_range) == (2.0, (1.0, 5.0))


def test_before_a_model_has_answered_nothing_is_known_of_the_spread_of_its_cost() -> None:
    option = choose(NOTHING, card("writer")).option
    assert option.cost is not None
    assert option.cost_range is None
    assert option.latency_range is None


def test_measured_answers_move_the_estimate_the_more_the_more_there_are() -> None:
    shipped = choose(NOTHING, card("writer")).option.quality
    qualities = [shipped]
    for n in (5, 50, 5000):
        means = {(ZERO_SHOT, "writer"): Mean(n, 0.2)}
        qualities.append(choose(NOTHING, card("writer"), known=Circumstances(means=means)).option.quality)
    assert qualities == sorted(qualities, reverse=True)
    assert qualities[-1] > 0.2


def test_a_choice_says_with_what_it_was_made_and_what_decided() -> None:
    choice = choose(DOCUMENTS, card("writer"), known=Circumstances(index="local 12ab"))
    assert choice.versions == Versions(estimates=load_weights().version, prices=PriceBook().version, index="local 12ab")
    assert choice.features["passage_similarity"] == pytest.approx(0.82)
    assert "closeness" not in choice.features
    assert any(reason.startswith("What spoke most for it: ") for reason in choice.reasons)
    low, high = choice.option.quality_range or (1.0, 0.0)
    assert 0 <= low < choice.option.quality < high <= 1


def test_nothing_is_said_to_speak_for_what_is_unlikely_to_help() -> None:
    choice = choose(NOTHING, OFFLINE_CARD)
    assert choice.option.strategy is RAG
    assert not any("spoke most" in reason for reason in choice.reasons)


def test_estimates_of_another_index_are_left_out_and_that_is_said() -> None:
    weights = replace(load_weights(), version="team", index="local")
    same = choose(DOCUMENTS, card("writer"), known=Circumstances(weights=weights, embedder="local"))
    assert same.versions is not None
    assert same.versions.estimates == "team"
    other = choose(DOCUMENTS, card("writer"), known=Circumstances(weights=weights, embedder="hosted"))
    assert other.versions is not None
    assert other.versions.estimates == load_weights().version
    assert any("“local” then and is with “hosted” now" in guard for guard in other.guards)


def test_what_nothing_tells_about_the_team_itself_is_not_guessed() -> None:
    choice = choose(NOTHING, card("writer"), text="When do we rotate our keys?")
    assert not choice.option.available
    assert OWN_AFFAIRS in choice.guards
    assert choose(DOCUMENTS, card("writer"), text="When do we rotate our keys?").option.strategy is RAG


def test_too_little_in_the_documents_is_not_answered_from_unless_a_person_wants_it() -> None:
    choice = choose(NOTHING, card("writer"))
    (rag,) = [option for option in choice.options if option.strategy is RAG]
    assert "is needed)" in rag.reason
    assert rag.reason in choice.guards
    pinned = choose(NOTHING, card("writer"), pins=(Pin(scope="question", strategy=RAG),))
    assert (pinned.option.strategy, pinned.policy) == (RAG, "person")


def test_an_unknown_price_is_weighed_as_the_dearest_and_stays_unknown() -> None:
    choice = choose(DOCUMENTS, card("unknown", None), card("dear", "30"), card("cheap", "1"))
    assert choice.option.model == "cheap"
    by_model = {option.model: option for option in choice.options if option.strategy is RAG}
    assert by_model["unknown"].cost is None
    assert by_model["unknown"].utility == pytest.approx(by_model["dear"].utility)


def test_longer_evidence_costs_more() -> None:
    long = Evidence(passages=(passage(0.8, 0.9, text="word " * 4000),), coverage=0.9)
    costs = {option.strategy: option.cost for option in choose(long, card("writer")).options}
    assert costs[RAG] > 10 * costs[ZERO_SHOT]  # type: ignore[operator]


@pytest.mark.parametrize("evidence", [DOCUMENTS, NOTHING])
def test_the_offline_model_searches_whenever_there_is_something_to_quote(evidence: Evidence) -> None:
    choice = choose(evidence, OFFLINE_CARD)
    assert taken(choice) == (OFFLINE, RAG)
    assert choice.option.cost == Decimal(0)
    refused = {option.strategy: option.reason for option in choice.options if not option.available}
    assert refused[ZERO_SHOT] == "The offline model can only quote documents and reviewed answers."


def test_the_offline_model_steps_back_where_another_is_usable() -> None:
    assert taken(choose(DOCUMENTS, OFFLINE_CARD, card("writer"))) == ("writer", RAG)


def test_without_anything_to_quote_the_offline_model_has_no_option_and_says_why() -> None:
    choice = choose(Evidence(), OFFLINE_CARD)
    assert not choice.option.available
    assert choice.reasons == ("Nothing was found in the documents that everyone here may read.",)


def test_nothing_is_stacked_on_a_fine_tuned_model_unless_a_person_pins_it() -> None:
    automatic = choose(DOCUMENTS, tuned(), card("writer"))
    own = [option for option in automatic.options if option.model == "notes"]
    assert not any(option.available for option in own)
    assert {option.reason for option in own} == {
        "“notes” was tuned to answer on its own.",
        "“notes” was tuned for another kind of question (release notes).",
    }
    pinned = choose(DOCUMENTS, tuned(), card("writer"), pins=(Pin(scope="person", model="notes"),))
    assert taken(pinned) == ("notes", RAG)


def test_of_several_pins_the_strongest_decides_for_the_model_and_for_the_strategy() -> None:
    pins = (
        Pin(scope="question", strategy=ZERO_SHOT),
        Pin(scope="thread", model="second", strategy=RAG),
        Pin(scope="channel", model="first"),
    )
    choice = choose(DOCUMENTS, card("first"), card("second"), pins=pins)
    assert taken(choice) == ("second", ZERO_SHOT)
    assert choice.pins == (Pin(scope="thread", model="second"), Pin(scope="question", strategy=ZERO_SHOT))
    assert choice.reasons[0] == "“second” is pinned in this thread."


def test_one_pin_for_both_is_named_once() -> None:
    pin = Pin(scope="person", model="writer", strategy=ZERO_SHOT)
    assert choose(DOCUMENTS, card("writer"), pins=(pin,)).pins == (pin,)


def test_the_reasons_name_what_was_found_and_what_was_passed_over() -> None:
    reasons = choose(DOCUMENTS, card("writer"), card("dear", "50")).reasons
    assert reasons[0] == "The documents answer this closely: “Deploying › Rollback” (similarity 0.82)."
    assert reasons[1].startswith("Plain prompting would have been cheaper, but less likely to give a good answer")
    assert reasons[2].startswith("Of 2 usable models “writer” offers the best value for this: about $0.000")


def test_the_same_evidence_is_decided_the_same_way() -> None:
    cards = (card("b"), card("a"), OFFLINE_CARD)
    assert choose(EXAMPLES, *cards) == choose(EXAMPLES, *cards)


def test_more_similar_documents_never_make_searching_less_likely() -> None:
    def rag(similarity: float) -> Option:
        found = tuple(passage(similarity - step / 10, similarity) for step in range(4))
        options = choose(Evidence(passages=found, coverage=similarity), card("writer")).options
        return next(option for option in options if option.strategy is RAG)

    qualities = [rag(step / 10).quality for step in range(1, 10)]
    assert qualities == sorted(qualities)


def test_a_choice_says_what_a_point_of_quality_was_worth() -> None:
    choice = choose(DOCUMENTS, card("writer"), value=Value.FRUGAL)
    assert (choice.value, choice.point_worth) == ("frugal", Decimal("0.0004"))
    default = choose(DOCUMENTS, card("writer"))
    assert (default.value, default.point_worth) == ("balanced", Decimal("0.002"))


def test_what_may_not_leave_this_machine_is_answered_here_though_another_would_be_better() -> None:
    choice = choose(DOCUMENTS, card("hosted"), OFFLINE_CARD, barred={"hosted": STAYS})
    assert taken(choice) == (OFFLINE, RAG)
    hosted = {option.reason for option in choice.options if option.model == "hosted"}
    assert hosted == {STAYS, "“hosted” is not fine-tuned."}
    assert choice.guards == (STAYS,)
    nothing = choose(Evidence(), card("hosted"), OFFLINE_CARD, barred={"hosted": STAYS})
    assert nothing.reasons == ("Nothing was found in the documents that everyone here may read.",)
    assert choose(DOCUMENTS, card("hosted"), OFFLINE_CARD).guards == ()
