from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from judging import PLAIN, RAG, choice, judged, option

from bot.learning.experience import Judged
from bot.learning.live import LEAST_JUDGED, live_gain


def drawn(n: int, good: tuple[float, float], chance: float = 0.8, people: int = 20) -> list[Judged]:
    """Answers of a policy that takes the first way with a chance; `good`: how often each way answers well."""
    rng = np.random.default_rng(3)
    found = []
    for number in range(n):
        options = (option(RAG, 0.7, chance=chance), option(PLAIN, 0.7, chance=1 - chance))
        place = int(rng.random() > chance)
        made = replace(choice(*options), option=options[place], policy="learned", propensity=options[place].chance or 0)
        found.append(judged(float(rng.random() < good[place]), made, person=f"U{number % people}"))
    return found


def test_a_policy_that_prefers_what_is_better_gains_over_what_it_seldom_takes() -> None:
    found = live_gain(drawn(1000, (0.9, 0.4)), PLAIN)
    assert found is not None
    gain, least, n = found
    assert gain == pytest.approx(0.4, abs=0.1)
    assert 0 < least < gain
    assert n == 1000


def test_a_policy_gains_nothing_over_what_is_as_good() -> None:
    found = live_gain(drawn(1000, (0.7, 0.7)), PLAIN)
    assert found is not None
    assert found[1] < 0


def test_unlikely_draws_weigh_more() -> None:
    """Where the seldom way was drawn for hard questions alone, its plain mean would be unfair."""
    labels = []
    for hard, chance, value in ((False, 0.1, 1.0), (True, 0.9, 0.0)):
        for number in range(200):
            options = (option(RAG, 0.7, chance=1 - chance), option(PLAIN, 0.7, chance=chance))
            place = int(number < 200 * chance)
            made = replace(choice(*options), option=options[place], policy="learned", propensity=0.5)
            labels.append(judged(value, made, person=f"U{number % 10}{hard}"))
    found = live_gain(labels, PLAIN)
    assert found is not None
    assert found[0] == pytest.approx(0.0, abs=1e-9)


def test_what_was_not_drawn_or_fixed_by_a_person_tells_nothing() -> None:
    labels = drawn(1000, (0.9, 0.4))
    assert live_gain([replace(one, propensity=None) for one in labels], PLAIN) is None
    assert live_gain([replace(one, choice=replace(one.choice, policy="estimates")) for one in labels], PLAIN) is None
    assert live_gain(labels, (PLAIN[0], "another")) is None


def test_too_few_answers_tell_nothing_nor_do_those_of_one_person() -> None:
    assert live_gain(drawn(LEAST_JUDGED - 1, (0.9, 0.4)), PLAIN) is None
    assert live_gain(drawn(120, (0.9, 0.4), chance=0.95), PLAIN) is None
    alone = live_gain(drawn(1000, (0.9, 0.4), people=1), PLAIN)
    assert alone is not None
    assert alone[1] == -np.inf
