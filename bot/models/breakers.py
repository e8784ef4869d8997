"""Circuit breakers: a model that fails again and again is left alone for a while, and so is a server that is down.

The circuit breaker of M. Nygard, "Release It!" (2007), over a sliding window of calls: closed while calls go well, open
once too many of the last ones went wrong, half-open after a pause, when one call tries whether it is better.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

import structlog

from bot.models.cards import ModelCard

log = structlog.get_logger("bot.models.breakers")

WINDOW_CALLS = 10
WINDOW_SECONDS = 600.0
"""The calls that count: the last ten of the last ten minutes."""
LEAST_CALLS = 5
"""Fewer calls say nothing."""
SHARE = 0.5
"""From this share of bad calls on a breaker opens."""
SLOW_SECONDS = 20.0
"""A hosted model whose first text takes longer was slow, unless it thinks first. One on this machine or in this
network is as slow as it is."""
PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 900.0
"""How long a breaker stays open: doubled each time that the model is tried again in vain."""
PROBE_SECONDS = 240.0
"""A probe of which nothing was heard for so long is given up; no call takes longer."""

FAULTS = frozenset({"rate_limited", "unavailable", "timed_out", "unusable"})
"""What counts against a model, as kinds of ModelError. A wrong key, an unknown name and a prompt that is too long do
not: no pause mends them."""
_OF_THE_SERVER = frozenset({"unavailable", "timed_out"})

Outcome = Literal["well", "slow", "failed"]


@dataclass(frozen=True, slots=True)
class _Call:
    at: float
    model: str
    outcome: Outcome


@dataclass(slots=True)
class _Breaker:
    """One breaker. `until`: when an open one may be tried again, None while it is closed.

    It opens where at least `share` of the calls were bad, of at least `least_models` models.
    """

    name: str
    share: float = SHARE
    least_models: int = 1
    calls: deque[_Call] = field(default_factory=lambda: deque(maxlen=WINDOW_CALLS))
    until: float | None = None
    pause: float = PAUSE_SECONDS
    probed_at: float | None = None
    why: str = ""

    def admits(self, now: float) -> bool:
        """Whether a call may go out: always while closed, and one at a time once an open one's pause is over."""
        if self.until is None:
            return True
        return now >= self.until and not self._is_probed(now)

    def claim(self, now: float) -> None:
        """A call goes out; the first after the pause is the probe."""
        if self.until is not None and now >= self.until and not self._is_probed(now):
            self.probed_at = now
            log.info("breaker_half_open", of=self.name)

    def release(self) -> None:
        """The probe said nothing about the model."""
        self.probed_at = None

    def note(self, call: _Call, now: float) -> None:
        """What became of a call."""
        self.calls.append(call)
        if self.until is None:
            self.open_where_due(now)
        elif now >= self.until:
            self.probed_at = None
            if call.outcome == "well":
                self._close()
            else:
                self._open(now, min(self.pause * 2, LONGEST_PAUSE_SECONDS))

    def _is_probed(self, now: float) -> bool:
        return self.probed_at is not None and now - self.probed_at < PROBE_SECONDS

    def open_where_due(self, now: float) -> None:
        """Opens where too many of the calls in the window were bad, and the newest was."""
        while self.calls and now - self.calls[0].at > WINDOW_SECONDS:
            self.calls.popleft()
        bad = [call for call in self.calls if call.outcome != "well"]
        if len(self.calls) < LEAST_CALLS or self.calls[-1].outcome == "well":
            return
        if len(bad) >= self.share * len(self.calls) and len({call.model for call in bad}) >= self.least_models:
            self._open(now, PAUSE_SECONDS)

    def _open(self, now: float, pause: float) -> None:
        self.pause, self.until = pause, now + pause
        self.why = _why(self.calls, "its" if self.least_models == 1 else "their")
        log.warning("breaker_opened", of=self.name, why=self.why, seconds=pause)

    def _close(self) -> None:
        self.until, self.pause, self.why = None, PAUSE_SECONDS, ""
        self.calls.clear()
        log.info("breaker_closed", of=self.name)


class Breakers:
    """One breaker for each model and for each provider, in the memory of this process.

    A provider's opens where all the last calls failed for what looks like their server's fault, of two models at least.
    `clock` and
    `zone` only word the time at which a model is tried again; what is measured is measured by `monotonic`, in seconds.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        zone: tzinfo = UTC,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._zone = zone
        self.monotonic = monotonic
        self._models: dict[str, _Breaker] = {}
        self._providers: dict[str, _Breaker] = {}

    def note(self, provider: str, model: str, outcome: str, *, slow: bool = False) -> None:
        """What became of a try that ends now: "answered" or the `kind` of a ModelError.

        `slow`: whether its first text took too long. What is not the model's fault ends a probe and counts for nothing.
        """
        now = self.monotonic()
        calls = _calls(now, model, outcome, slow=slow)
        for breaker, call in zip((self._model(model), self._provider(provider)), calls, strict=True):
            if call is None:
                breaker.release()
            else:
                breaker.note(call, now)

    def overtaken(self, card: ModelCard) -> None:
        """The model was stopped because another one, asked later, spoke first: it began too late."""
        self.note(card.provider, card.name, "answered", slow=True)

    def recall(self, tries: Iterable[tuple[str, str, str, datetime]]) -> None:
        """Takes in what a process before this one tried: provider, model, outcome and start, oldest first."""
        now, today = self.monotonic(), self._clock()
        for provider, model, outcome, started_at in tries:
            ago = (today - started_at).total_seconds()
            calls = _calls(now - ago, model, outcome) if 0 <= ago <= WINDOW_SECONDS else (None, None)
            for breaker, call in zip((self._model(model), self._provider(provider)), calls, strict=True):
                if call is not None:
                    breaker.calls.append(call)
        for breaker in (*self._models.values(), *self._providers.values()):
            breaker.open_where_due(now)

    def claim(self, card: ModelCard) -> bool:
        """Whether the model may be asked now; where its breaker is half-open, who asks first has the only try."""
        now = self.monotonic()
        both = self._model(card.name), self._provider(card.provider)
        if not all(breaker.admits(now) for breaker in both):
            return False
        for breaker in both:
            breaker.claim(now)
        return True

    def broken(self, cards: Iterable[ModelCard]) -> dict[str, str]:
        """Those of the models that may not be asked now, by name: why, and when they are tried again."""
        now, found = self.monotonic(), {}
        for card in cards:
            of_model, of_provider = self._models.get(card.name), self._providers.get(card.provider)
            if of_provider is not None and not of_provider.admits(now):
                found[card.name] = f"The models of “{card.provider}” {of_provider.why}; {self._when(of_provider, now)}."
            elif of_model is not None and not of_model.admits(now):
                found[card.name] = f"“{card.name}” {of_model.why}; {self._when(of_model, now)}."
        return found

    def _when(self, breaker: _Breaker, now: float) -> str:
        assert breaker.until is not None
        it = "it is" if breaker.least_models == 1 else "they are"
        if now >= breaker.until:
            return f"{it} being tried again just now"
        at = (self._clock() + timedelta(seconds=breaker.until - now)).astimezone(self._zone)
        return f"{it} tried again at {at:%H:%M}"

    def _model(self, name: str) -> _Breaker:
        return self._models.setdefault(name, _Breaker(f"model {name}"))

    def _provider(self, name: str) -> _Breaker:
        return self._providers.setdefault(name, _Breaker(f"provider {name}", share=1.0, least_models=2))


def _calls(at: float, model: str, outcome: str, *, slow: bool = False) -> tuple[_Call | None, _Call | None]:
    """The same try as it counts for the model and for its provider; None where it counts for nothing."""
    if outcome == "answered":
        return _Call(at, model, "slow" if slow else "well"), _Call(at, model, "well")
    failed = _Call(at, model, "failed")
    return failed if outcome in FAULTS else None, failed if outcome in _OF_THE_SERVER else None


def _why(calls: Iterable[_Call], whose: str) -> str:
    outcomes = [call.outcome for call in calls]
    failed, slow = outcomes.count("failed"), outcomes.count("slow")
    last = f"of {whose} last {len(outcomes)} calls"
    late = f"began too late in {slow} {last}"
    if not slow:
        return f"failed {failed} {last}"
    return f"failed {failed} and {late}" if failed else late
