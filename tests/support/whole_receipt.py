"""A receipt with everything that one can hold, for what shows receipts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bot.domain import Choice, Citation, Option, Price, Receipt, StrategyName, Usage, Versions

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


def option(strategy: StrategyName, model: str, quality: float, **fields: Any) -> Option:
    """An option that can be taken, with ranges; `fields` change what it has."""
    base = Option(
        strategy=strategy,
        model=model,
        quality=quality,
        cost=Decimal("0.000412"),
        latency=2.1,
        utility=quality - 0.012,
        quality_range=(quality - 0.09, quality + 0.08),
        cost_range=(Decimal("0.0003"), Decimal("0.0006")),
        latency_range=(1.4, 3.0),
    )
    return replace(base, **fields)


def whole_receipt(question_id: str = "a1b2c3d4e5f6", **fields: Any) -> Receipt:
    """A receipt of an answer by knowledge search; `fields` change what it has."""
    taken = option(StrategyName.RAG, "small-model", 0.71)
    second = option(StrategyName.RAG, "large-model", 0.74, cost=Decimal("0.0214"), cost_range=None, utility=0.62)
    third = option(StrategyName.ZERO_SHOT, "small-model", 0.31)
    unknown = option(StrategyName.FEW_SHOT, "small-model", 0.3, cost=None, cost_range=None, utility=0.25)
    refused = [
        option(StrategyName.FINE_TUNED, name, 0.0, available=False, reason=f"“{name}” is not fine-tuned.", utility=-1.0)
        for name in ("small-model", "large-model")
    ]
    base = Receipt(
        question_id=question_id,
        choice=Choice(
            option=taken,
            options=(taken, second, third, unknown, *refused),
            reasons=("The documents answer this closely: “Deploying › Rollback” (similarity 0.82).",),
            guards=("The budget of this channel leaves no room for “huge-model”.",),
            features={"passage_similarity": 0.82, "coverage": 0.95, "z_lead": float("nan"), "agreement": 0.5},
            propensity=0.9,
            policy="learned",
            value="frugal",
            point_worth=Decimal("0.0004"),
            versions=Versions(estimates="shipped-3", prices="2026-05-01", index="minilm-7"),
        ),
        citations=(
            Citation(
                number=1,
                title="Deploying",
                url="https://docs.example/deploying.md",
                source="docs",
                updated=NOW,
                quote="",
            ),
        ),
        usage=Usage(prompt_tokens=1200, completion_tokens=80),
        price=Price(amount=Decimal("0.000437"), version="2026-05-01"),
        seconds=2.4,
        outcome="answered",
        created_at=NOW,
    )
    return replace(base, **fields)
