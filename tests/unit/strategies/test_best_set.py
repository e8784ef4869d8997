"""Which examples fit into a prompt together."""

from __future__ import annotations

from collections.abc import Callable

from bot.domain import Evidence, Example, Question
from bot.strategies.few_shot import FewShot, best_set
from knowledge.access import PUBLIC


def test_the_set_that_is_worth_most_is_taken_and_not_the_first_that_fit() -> None:
    assert best_set([0.9, 0.8, 0.7], [10, 5, 5], 10) == [1, 2]
    assert best_set([0.9, 0.3, 0.3], [10, 5, 5], 10) == [0]
    assert best_set([0.9, 0.8, 0.7], [11, 5, 6], 10) == [1]
    assert best_set([0.9, 0.8], [11, 12], 10) == []
    assert best_set([0.5, 0.5], [10, 10], 10) == [0]
    assert best_set([], [], 10) == []


def test_one_that_is_too_long_keeps_no_shorter_one_out_and_the_best_stands_last(ask: Callable[[str], Question]) -> None:
    long, good, fair = (
        Example(id=id, question="How?", answer=answer, readers=PUBLIC, relevance=relevance)
        for id, answer, relevance in (("long", "word " * 400, 0.7), ("good", "Good.", 0.6), ("fair", "Fair.", 0.5))
    )
    strategy = FewShot(lambda text: len(text.split()))
    prompt = strategy.prompt(ask("How?"), Evidence(examples=(long, good, fair)), (), budget=300)
    assert [one.id for one in prompt.examples] == ["good", "fair"]
    asked = prompt.messages[-1].content
    assert asked.index("Fair.") < asked.index("Good.") < asked.index("</examples>")
