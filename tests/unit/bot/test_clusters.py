from __future__ import annotations

import numpy as np

from bot.people.coverage import clusters


def test_vectors_that_point_the_same_way_are_one_group_and_the_order_is_kept() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.9, 0.436], [0.1, 0.995], [-1, 0]], np.float32)
    assert clusters(vectors) == [[0, 2], [1, 3], [4]]
    assert clusters(vectors) == clusters(vectors.copy())


def test_nothing_makes_no_group() -> None:
    assert clusters(np.zeros((0, 3), np.float32)) == []
