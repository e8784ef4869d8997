import pytest

from knowledge.retrieval import overlap, share


def test_agreement_is_the_share_of_the_shorter_list_that_both_name() -> None:
    assert overlap(["c"], ["a", "b", "c", "d"]) == 1.0
    assert overlap(["a", "b", "c", "d"], ["d", "c", "i", "h"]) == 0.5
    assert overlap(["a", "b"], []) == 0.0
    assert overlap([], []) == 0.0


def test_the_share_weighs_rare_words_more() -> None:
    assert share([8.0, 2.0], frozenset({0})) == pytest.approx(0.8)
    assert share([8.0, 2.0], frozenset()) == 0.0
    assert share([], frozenset()) == 0.0
