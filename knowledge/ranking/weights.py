"""The learned weights of the ranking: `weights.json`, written by tests/benchmarks/fit_ranking.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

WEIGHTS = Path(__file__).with_name("weights.json")


@cache
def _shipped() -> dict[str, dict[str, float]]:
    shipped: dict[str, dict[str, float]] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return shipped


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each measure counts: `order` for the places, `probability` for how likely the answer is there.

    `order_without_words` is for embedding models that give no words to compare. By the names of
    `knowledge.ranking.features` and `knowledge.ranking.probability`. Without arguments: those that come with the
    program.
    """

    order: Mapping[str, float] = field(default_factory=lambda: _shipped()["order"])
    order_without_words: Mapping[str, float] = field(default_factory=lambda: _shipped()["order_without_words"])
    probability: Mapping[str, float] = field(default_factory=lambda: _shipped()["probability"])
