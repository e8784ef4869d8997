"""What a Prometheus server reads: what this process did, and how its queue, budgets, jobs and indexes stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.registry import Collector

from bot.domain import Price, Usage

if TYPE_CHECKING:
    from bot.costs.budgets import Standing
    from bot.costs.calls import Call


SECONDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128)
"""Upper bounds of the histograms of what a person waits for."""
LATE = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5)
"""Upper bounds of the histogram of the loop's lateness."""
INDEXES = ("vector index", "lexical index")
_CALL = ("provider", "model", "purpose")
_KINDS = {
    "prompt_tokens": "input",
    "completion_tokens": "output",
    "cached_tokens": "cached",
    "cache_written_tokens": "cache_written",
    "reasoning_tokens": "reasoning",
}


@dataclass(frozen=True, slots=True)
class State:
    """How a core stands at the moment that is asked. `waiting`: events and commands not worked off yet; `oldest`: the
    age of the oldest in seconds; `jobs`: for each the Unix time at which it last ended well; `behind`: the indexes that
    are not what the database holds.
    """

    budgets: Iterable[Standing]
    waiting: int
    oldest: float
    jobs: dict[str, float]
    behind: Sequence[str]


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
        self._oldest = self._gauge("inbox_oldest_seconds", "How long the oldest of them has waited.")
        self._jobs = self._gauge("job_last_success_timestamp_seconds", "When each job last ended well.", "job")
        self._runs = self._counter("job_runs", "Runs of jobs that ended here.", "job", "outcome")
        self._behind = self._gauge("index_behind", "1 while an index is not what the database holds.", "index")
        self._questions = self._counter("questions", "Questions that ended.", "outcome", "strategy")
        self._first = self._histogram("question_first_word_seconds", "From a question to its answer's first word.")
        self._whole = self._histogram("question_seconds", "From a question to the end of its answer.")
        self._slack = self._counter("slack_calls", "Calls of Slack's Web API.", "method", "outcome")
        self._limited = self._counter("slack_rate_limited", "Times that Slack answered 429.", "method")
        self._late = self._histogram("loop_late_seconds", "How late the loop came to what was due.", LATE)

    def question_ended(self, *, outcome: str, strategy: str, first: float | None, seconds: float) -> None:
        """A question came to its end, `first` seconds after which its answer's first word was there."""
        self._questions.labels(outcome, strategy).inc()
        self._whole.observe(seconds)
        if first is not None:
            self._first.observe(first)

    def slack_answered(self, method: str, outcome: str) -> None:
        """A call of Slack's Web API ended: "ok", "refused" or "unreachable"."""
        self._slack.labels(method, outcome).inc()

    def slack_limited(self, method: str) -> None:
        """Slack asked to wait before this method is called again."""
        self._limited.labels(method).inc()

    def job_ended(self, job: str, outcome: str) -> None:
        """A job's run ended: "done" or "failed"."""
        self._runs.labels(job, outcome).inc()

    def loop_was_late(self, seconds: float) -> None:
        """The loop came to what was due so much later."""
        self._late.observe(seconds)

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

    def exposition(self, states: Sequence[State]) -> bytes:
        """All of it in Prometheus's text format, with how the cores stand now.

        A person's budget is nobody else's business and is left out.
        """
        self._stand(states)
        return generate_latest(self._registry)

    def families(self, states: Sequence[State]) -> list[Metric]:
        """The same, for `together`."""
        self._stand(states)
        return list(self._registry.collect())

    def _stand(self, states: Sequence[State]) -> None:
        for gauge in (self._budget, self._spent, self._held, self._jobs):
            gauge.clear()
        for state in states:
            for standing in state.budgets:
                self._tell_budget(standing)
            for job, at in state.jobs.items():
                self._jobs.labels(job).set(at)
        self._waiting.set(sum(state.waiting for state in states))
        self._oldest.set(max((state.oldest for state in states), default=0))
        for index in INDEXES:
            self._behind.labels(index.removesuffix(" index")).set(any(index in state.behind for state in states))

    def _tell_budget(self, standing: Standing) -> None:
        budget = standing.budget
        if budget.scope != "person":
            labels = (budget.scope, budget.key, budget.period)
            self._budget.labels(*labels).set(float(budget.amount))
            self._spent.labels(*labels).set(float(standing.spent))
            self._held.labels(*labels).set(float(standing.held))

    def _histogram(self, name: str, says: str, buckets: Sequence[float] = SECONDS) -> Histogram:
        return Histogram(f"switchboard_{name}", says, registry=self._registry, buckets=buckets)

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"switchboard_{name}", says, labels, registry=self._registry)

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"switchboard_{name}", says, labels, registry=self._registry)


def _labels(call: Call) -> tuple[str, str, str]:
    return call.provider, call.model, call.purpose


def together(parts: Mapping[str, Iterable[Metric]]) -> bytes:
    """What several processes' worth of counters in one process tell, each sample with the label `workspace`."""
    registry = CollectorRegistry()
    registry.register(_Together(parts))
    return generate_latest(registry)


class _Together(Collector):
    def __init__(self, parts: Mapping[str, Iterable[Metric]]) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        """Each family once, as Prometheus wants it."""
        found: dict[str, Metric] = {}
        for workspace, families in self._parts.items():
            for family in families:
                one = found.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                one.samples += [
                    sample._replace(labels={**sample.labels, "workspace": workspace}) for sample in family.samples
                ]
        yield from found.values()
