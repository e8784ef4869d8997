from __future__ import annotations

import pytest

from bot.domain import StrategyName
from bot.models.cards import FineTune, ModelCard
from bot.models.catalogue import OFFLINE, load_catalogue
from bot.selection.data_rules import STAYS
from bot.selection.estimates import Needs
from bot.selection.guards import ATTACHED, ONLY_QUOTES, OWN_AFFAIRS, Guards, proven_by_cards

ZERO_SHOT, FEW_SHOT, RAG, FINE_TUNED = StrategyName
WRITER = ModelCard(name="writer", provider="house", context_window=8192)
OFFLINE_CARD = load_catalogue().get(OFFLINE)


def needs(rag: float, few_shot: float = 0.1, fine_tuned: float = 0.1) -> Needs:
    probability = {ZERO_SHOT: 0.6, FEW_SHOT: few_shot, RAG: rag, FINE_TUNED: fine_tuned}
    return Needs(probability, {name: (value, value) for name, value in probability.items()})


def tuned(name: str, **scores: float) -> ModelCard:
    fine_tune = FineTune(kind="release notes", prompts=("Write the release notes",))
    return ModelCard(name=name, provider="house", context_window=8192, fine_tune=fine_tune, scores=scores)


def test_documents_answer_from_the_threshold_on() -> None:
    guards = Guards(least_rag=0.6)
    assert guards.against(WRITER, RAG, needs(0.6)) == ""
    refused = guards.against(WRITER, RAG, needs(0.59))
    assert refused == "The documents hold too little on this to answer from (probability 0.59, 0.60 is needed)."


def test_where_the_offline_model_is_alone_it_refuses_by_itself() -> None:
    guards = Guards(least_rag=0.6, alone=True)
    assert guards.against(OFFLINE_CARD, RAG, needs(0.1)) == ""


def test_what_the_offline_model_quotes_below_the_threshold_is_doubted() -> None:
    guards = Guards(least_rag=0.6, alone=True)
    assert guards.doubt(OFFLINE_CARD, RAG, needs(0.59)) == (
        "The documents hold too little on this to be sure (probability 0.59, 0.60 is needed), so what is nearest is "
        "quoted as no more than that."
    )
    assert guards.doubt(OFFLINE_CARD, RAG, needs(0.6)) == ""
    assert guards.doubt(OFFLINE_CARD, FEW_SHOT, needs(0.1)) == ""
    assert guards.doubt(WRITER, RAG, needs(0.1)) == ""


@pytest.mark.parametrize("strategy", [ZERO_SHOT, FEW_SHOT, FINE_TUNED])
def test_nobody_guesses_about_the_teams_own_affairs(strategy: StrategyName) -> None:
    guards = Guards(least_rag=0.6, own_affairs=True, proven={"writer"})
    assert guards.against(WRITER, strategy, needs(0.3)) == OWN_AFFAIRS
    assert guards.against(WRITER, strategy, needs(0.9)) == ""


def test_a_reviewed_example_may_tell_the_teams_own_affairs() -> None:
    guards = Guards(least_rag=0.6, own_affairs=True)
    assert guards.against(WRITER, FEW_SHOT, needs(0.3, few_shot=0.5)) == ""
    assert guards.against(WRITER, FEW_SHOT, needs(0.3, few_shot=0.49)) == OWN_AFFAIRS


def test_a_proven_model_may_tell_the_teams_own_affairs_near_what_it_was_tuned_on() -> None:
    notes, near = tuned("notes"), needs(0.3, fine_tuned=0.5)
    guards = Guards(least_rag=0.6, own_affairs=True, proven={"notes"})
    assert guards.against(notes, FINE_TUNED, near) == ""
    assert guards.against(notes, FINE_TUNED, needs(0.3, few_shot=0.9, fine_tuned=0.49)) == OWN_AFFAIRS
    assert guards.against(notes, ZERO_SHOT, near) == OWN_AFFAIRS
    held = Guards(least_rag=0.6, own_affairs=True, proven={"notes"}, held={"notes": "It is in the shadow."})
    assert held.against(notes, FINE_TUNED, near) == "It is in the shadow."
    unproven = Guards(least_rag=0.6, own_affairs=True)
    assert "golden questions" in unproven.against(notes, FINE_TUNED, near)
    pinned = Guards(least_rag=0.6, own_affairs=True, model_pinned=True)
    assert pinned.against(notes, FINE_TUNED, near) == OWN_AFFAIRS


def test_what_a_person_pinned_no_estimate_overrules_but_data_rules_hold() -> None:
    guards = Guards(least_rag=0.6, own_affairs=True, strategy=RAG, barred={"writer": STAYS})
    other = WRITER.model_copy(update={"name": "other"})
    assert guards.against(other, RAG, needs(0.1)) == ""
    assert guards.against(WRITER, RAG, needs(0.9)) == STAYS


def test_a_fine_tuned_model_answers_only_where_it_was_shown_to_be_better_or_is_pinned() -> None:
    notes = tuned("notes")
    assert "golden questions" in Guards(least_rag=0.6).against(notes, FINE_TUNED, needs(0.1))
    assert Guards(least_rag=0.6, proven={"notes"}).against(notes, FINE_TUNED, needs(0.1)) == ""
    assert Guards(least_rag=0.6, model_pinned=True).against(notes, FINE_TUNED, needs(0.1)) == ""


def test_a_card_proves_a_fine_tuned_model_that_scores_above_all_others() -> None:
    other = WRITER.model_copy(update={"scores": {"rag": 0.8}})
    assert proven_by_cards([tuned("notes", fine_tuned=0.81), other]) == {"notes"}
    assert proven_by_cards([tuned("notes", fine_tuned=0.8), other]) == frozenset()
    assert proven_by_cards([tuned("notes"), other]) == frozenset()
    assert proven_by_cards([tuned("one", fine_tuned=0.9), tuned("two", fine_tuned=0.95), other]) == {"two"}


def test_a_model_that_cannot_take_what_the_question_is_made_of_is_never_asked_not_even_where_it_is_pinned() -> None:
    eye = WRITER.model_copy(update={"name": "eye", "modality": ("text", "image")})
    guards = Guards(least_rag=0.6, modalities={"image"}, model_pinned=True, strategy=RAG)
    for strategy in StrategyName:
        assert guards.against(WRITER, strategy, needs(0.9)) == "“writer” cannot see images."
        assert guards.against(OFFLINE_CARD, strategy, needs(0.9)) == "“offline” cannot see images."
    assert guards.against(eye, RAG, needs(0.9)) == ""
    heard = Guards(least_rag=0.6, modalities={"image", "audio", "text", "smell"})
    assert heard.against(WRITER, RAG, needs(0.9)) == "“writer” cannot listen to audio or see images or take smell."
    assert heard.against(eye, RAG, needs(0.9)) == "“eye” cannot listen to audio or take smell."


def test_a_model_that_is_left_alone_is_kept_out_with_the_sentence_of_its_breaker() -> None:
    guards = Guards(least_rag=0.6, broken={"writer": "It is down."}, strategy=RAG)
    assert guards.against(WRITER, RAG, needs(0.9)) == "It is down."
    assert guards.against(OFFLINE_CARD, RAG, needs(0.9)) == ""


def test_files_that_came_with_the_question_are_answered_from_by_a_model_that_writes_where_one_may() -> None:
    guards = Guards(least_rag=0.6, attached=True, writers=True, own_affairs=True)
    assert guards.against(WRITER, RAG, needs(0.1)) == ""
    assert guards.against(WRITER, StrategyName.ZERO_SHOT, needs(0.9)) == ATTACHED
    assert guards.against(OFFLINE_CARD, RAG, needs(0.9)) == ONLY_QUOTES
    assert Guards(least_rag=0.6, attached=True).against(OFFLINE_CARD, RAG, needs(0.1)) == ""
