"""What a person may type to set a budget, and what is said where it means nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bot.costs.budget import Budget
from bot.costs.budget_words import Wish, wish
from bot.errors import UnusableBudget

SET = Wish(scope="workspace", key="", period="month", amount=Decimal(200), hard=True, reason="it is tight")


@pytest.mark.parametrize(
    "words",
    [
        "workspace $200 a month hard because it is tight",
        "hard, $200/month for the whole workspace because it is tight",
        "monthly 200$ team hard Because it is tight",
        "a hard budget of 200 dollars per month for everyone since it is tight",
        "0.2k usd each month workspace hard reason: it is tight",
    ],
)
def test_the_words_of_a_budget_come_in_any_order(words: str) -> None:
    assert wish(words) == SET


@pytest.mark.parametrize(
    ("words", "scope", "key"),
    [
        ("<#C0HELP|help> 1", "channel", "C0HELP"),
        ("channel C0HELP 1", "channel", "C0HELP"),
        ("here 1", "channel", "C0ENG"),
        ("this channel 1", "channel", "C0ENG"),
        ("<@U0MAYA> 1", "person", "U0MAYA"),
        ("U0MAYA 1", "person", "U0MAYA"),
        ("me 1", "person", "U0ADA"),
        ("purpose judge 1", "purpose", "judge"),
        ("1 for shadow", "purpose", "shadow"),
    ],
)
def test_whose_it_is_can_be_said_in_several_ways(words: str, scope: str, key: str) -> None:
    found = wish(words, me="U0ADA", here="C0ENG")
    assert (found.scope, found.key, found.amount) == (scope, key, Decimal(1))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "Whose budget do you mean?"),
        ("$5 a day", "Whose budget do you mean?"),
        ("workspace $5 a fortnight", "I do not know “fortnight” here."),
        ("workspace -5", "“-5” cannot be a budget"),
        ("workspace $1,000,001", "cannot be a budget"),
        ("workspace 1,5", "“1,5” is no amount of US dollars."),
        ("workspace 1.2.3", "is no amount of US dollars."),
        ("workspace NaN", "I do not know “NaN” here."),
        ("workspace $1 $2", "says two things for its amount."),
        ("workspace 1 hard soft", "says two things for its kind, hard or soft."),
        ("workspace me 1", "says two things for its owner."),
        ("@maya 1", "Slack did not tell me which person “@maya” is."),
        ("#help 1", "Slack did not tell me which channel “#help” is."),
        ("purpose lunch 1", "There is no purpose “lunch”. Write one of answer,"),
        ("purpose", "Which purpose do you mean?"),
    ],
)
def test_what_means_nothing_gets_a_sentence_with_what_can_be_typed(words: str, said: str) -> None:
    with pytest.raises(UnusableBudget) as refused:
        wish(words, me="U0ADA")
    assert said in str(refused.value)


def test_without_a_place_here_is_nowhere() -> None:
    with pytest.raises(UnusableBudget, match="Which channel do you mean"):
        wish("this channel 1")


def test_a_wish_means_the_budgets_of_its_owner_and_where_it_is_said_of_its_period() -> None:
    day, month = (
        Budget(
            id=number,
            scope="workspace",
            key="",
            period=period,  # type: ignore[arg-type]
            amount=Decimal(1),
            hard=True,
            reason="",
            set_by="U0ADA",
            set_at=datetime(2026, 11, 18, tzinfo=UTC),
        )
        for number, period in enumerate(("day", "month"))
    )
    assert wish("workspace").meant((day, month)) == (day, month)
    assert wish("daily workspace").meant((day, month)) == (day,)
    assert wish("purpose judge").meant((day, month)) == ()
