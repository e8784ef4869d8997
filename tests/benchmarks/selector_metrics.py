"""How well strategies were chosen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from bot.domain import StrategyName

RAG = StrategyName.RAG
BINS = 15
HIT_RECALL = 0.85
HIT, MISS = "knowledge_hit", "knowledge_miss"

Column = NDArray[np.float64]


def macro_f1(wanted: Sequence[StrategyName], chosen: Sequence[StrategyName]) -> float:
    """Mean of the F1 of the strategies that any question was made for."""
    names = sorted(set(wanted))
    return float(f1_score([w.value for w in wanted], [c.value for c in chosen], labels=names, average="macro"))


def sent_to_rag(kinds: Sequence[str], chosen: Sequence[StrategyName], kind: str) -> float | None:
    """Share of the questions of a kind that were sent to the documents; None without such."""
    sent = [strategy is RAG for each, strategy in zip(kinds, chosen, strict=True) if each == kind]
    return sum(sent) / len(sent) if sent else None


def missing_at_recall(kinds: Sequence[str], rag: Column) -> float | None:
    """Share of the questions without their document whose probability for RAG reaches what HIT_RECALL of those with
    it reach; None without such."""
    each = np.array(kinds)
    hits, misses = rag[each == HIT], rag[each == MISS]
    if not len(hits) or not len(misses):
        return None
    return float((misses >= np.quantile(hits, 1 - HIT_RECALL)).mean())


def calibration_error(p: Column, y: Column) -> float:
    """Expected calibration error, in bins of equal mass (Nguyen and O'Connor 2015)."""
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    return float(sum(abs(p[part].mean() - y[part].mean()) * len(part) for part in parts) / len(p))


def gap_closed(wanted: Sequence[StrategyName], chosen: Sequence[StrategyName]) -> float:
    """Share of the gap from always the commonest strategy to always the right one."""
    best = max(wanted.count(name) for name in set(wanted)) / len(wanted)
    hits = sum(one is other for one, other in zip(wanted, chosen, strict=True)) / len(wanted)
    return (hits - best) / (1 - best) if best < 1 else 0.0


def scores(
    wanted: Sequence[StrategyName],
    chosen: Sequence[StrategyName],
    kinds: Sequence[str],
    probabilities: NDArray[np.float64] | None = None,
) -> dict[str, float | None]:
    """All of them, rounded. `probabilities`: questions × strategies, in the order of StrategyName."""
    found: dict[str, float | None] = {
        "accuracy": sum(one is other for one, other in zip(wanted, chosen, strict=True)) / len(wanted),
        "macro_f1": macro_f1(wanted, chosen),
        "missing_document_to_rag": sent_to_rag(kinds, chosen, MISS),
        "hit_recall": sent_to_rag(kinds, chosen, HIT),
        "gap_closed": gap_closed(list(wanted), chosen),
    }
    if probabilities is not None:
        names = list(StrategyName)
        each = [
            calibration_error(probabilities[:, column], np.array([w is name for w in wanted], float))
            for column, name in enumerate(names)
        ]
        taken = probabilities[np.arange(len(chosen)), [names.index(c) for c in chosen]]
        right = np.array([one is other for one, other in zip(wanted, chosen, strict=True)], float)
        found |= {
            "missing_at_hit_recall_85": missing_at_recall(kinds, probabilities[:, names.index(RAG)]),
            "calibration_error": float(np.mean(each)),
            "calibration_error_of_the_taken": calibration_error(taken, right),
        }
    return {name: None if value is None else round(value, 4) for name, value in found.items()}


def mean_scores(found: Sequence[dict[str, float | None]]) -> dict[str, float | None]:
    """The mean of each; None where none is known."""
    means: dict[str, float | None] = {}
    for name in found[0]:
        known = [value for one in found if (value := one[name]) is not None]
        means[name] = round(float(np.mean(known)), 4) if known else None
    return means
