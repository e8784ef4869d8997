import random
from decimal import Decimal

import pytest
from ledger_days import CENT, cell, day

from bot.costs.days import Day
from bot.costs.split import Split, split
from bot.domain import Rates

PARTS = ("volume", "mix", "length", "price")


def parts(found: Split) -> dict[str, Decimal]:
    others = sum((amount for _, amount in found.others), Decimal(0))
    return {name: getattr(found, name) for name in PARTS} | {"others": others}


def some_day(draw: random.Random) -> Day:
    cells = [
        cell(
            f"model-{number}",
            draw.randrange(0, 300),
            draw.choice([0, draw.randrange(1, 10**14)]),
            purpose=draw.choice(["answer", "answer", "draft", "shadow", "image"]),
            tokens=(draw.randrange(0, 10**6), draw.randrange(0, 10**5), 0),
            outcome=draw.choice(["answered", "answered", "timed_out"]),
        )
        for number in draw.sample(range(6), draw.randrange(0, 6))
    ]
    return day(*cells)


@pytest.mark.parametrize("seed", range(300))
def test_whatever_changed_the_parts_add_up_to_it_to_the_last_digit(seed: int) -> None:
    draw = random.Random(seed)
    now, before = [some_day(draw) for _ in range(3)], [some_day(draw) for _ in range(3)]
    found = split(now, before)
    change = sum(each.cost for each in now) - sum(each.cost for each in before)
    assert found.change == Decimal(change).scaleb(-12)
    assert sum(parts(found).values()) == found.change
    # The other way round every cause is the opposite one; what rounding left over is at most a few picodollars.
    for name, amount in parts(split(before, now)).items():
        assert abs(amount + parts(found)[name]) < Decimal("1e-6")


def one(calls: int, cost: int, tokens: tuple[int, int, int]) -> list[Day]:
    return [day(cell("small", calls, cost, tokens=tokens))]


@pytest.mark.parametrize(
    ("now", "cause"),
    [
        (one(20, 2 * CENT, (2000, 400, 0)), "volume"),
        (one(10, 2 * CENT, (2000, 400, 0)), "length"),
        (one(10, 2 * CENT, (1000, 200, 0)), "price"),
    ],
)
def test_one_cause_alone_gets_all(now: list[Day], cause: str) -> None:
    found = parts(split(now, one(10, CENT, (1000, 200, 0))))
    assert {name for name, amount in found.items() if amount} == {cause}
    assert found[cause] == Decimal("0.01")


def test_moving_half_of_the_questions_to_a_dearer_model_is_mix_alone() -> None:
    before = [day(cell("cheap", 100, 100 * CENT, tokens=(100, 0, 0)))]
    half = cell("cheap", 50, 50 * CENT, tokens=(50, 0, 0)), cell("dear", 50, 500 * CENT, tokens=(50, 0, 0))
    found = split([day(*half)], before)
    assert parts(found) == {"volume": 0, "mix": Decimal("4.5"), "length": 0, "price": 0, "others": 0}
    assert found.models["dear"].mix > 0 > found.models["cheap"].mix


def test_a_new_and_a_gone_model_are_mix_whatever_they_cost() -> None:
    found = split([day(cell("new", 7, 30 * CENT))], [day(cell("gone", 9, 10 * CENT))])
    assert (found.mix, found.change) == (Decimal("0.2"), Decimal("0.2"))


def test_a_larger_share_of_output_is_length_and_not_a_price_where_the_rates_are_known() -> None:
    rates = Rates(input=Decimal(1), output=Decimal(10), cached_input=Decimal("0.1"))

    def paid(given: int, taken: int, cached: int) -> list[Day]:
        cost = (given - cached) * 10**6 + cached * 10**5 + taken * 10**7
        return one(10, cost, (given, taken, cached))

    before, now = paid(10_000, 1_000, 0), paid(8_000, 3_000, 4_000)
    found = split(now, before, lambda _provider, _model: rates)
    assert abs(found.price) < Decimal("1e-9")
    assert abs(found.length - found.change) < Decimal("1e-9")
    assert split(now, before).price != 0  # by numbers of tokens alone it would look like one


def test_evaluations_and_shadow_runs_are_causes_of_their_own() -> None:
    jobs = cell("judge", 50, 400 * CENT, purpose="judge"), cell("small", 5, 10 * CENT, purpose="shadow")
    found = split([day(cell(), *jobs)], [day(cell())])
    assert found.others == (("judge", Decimal(4)), ("shadow", Decimal("0.1")))
    assert not any((found.volume, found.mix, found.length, found.price))


def test_a_day_against_several_is_split_as_against_their_mean() -> None:
    four = [day(cell(calls=number, cost=number * CENT, tokens=(100 * number, 0, 0))) for number in (8, 9, 11, 12)]
    found = split([day(cell(calls=30, cost=30 * CENT, tokens=(3000, 0, 0)))], four, times=4)
    assert (found.change, found.answers, found.before) == (Decimal("0.2"), 30, 10)
    assert abs(found.volume - found.change) < Decimal("1e-9")


def test_what_nobody_knows_the_price_of_is_left_out() -> None:
    unknown = cell("mystery", 500, 0, priced=False)
    assert split([day(cell(), unknown, answers=10)], [day(cell())]).change == 0
