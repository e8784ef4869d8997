"""How well strategies were chosen."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain import StrategyName

RAG = StrategyName.RAG


def accuracy(wanted: Sequence[StrategyName], chosen: Sequence[StrategyName]) -> float:
    """Share of questions that went where they were made for."""
    return sum(one is other for one, other in zip(wanted, chosen, strict=True)) / len(wanted)


def macro_f1(wanted: Sequence[StrategyName], chosen: Sequence[StrategyName]) -> float:
    """Mean of the F1 of the strategies that any question was made for."""
    scores = []
    for strategy in sorted(set(wanted)):
        hits = sum(one is other is strategy for one, other in zip(wanted, chosen, strict=True))
        missed = sum(one is strategy for one in wanted) - hits
        wrong = sum(other is strategy for other in chosen) - hits
        scores.append(2 * hits / (2 * hits + missed + wrong) if hits else 0.0)
    return sum(scores) / len(scores)


def missing_to_rag(kinds: Sequence[str], chosen: Sequence[StrategyName]) -> float | None:
    """Share of the questions whose document is not there that were sent to the documents; None without such."""
    sent = [strategy is RAG for kind, strategy in zip(kinds, chosen, strict=True) if kind == "knowledge_miss"]
    return sum(sent) / len(sent) if sent else None


def scores(
    wanted: Sequence[StrategyName], chosen: Sequence[StrategyName], kinds: Sequence[str]
) -> dict[str, float | None]:
    """All three, rounded."""
    missing = missing_to_rag(kinds, chosen)
    return {
        "accuracy": round(accuracy(wanted, chosen), 4),
        "macro_f1": round(macro_f1(wanted, chosen), 4),
        "missing_document_to_rag": None if missing is None else round(missing, 4),
    }
