from __future__ import annotations

from dataclasses import replace

from judging import NOW, PLAIN, RAG, SHOTS, choice, judged, option, pinned

from bot.learning.bandit import Bandit
from bot.learning.experience import Way
from bot.learning.policy import decided
from bot.learning.promotion import Entry, Gain, Standing, State

FIRST, SECOND = option(RAG, 0.8), option(PLAIN, 0.6)
MADE = choice(FIRST, SECOND)
TAUGHT = Bandit.learn([judged(0.0, choice(FIRST))] * 40 + [judged(1.0, choice(SECOND))] * 40)
GAIN = Gain(mean=0.04, least=0.012, n=212, source="golden questions", best=RAG, evidence="e")


def standing(state: State, best: Way = PLAIN, **fields: object) -> Standing:
    return Standing(**{"state": state, "best": best, "gain": GAIN, **fields})  # type: ignore[arg-type]


def test_before_anything_was_measured_the_selectors_choice_stands() -> None:
    assert decided(MADE, "q", Standing(), TAUGHT) is MADE
    assert decided(MADE, "q", standing("learned", off=True), TAUGHT) is MADE


def test_the_best_fixed_way_is_taken_and_says_why() -> None:
    found = decided(MADE, "q", standing("best fixed"), TAUGHT)
    assert (found.option, found.policy, found.propensity) == (SECOND, "best fixed", 1.0)
    assert found.reasons == (
        "Everything goes to zero_shot · writer: choosing by question was not measurably better on 212 golden "
        "questions.",
        "The estimates alone would take rag · writer.",
    )


def test_where_the_best_fixed_way_is_what_the_selector_takes_its_reasons_stay() -> None:
    found = decided(MADE, "q", standing("best fixed", RAG), TAUGHT)
    assert found.option == FIRST
    assert found.reasons[0] == MADE.reasons[0]
    assert len(found.reasons) == 2


def test_where_the_best_fixed_way_cannot_be_taken_the_selectors_choice_stands() -> None:
    barred = choice(FIRST, replace(SECOND, available=False, reason="The budget is spent."))
    assert decided(barred, "q", standing("best fixed"), TAUGHT) is barred
    assert decided(choice(FIRST), "q", standing("best fixed", SHOTS), TAUGHT).option == FIRST


def test_where_nothing_can_be_taken_the_reason_stands() -> None:
    nothing = choice(replace(FIRST, available=False, reason="Nothing was found."))
    for state in ("learned", "best fixed"):
        assert decided(nothing, "q", standing(state), TAUGHT) is nothing


def test_what_was_learned_is_taken_with_its_propensity_and_a_sentence() -> None:
    found = decided(MADE, "q", standing("learned"), TAUGHT)
    assert (found.option.strategy, found.policy, found.propensity) == (PLAIN[0], "learned", 1.0)
    assert [one.chance for one in found.options] == [0.0, 1.0]
    (said,) = found.reasons
    assert said.startswith("What people made of earlier answers speaks for zero_shot · writer here: expected quality ")
    assert "for rag · writer, which the estimates alone would take." in said


def test_a_try_says_that_it_is_one() -> None:
    near = option(SHOTS, 0.79)
    tries = [decided(choice(FIRST, near), f"q{n}", standing("learned"), Bandit.fresh()) for n in range(40)]
    tried = [one for one in tries if one.option.strategy is SHOTS[0]]
    assert 0 < len(tried) < 40
    for one in tried:
        assert 0.05 <= one.propensity < 1
        assert "was drawn to find out which of them is better" in one.reasons[0]


def test_a_pins_sentence_stays_in_front() -> None:
    made = replace(pinned(MADE), reasons=("“writer” is what you pinned for yourself.", "The documents answer this."))
    for state in ("learned", "best fixed"):
        found = decided(made, "q", standing(state), TAUGHT)
        assert found.reasons[0] == "“writer” is what you pinned for yourself."
        assert "The documents answer this." not in found.reasons


def test_the_same_question_is_decided_the_same_again() -> None:
    made = choice(FIRST, option(SHOTS, 0.79))
    ways = {decided(made, "q7", standing("learned"), Bandit.fresh()).option.strategy for _ in range(10)}
    assert len(ways) == 1


def test_who_chooses_is_said_in_a_sentence_with_its_numbers() -> None:
    assert standing("learned").sentence == (
        "Learning is used: +0.04 (at least +0.01) over always rag · writer, on 212 golden questions."
    )
    assert standing("best fixed").sentence == (
        "No difference worth routing for: everything goes to zero_shot · writer."
    )
    assert Standing(golden=12).sentence == (
        "Not yet measured on your questions: the shipped estimates choose. 12 of at least 30 golden questions are "
        "evaluated."
    )
    assert Standing(golden=40).sentence == "Not yet measured on your questions: the shipped estimates choose."
    assert Standing(off=True).sentence == ("Learning is off (selection.learning), so the shipped estimates choose.")


def test_a_gain_that_an_admin_does_not_trust_is_told_with_the_undoing() -> None:
    entry = Entry(id=4, at=NOW, state="learned", best=RAG, why="", by="ana", undoes=3, undone_by=None, undone_at=None)
    assert standing("learned", gain=replace(GAIN, mean=0.002, least=-0.03), entry=entry).sentence == (
        "Learning is used: +0.0020 (perhaps only −0.03) over always rag · writer, on 212 golden questions. Entry 3 was "
        "undone, which holds until there are new numbers."
    )
    assert standing("estimates", entry=entry).sentence == (
        "The shipped estimates choose. Entry 3 was undone, which holds until there are new numbers."
    )
