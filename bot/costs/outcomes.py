"""How a model call may end, as the ledger words it; every other end is a ModelError's kind."""

from __future__ import annotations

OPEN = "open"
LOST = "lost"
GOOD = frozenset({"answered", "stopped", "nothing_found"})
UNBILLED = frozenset({"unauthorized", "not_found", "rate_limited", "context_too_long", "over_budget"})
"""Outcomes of calls that were turned down before a server worked for them: their missing price hides no cost."""
