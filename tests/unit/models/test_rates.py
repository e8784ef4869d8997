"""Rates that a card states: their days, their currency."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bot.config import ExchangeRate
from bot.costs.prices import PriceBook
from bot.domain import Usage
from bot.errors import ConfigError
from bot.models.catalogue import load_catalogue
from bot.models.rates import Tariff

CARD = '[[models]]\nname = "own"\nprovider = "openai"\ncontext_window = 1000\n'
CHEAPER = """
[[models.rates]]
from = 2026-11-01
input = 1.0
output = 2.0
[[models.rates]]
input = 4
output = 8
[[models.rates]]
from = 2026-06-01
input = 3.5
output = 7
"""
EURO = {"EUR": ExchangeRate(dollars=Decimal("1.0843"), date=date(2026, 11, 1))}


def tariff(folder: Path, rates: str, currencies: dict[str, ExchangeRate] | None = None) -> Tariff:
    (folder / "cards.toml").write_text(CARD + rates, encoding="utf-8")
    found = load_catalogue(folder / "cards.toml", currencies).get("own").rates
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("moment", "input", "version"),
    [
        (datetime(2026, 5, 31, 23, 59, tzinfo=UTC), "4", "override"),
        (datetime(2026, 6, 1, tzinfo=UTC), "3.5", "override from 2026-06-01"),
        (datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC), "3.5", "override from 2026-06-01"),
        (datetime(2027, 1, 1, tzinfo=UTC), "1", "override from 2026-11-01"),
    ],
)
def test_a_call_has_the_rates_of_its_day_whatever_their_order(
    tmp_path: Path, moment: datetime, input: str, version: str
) -> None:
    rates = tariff(tmp_path, CHEAPER).rates(moment)
    assert rates is not None
    assert rates.input == Decimal(input)
    price = PriceBook().price("openai", "own", Usage(prompt_tokens=10**6, completion_tokens=0), rates=rates, at=moment)
    assert (price.amount, price.version) == (Decimal(input), version)


def test_before_the_first_day_nothing_is_stated(tmp_path: Path) -> None:
    found = tariff(tmp_path, "[[models.rates]]\nfrom = 2026-11-01\ninput = 1\noutput = 2\n")
    assert found.rates(datetime(2026, 10, 31, tzinfo=UTC)) is None


def test_rates_in_another_currency_are_turned_into_dollars_exactly_and_the_version_says_so(tmp_path: Path) -> None:
    stated = '[[models.rates]]\ncurrency = "EUR"\nfrom = 2026-11-01\ninput = 0.333333\noutput = 1\nminute = 0.01\n'
    rates = tariff(tmp_path, stated, EURO).rates(datetime(2026, 11, 2, tzinfo=UTC))
    assert rates is not None
    assert (rates.input, rates.output, rates.minute) == (
        Decimal("0.333333") * Decimal("1.0843"),
        Decimal("1.0843"),
        Decimal("0.010843"),
    )
    assert (rates.cached_input, rates.image) == (None, None)
    assert rates.version == "override from 2026-11-01, EUR at 1.0843 of 2026-11-01"
    price = PriceBook().price("openai", "own", Usage(prompt_tokens=1, completion_tokens=0), rates=rates)
    assert price.amount == Decimal("0.000000361433")  # 0.3614329719 millionths, to twelve decimals


def test_half_a_picodollar_is_rounded_to_even(tmp_path: Path) -> None:
    half = {"EUR": ExchangeRate(dollars=Decimal("0.5"), date=date(2026, 11, 1))}
    stated = '[models.rates]\ncurrency = "EUR"\ninput = 0.000001\noutput = 0.000003\n'
    rates = tariff(tmp_path, stated, half).rates()
    one, three = (
        PriceBook().price("openai", "own", Usage(prompt_tokens=p, completion_tokens=c), rates=rates).amount
        for p, c in ((1, 0), (0, 1))
    )
    assert (one, three) == (Decimal("0E-12"), Decimal("0.000000000002"))


@pytest.mark.parametrize(
    ("rates", "problem"),
    [
        (
            '[models.rates]\ncurrency = "GBP"\ninput = 1\noutput = 1\n',
            r"“own” are in GBP.*not known \(known: USD, EUR\).*\[costs\.currencies\.GBP\]",
        ),
        ('[models.rates]\ncurrency = "€"\ninput = 1\noutput = 1\n', "“rates.currency” of “own” is wrong"),
        (
            '[[models.rates]]\ncurrency = "EUR"\ninput = 1\noutput = 1\n'
            "[[models.rates]]\nfrom = 2026-01-01\ninput = 1\noutput = 1\n",
            "in EUR and USD; state all of one card in one currency",
        ),
        ("[[models.rates]]\ninput = 1\noutput = 1\n" * 2, "only the first may lack the day `from`"),
        ("[[models.rates]]\nfrom = 2026-01-01\ninput = 1\noutput = 1\n" * 2, "two rates hold from 2026-01-01"),
        ("[models.rates]\ninput = -1\noutput = 1\n", "“rates.input” of “own” is wrong"),
        ("[models.rates]\ninput = 1\n", "state `input` and `output`"),
        ("[[models.rates]]\nfrom = 2026-01-01\ninputs = 1\n", "“rates.inputs” of “own” is not a known field"),
    ],
)
def test_rates_that_cannot_be_are_refused_with_a_sentence(tmp_path: Path, rates: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        tariff(tmp_path, rates, EURO)
