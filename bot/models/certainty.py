"""How unsure a model was of its own words, by the probabilities that it gave their tokens.

u = 1 − exp(mean of the tokens' log-probabilities) = 1 − 1 / perplexity: the length-normalised likelihood of A. Malinin
and M. Gales, "Uncertainty Estimation in Autoregressive Structured Prediction", ICLR 2021, turned so that 0 is certain
and 1 means that every token was a surprise. A model that is sure of what is wrong is not seen through by it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

FLOOR = -20.0
"""No token counts as less likely than e^−20: servers write −9999 for what they did not reckon."""


def usable(logprob: object) -> float | None:
    """A natural log-probability as it can be counted with; None for what is none."""
    if isinstance(logprob, bool) or not isinstance(logprob, int | float) or not math.isfinite(logprob):
        return None
    return min(0.0, max(FLOOR, float(logprob)))


def uncertainty(logprobs: Iterable[float]) -> float | None:
    """From the natural log-probabilities of an answer's tokens: 0 (certain) to 1; None where there are none."""
    known = list(logprobs)
    return 1.0 - math.exp(sum(known) / len(known)) if known else None
