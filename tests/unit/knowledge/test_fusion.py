import pytest

from knowledge.retrieval import fuse, overlap, share


def test_what_both_sides_find_comes_before_what_one_side_finds_first() -> None:
    scores = fuse([[1, 2, 3], [4, 2, 5]])
    assert max(scores, key=scores.__getitem__) == 2
    assert scores[2] == pytest.approx(1 / 62 + 1 / 62)
    assert scores[1] == scores[4] == pytest.approx(1 / 61)


def test_agreement_is_the_share_of_the_shorter_list_that_both_name() -> None:
    assert overlap([3], [1, 2, 3, 4]) == 1.0
    assert overlap([1, 2, 3, 4], [4, 3, 9, 8]) == 0.5
    assert overlap([1, 2], []) == 0.0
    assert overlap([], []) == 0.0


def test_the_share_weighs_rare_words_more() -> None:
    weights = {"kubelet": 8.0, "pod": 2.0}
    assert share(weights, {"kubelet", "other"}) == 0.8
    assert share(weights, set()) == 0.0
    assert share({}, {"pod"}) == 0.0
