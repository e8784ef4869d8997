from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from ledger_days import CENT, cell, day
from week_reports import BERLIN, WEEK, empty, report, total

from bot.costs.forecast import Forecast
from bot.costs.money import roughly, signed
from bot.costs.periods import Month, Week
from bot.costs.report_words import ahead, as_text, each_cost, headline, name_of, wasted, why
from bot.costs.split import Split, split
from bot.costs.waste import waste

NOVEMBER = Month(date(2026, 11, 1), BERLIN)


def causes(volume: str = "0", mix: str = "0", length: str = "0", price: str = "0") -> Split:
    parts = [Decimal(amount) for amount in (volume, mix, length, price)]
    return Split(
        change=sum(parts, Decimal(0)), volume=parts[0], mix=parts[1], length=parts[2], price=parts[3], answers=1204,
        before=1010, size=2410, size_before=2940,
    )  # fmt: skip


def test_why_names_each_cause_with_its_dollars_the_largest_first() -> None:
    told = why(report(split=causes(volume="5.00", length="-1.90", mix="1.00")))
    assert told == (
        "+$4.10 against the week before: +$5.00 more questions (1,204 instead of 1,010), "
        "−$1.90 shorter answers (2,410 tokens each instead of 2,940), +$1.00 other models."
    )


def test_small_causes_are_one_rest_so_that_what_is_told_adds_up() -> None:
    told = why(report(split=causes(volume="10", length="0.2", mix="0.1", price="-0.05")))
    assert told.endswith("+$10.00 more questions (1,204 instead of 1,010), +$0.25 all else.")


def test_where_prices_are_unknown_the_causes_are_those_of_the_known_ones() -> None:
    week = report(total=total("4.18", unknown=3), split=causes(volume="1"))
    assert why(week).startswith("+$1.00 against the week before, as far as prices are known:")


def test_a_model_is_named_where_the_mix_or_a_price_changed() -> None:
    before = [day(cell("cheap", 100, 100 * CENT, tokens=(100, 0, 0)))]
    half = cell("cheap", 50, 50 * CENT, tokens=(50, 0, 0)), cell("dear", 50, 500 * CENT, tokens=(50, 0, 0))
    assert why(report(split=split([day(*half)], before))).endswith(": +$4.50 more of dear.")
    dearer = [day(cell("cheap", 100, 150 * CENT, tokens=(100, 0, 0)))]
    assert why(report(split=split(dearer, before))).endswith(": +$0.50 higher price of cheap.")


def test_nothing_is_explained_where_nothing_changed_or_nothing_was_before() -> None:
    assert why(report()) == ""
    assert why(report(split=causes())) == ""


def test_an_answer_and_one_that_was_liked_have_a_price() -> None:
    assert each_cost(report()) == "That is $0.018 an answer, $0.10 for each 👍."
    assert each_cost(report(thumbs=(0, 3))) == "That is $0.018 an answer."
    assert each_cost(report(total=total("4.18", unknown=1))).startswith("That is at least $0.018")
    assert each_cost(report(total=total())) == each_cost(report(answers=0)) == ""


def test_the_month_is_foreseen_with_a_range_or_it_is_too_early() -> None:
    known = Forecast(
        month=NOVEMBER, spent=Decimal("87.1"), left=15, total=Decimal("120.4"), low=Decimal("104.2"), high=Decimal(139)
    )
    assert ahead(report(forecast=known)) == (
        "November will come to about $120, most likely $104 to $139; $87.10 is spent."
    )
    early = Forecast(month=NOVEMBER, spent=Decimal(2), left=15)
    assert ahead(report(forecast=early)) == "It is too early to tell what November will come to; $2.00 is spent."
    over = Forecast(month=NOVEMBER, spent=Decimal(99), left=0, total=Decimal(99))
    assert ahead(report(forecast=over)) == "November came to $99.00."
    assert ahead(report(week=NOVEMBER, forecast=over)) == ""


def test_waste_counts_what_was_paid_for_and_helped_nobody() -> None:
    days = [
        day(
            cell(calls=3, cost=30 * CENT, outcome="stopped"),
            cell(calls=2, cost=10 * CENT, outcome="unusable"),
            cell(calls=4, cost=0, outcome="rate_limited"),
            cell(calls=9, cost=90 * CENT, retried=(2, 20 * CENT)),
        )
    ]
    found = waste(days)
    assert (found.stopped, found.nothing, found.failed, found.retries) == (3, 2, 4, 2)
    assert found.cost == Decimal("0.4")
    assert wasted(report(waste=found)) == (
        "$0.40 went to calls that helped nobody: 3 stopped before the end ($0.30), 2 with nothing usable in it "
        "($0.10). 2 second or later tries cost $0.20."
    )
    assert wasted(report()) == ""


@pytest.mark.parametrize(
    ("days", "name"), [(7, "last week"), (13, "last week"), (14, "the week of 9–15 November 2026"), (0, "the week of")]
)
def test_a_week_is_called_last_week_only_while_it_is(days: int, name: str) -> None:
    now = datetime(2026, 11, 9, 12, tzinfo=UTC) + timedelta(days=days)
    assert name_of(WEEK, now).startswith(name)
    assert headline(report(), name_of(WEEK, now)).lower().startswith(name_of(WEEK, now).lower())


def test_a_month_is_called_by_its_name_once_another_one_is_over() -> None:
    assert name_of(NOVEMBER, datetime(2026, 12, 1, 9, tzinfo=UTC)) == "last month"
    assert name_of(NOVEMBER, datetime(2027, 1, 1, 9, tzinfo=UTC)) == "November 2026"
    assert headline(report(week=NOVEMBER)).startswith("Last month cost $4.18, 12% less than the month before")


def test_months_and_weeks_know_their_bounds_and_their_ids() -> None:
    assert (len(NOVEMBER.days), len(NOVEMBER.previous.days), str(NOVEMBER)) == (30, 31, "November 2026")
    assert NOVEMBER.until - NOVEMBER.since == timedelta(days=30)
    assert NOVEMBER.previous.until - NOVEMBER.previous.since == timedelta(days=31, hours=1)  # clocks went back
    assert Month.before(datetime(2026, 12, 1, tzinfo=BERLIN), BERLIN) == NOVEMBER
    assert (NOVEMBER.id, WEEK.id) == ("month-2026-11-01", "week-2026-11-09")
    assert Week.before(datetime(2026, 11, 16, tzinfo=BERLIN), BERLIN) == WEEK


def test_amounts_that_are_estimates_have_no_more_digits_than_they_mean() -> None:
    amounts = ("1204.5", "31.2", "0.6679", "0.00042", "0")
    assert [roughly(Decimal(amount)) for amount in amounts] == ["$1,204", "$31.20", "$0.67", "$0.00042", "$0"]
    assert [signed(Decimal(amount)) for amount in ("4.1", "-1.9", "0.194")] == ["+$4.10", "−$1.90", "+$0.19"]


def test_an_empty_week_explains_nothing() -> None:
    assert as_text(empty()).count("\n") == 0
