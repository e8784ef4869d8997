"""How money and time are weighed against quality, in three words that a person can choose between."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

POINT = Decimal("0.01")
"""One point of quality, which runs from 0 to 1."""


class Value(StrEnum):
    """What an answer may cost for being better. The utility of an option is quality − λ · dollars − μ · seconds."""

    FRUGAL = "frugal"
    BALANCED = "balanced"
    BEST = "best"

    @property
    def cost_weight(self) -> float:
        """λ: the quality that one US dollar has to buy."""
        return _COST_WEIGHTS[self]

    @property
    def latency_weight(self) -> float:
        """μ: the quality that one second has to buy."""
        return _LATENCY_WEIGHTS[self]

    @property
    def point_worth(self) -> Decimal:
        """US dollars that one point (0.01) of quality may cost: 0.01 / λ."""
        return POINT / Decimal(str(self.cost_weight))

    @property
    def point_seconds(self) -> float:
        """Seconds that one point (0.01) of quality may take: 0.01 / μ."""
        return float(POINT) / self.latency_weight


_COST_WEIGHTS = {Value.FRUGAL: 25.0, Value.BALANCED: 5.0, Value.BEST: 1.0}
_LATENCY_WEIGHTS = {Value.FRUGAL: 0.005, Value.BALANCED: 0.005, Value.BEST: 0.001}
