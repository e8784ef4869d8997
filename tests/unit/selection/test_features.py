from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.domain import Evidence, Example
from bot.learning.nearness import lead, vote_purity
from bot.selection.features import NAMES, as_dict, features
from knowledge.access import PUBLIC
from knowledge.documents import Passage, Signs

UNKNOWN_OF_PASSAGES = {"passage_lead", "closeness", "closeness_lead", "rarest"}
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def passage(similarity: float, updated: datetime | None = None) -> Passage:
    return Passage(
        chunk_id="c",
        document_id="d",
        source="docs",
        title="Deploying",
        heading=(),
        text="text",
        url=None,
        updated=updated,
        score=1.0,
        similarity=similarity,
        lexical=0.5,
    )


def example(similarity: float, answer: str = "So.") -> Example:
    return Example(id="e", question="How?", answer=answer, readers=PUBLIC, similarity=similarity)


def named(evidence: Evidence, tuned: str | None = None) -> dict[str, float]:
    return dict(zip(NAMES, features(evidence, tuned, now=NOW).tolist(), strict=True))


FOUND = Evidence(
    passages=(passage(0.6), passage(0.3), passage(0.3), passage(0.3)),
    examples=(example(0.5), example(0.2)),
    signs=Signs(closeness=0.7, closeness_lead=0.1, rarest=0.4, background=0.2, spread=0.1),
    example_lead=2.5,
    vote_purity=0.8,
    fine_tuned={"notes": 0.4, "code": 0.1},
)


def test_similarities_are_held_against_the_rest_of_their_store_and_each_other() -> None:
    found = named(FOUND)
    assert found["passage_margin"] == pytest.approx(0.3)
    assert found["passage_mean"] == pytest.approx(0.4)
    assert found["passage_lead"] == pytest.approx(4.0)
    assert found["example_mean"] == pytest.approx(0.35)
    assert found["passage_less_example"] == pytest.approx(0.1)
    assert found["example_less_fine_tuned"] == pytest.approx(0.1)
    assert found["lead"] == pytest.approx(0.1)


def test_each_fine_tuned_model_is_asked_about_by_its_own_prompts() -> None:
    assert named(FOUND)["fine_tuned_similarity"] == pytest.approx(0.4)
    assert named(FOUND, "code")["fine_tuned_similarity"] == pytest.approx(0.1)


def test_empty_stores_are_0_and_what_nobody_knows_is_left_out() -> None:
    assert set(named(Evidence()).values()) == {0.0}
    bare = Evidence(passages=(passage(0.5),), examples=(example(0.5),))
    unknown = {name for name, value in named(bare).items() if math.isnan(value)}
    assert unknown == {
        "passage_lead",
        "closeness",
        "closeness_lead",
        "rarest",
        "freshness",
        "example_lead",
        "vote_purity",
    }
    assert unknown.isdisjoint(as_dict(features(bare, now=NOW)))


def test_cosines_of_another_embedding_model_say_nothing_beside_those_of_this_one() -> None:
    found = named(replace(FOUND, comparable=False))
    unknown = {name for name, value in found.items() if math.isnan(value)} - {"freshness"}
    assert unknown == {
        "passage_similarity",
        "passage_mean",
        "passage_margin",
        "passage_less_example",
        "passage_less_fine_tuned",
        "lead",
    }
    assert found["passage_lead"] == pytest.approx(4.0)


def test_freshness_halves_in_half_a_year() -> None:
    assert named(Evidence(passages=(passage(0.5, NOW),)))["freshness"] == 1.0
    aged = Evidence(passages=(passage(0.5, NOW - timedelta(days=180)), passage(0.4, NOW)))
    assert named(aged)["freshness"] == pytest.approx(0.5)


def test_the_lead_of_the_nearest_example_is_told_in_standard_deviations() -> None:

    assert lead(0.9, np.array([0.9, 0.1, 0.2], np.float32)) == pytest.approx(
        (0.9 - 0.4) / np.std([0.9, 0.1, 0.2]), 1e-3
    )
    assert math.isnan(lead(0.9, np.array([0.9], np.float32)))


def test_examples_vote_only_where_any_two_agree() -> None:
    assert vote_purity([example(0.9, "a"), example(0.8, "a"), example(0.7, "b")]) == pytest.approx(2 / 3)
    assert math.isnan(vote_purity([example(0.9, "a"), example(0.8, "b")]))
