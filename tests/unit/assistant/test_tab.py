from __future__ import annotations

from decimal import Decimal

from bot.domain import Price, Usage
from bot.gate import Tab

CALL = Usage(prompt_tokens=100, completion_tokens=10, cached_tokens=5)


def test_all_tries_of_a_question_are_added_up_exactly() -> None:
    tab = Tab()
    tab.add(CALL, Price(amount=Decimal("0.1"), version="list"))
    tab.add(Usage(prompt_tokens=1, completion_tokens=2, estimated=True), Price(amount=Decimal("0.2"), version="list"))
    assert tab.price == Price(amount=Decimal("0.3"), version="list")
    assert tab.usage == Usage(prompt_tokens=101, completion_tokens=12, cached_tokens=5, estimated=True)


def test_one_unknown_price_makes_the_whole_unknown() -> None:
    tab = Tab()
    tab.add(CALL, Price(amount=Decimal("0.1"), version="list"))
    tab.add(None, Price(amount=None, version=None))
    tab.add(CALL, Price(amount=Decimal("0.1"), version="list"))
    assert tab.price == Price(amount=None, version="list")


def test_a_question_that_called_no_model_cost_nothing() -> None:
    assert Tab().price == Price(amount=Decimal(0), version=None)
    assert Tab().usage is None
