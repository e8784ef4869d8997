"""What a Prometheus server reads: the calls of this process as they end, and how budgets and jobs stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.domain import Price, Usage

if TYPE_CHECKING:
    from bot.costs.budgets import Standing
    from bot.costs.ledger import Call


SECONDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128)
"""Upper bounds of the histogram of a call's seconds."""
_CALL = ("provider", "model", "purpose")
_KINDS = {
    "prompt_tokens": "input",
    "completion_tokens": "output",
    "cached_tokens": "cached",
    "cache_written_tokens": "cache_written",
    "reasoning_tokens": "reasoning",
}


class Metrics:
    """Counters of one process, which begin at nothing when it starts. The exact amounts stand in the ledger: these are
    floats, for graphs and alarms. No label names a person, a channel or a question.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._calls = self._counter("calls", "Model calls that ended.", *_CALL, "outcome")
        self._dollars = self._counter("dollars", "US dollars of the calls whose price is known.", *_CALL)
        self._unpriced = self._counter(
            "calls_unpriced", "Calls that may have cost something that nobody knows.", *_CALL
        )
        self._tokens = self._counter(
            "tokens", "Tokens; cached, cache_written and reasoning ones are parts of the others.", *_CALL, "kind"
        )
        self._under_way = self._gauge("calls_under_way", "Calls that have not ended yet.", *_CALL)
        self._seconds = Histogram(
            "switchboard_call_seconds", "How long calls took.", _CALL, registry=self._registry, buckets=SECONDS
        )
        of_budget = ("scope", "name", "period")
        self._budget = self._gauge("budget_dollars", "What may be spent.", *of_budget)
        self._spent = self._gauge("budget_spent_dollars", "What was spent of it in its running period.", *of_budget)
        self._held = self._gauge("budget_held_dollars", "What is held for calls under way.", *of_budget)
        self._waiting = self._gauge("inbox_waiting", "Events and commands that are kept and not worked off yet.")
        self._jobs = self._gauge("job_last_success_timestamp_seconds", "When each job last ended well.", "job")

    def began(self, call: Call) -> None:
        """A call goes out."""
        self._under_way.labels(*_labels(call)).inc()

    def ended(
        self, call: Call, *, outcome: str, seconds: float, usage: Usage | None, price: Price, unpriced: bool
    ) -> None:
        """It came to an end. `unpriced`: it may have cost something that nobody knows."""
        labels = _labels(call)
        self._under_way.labels(*labels).dec()
        self._calls.labels(*labels, outcome).inc()
        self._seconds.labels(*labels).observe(seconds)
        if price.amount is not None:
            self._dollars.labels(*labels).inc(float(price.amount))
        elif unpriced:
            self._unpriced.labels(*labels).inc()
        for name, kind in _KINDS.items():
            if usage is not None and (tokens := getattr(usage, name)):
                self._tokens.labels(*labels, kind).inc(tokens)

    def exposition(self, budgets: Iterable[Standing], waiting: int, jobs: dict[str, float]) -> bytes:
        """All of it in Prometheus's text format. `jobs`: for each the Unix time at which it last ended well.

        A person's budget is nobody else's business and is left out.
        """
        for gauge in (self._budget, self._spent, self._held, self._jobs):
            gauge.clear()
        for standing in budgets:
            budget = standing.budget
            if budget.scope != "person":
                labels = (budget.scope, budget.key, budget.period)
                self._budget.labels(*labels).set(float(budget.amount))
                self._spent.labels(*labels).set(float(standing.spent))
                self._held.labels(*labels).set(float(standing.held))
        self._waiting.set(waiting)
        for job, at in jobs.items():
            self._jobs.labels(job).set(at)
        return generate_latest(self._registry)

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"switchboard_{name}", says, labels, registry=self._registry)

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"switchboard_{name}", says, labels, registry=self._registry)


def _labels(call: Call) -> tuple[str, str, str]:
    return call.provider, call.model, call.purpose
