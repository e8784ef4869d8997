"""What people type behind `/model` and before a question."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain import StrategyName
from bot.errors import UnusableQuestion, UnusableWords
from handlers.answering import Asked
from handlers.asked_with import AskedWith, asked_with
from handlers.commands.trial import Wanted, wanted
from handlers.commands.typed import with_reason, with_scope


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("How do I deploy?", AskedWith(text="How do I deploy?")),
        ("model:gpt-x How do I deploy?", AskedWith(text="How do I deploy?", model="gpt-x")),
        (
            "  MODEL:llama3.2:3b strategy:rag\nHow?",
            AskedWith(text="How?", model="llama3.2:3b", strategy=StrategyName.RAG),
        ),
        ("strategy:few-shot `model` is what?", AskedWith(text="`model` is what?", strategy=StrategyName.FEW_SHOT)),
        ("model: which one is best?", AskedWith(text="model: which one is best?")),
        ("Which model:x is best?", AskedWith(text="Which model:x is best?")),
        ("model:gpt-x", AskedWith(text="", model="gpt-x")),
    ],
)
def test_what_stands_before_a_question_fixes_its_model_and_its_strategy(text: str, found: AskedWith) -> None:
    assert asked_with(text) == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("strategy:magic How?", r"There is no strategy “magic”\. Write one of `strategy:zero_shot`"),
        ("model:a model:b How?", "You named two: model:a and model:b"),
    ],
)
def test_what_cannot_be_fixed_for_a_question_is_said(text: str, sentence: str) -> None:
    with pytest.raises(UnusableWords, match=sentence):
        asked_with(text)


def test_a_model_without_a_question_asks_for_one() -> None:
    asked = Asked(reference="q", text="model:gpt-x  ", person="U1", workspace="T1", channel="C1", thread=None)
    with pytest.raises(UnusableQuestion, match="Write your question after it, for example “model:gpt-x how do I"):
        asked.understood()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gpt-x here because cheaper", ("gpt-x here", "cheaper")),
        ("gpt-x  BECAUSE:  it is\nbetter because so", ("gpt-x", "it is better because so")),
        ("gpt-x here", ("gpt-x here", "")),
        ("because of money", ("", "of money")),
    ],
)
def test_a_reason_stands_behind_because(text: str, found: tuple[str, str]) -> None:
    assert with_reason(text) == found
    assert len(with_reason("x because " + "long " * 200)[1]) <= 300


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("gpt-x for this channel", ("gpt-x", "channel")),
        ("gpt-x Here", ("gpt-x", "channel")),
        ("the workspace", ("", "workspace")),
        ("gpt-x for me", ("gpt-x", "person")),
        ("gpt-x this thread", ("gpt-x", "thread")),
        ("nowhere", ("nowhere", None)),
        ("gpt-x", ("gpt-x", None)),
    ],
)
def test_for_whom_something_is_stands_at_the_end(words: str, found: tuple[str, str | None]) -> None:
    assert with_scope(words) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gpt-x 20%", Wanted(name="gpt-x", share=0.2, lasts=None, reason="")),
        ("gpt-x 12,5 % here", Wanted(name="gpt-x", share=0.125, lasts=None, reason="")),
        (
            "20% gpt-x for 14 days because it is new",
            Wanted(name="gpt-x", share=0.2, lasts=timedelta(days=14), reason="it is new"),
        ),
        ("gpt-x 5% for a week", Wanted(name="gpt-x", share=0.05, lasts=timedelta(days=7), reason="")),
    ],
)
def test_a_trial_is_understood_in_any_order(text: str, found: Wanted) -> None:
    assert wanted(text) == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gpt-x", "Which share of the questions"),
        ("gpt-x 20", "for example `20%`"),
        ("gpt-x 0%", "0% is no share that can be tried: write more than 0% and less than 100%"),
        ("gpt-x 200%", "200% is no share that can be tried"),
        ("gpt-x 100%", "`/model use NAME here` gives a model all"),
        ("gpt-x -5%", "-5% is no share"),
        ("20%", "Which model"),
        ("gpt-x quickly 20%", "I did not understand “quickly”"),
        ("gpt-x 20% for 0 days", "A trial lasts between an hour and a year, not “for 0 days”"),
        ("gpt-x 20% for 900 weeks", "A trial lasts between an hour and a year"),
    ],
)
def test_a_trial_that_cannot_be_is_answered_with_what_can_be_typed(text: str, sentence: str) -> None:
    with pytest.raises(UnusableWords, match=sentence):
        wanted(text)
