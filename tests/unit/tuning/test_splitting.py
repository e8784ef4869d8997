from __future__ import annotations

import numpy as np
from training_rows import row

from bot.tuning.splitting import split, topics
from knowledge.documents import Vector


def unit(*angles: float) -> Vector:
    return np.array([[np.cos(a), np.sin(a)] for a in angles], np.float32)


def test_questions_near_the_first_one_of_a_topic_are_of_it() -> None:
    assert topics(unit(0.0, 1.5, 0.1, 3.0, 1.4)) == [0, 1, 0, 2, 1]


def test_the_topics_that_came_last_are_held_out_whole() -> None:
    rows = [row(f"Question {n}?", n=n) for n in range(20)]
    topic = [*[0] * 9, *[1] * 8, 2, 3, 3]
    train, held_out, by_topic = split(rows, topic)
    assert (by_topic, [one.subject for one in held_out]) == (True, ["s18", "s19"])
    assert [one.subject for one in train] == [f"s{n}" for n in range(18)]


def test_of_a_single_topic_the_newest_rows_are_held_out() -> None:
    rows = [row(f"Question {n}?", n=n) for n in range(20)]
    train, held_out, by_topic = split(rows, [0] * 20)
    assert (by_topic, len(train), [one.subject for one in held_out]) == (False, 18, ["s18", "s19"])


def test_a_topic_that_is_half_of_all_is_trained_on() -> None:
    rows = [row(f"Question {n}?", n=n) for n in range(20)]
    train, held_out, by_topic = split(rows, [*[0] * 4, *[1] * 4, *[2] * 12])
    assert {one.subject for one in held_out} == {f"s{n}" for n in range(4, 8)} or by_topic
    assert len(train) >= 14
