from __future__ import annotations

import pytest

from bot.domain import StrategyName
from bot.errors import UnusableQuestion
from handlers.commands.compare import parse

RAG, ZERO = StrategyName.RAG, StrategyName.ZERO_SHOT


def test_options_come_before_the_question_in_any_order() -> None:
    order = parse("blind: models:a,b strategies:rag,zero-shot How do models:x work?")
    assert (order.question, order.blind) == ("How do models:x work?", True)
    assert (order.wanted.models, order.wanted.strategies) == (("a", "b"), (RAG, ZERO))


def test_a_question_alone_names_nothing() -> None:
    order = parse("How do I roll back?")
    assert (order.question, order.blind, order.wanted.models) == ("How do I roll back?", False, ())


@pytest.mark.parametrize(
    ("text", "hint"),
    [("models: a why?", "commas between them and no spaces"), ("strategies:rga why?", "Did you mean rag?")],
)
def test_what_there_is_not_is_said_with_the_way_out(text: str, hint: str) -> None:
    with pytest.raises(UnusableQuestion, match=hint):
        parse(text)
