"""A saving that a replay proves, as a plain value."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Another model for the questions of a channel: `other` in place of `model`.

    `month`: US dollars that it saves in 30 days, as many questions as in the last 28. `gain`, `low` and `high`: by how
    much quality (−1 to 1) differs, with its range; `questions`: on how many that both answered. `source`: where these
    come from, "shadow runs" or the name of an evaluation.
    """

    channel: str
    model: str
    other: str
    month: Decimal
    gain: float
    low: float
    high: float
    questions: int
    source: str

    @property
    def sentence(self) -> str:
        """What a pin says that was set for it."""
        return f"accepted saving of about ${self.month:,.2f} a month over {self.model}"
