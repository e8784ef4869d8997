"""How far one question has come."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.domain import Choice, Citation, Evidence, Question
from bot.gate import Tab


@dataclass(slots=True)
class Way:
    """One question on its way. `started`: by the monotonic clock, in seconds.

    `searched`: the words that were searched; `barred`: names of models that may not be asked from its place.
    `failed_models`: those that are asked no more for it; `tries`: how often the last one was, and `stand_ins` how often
    another one had to step in. `told`: what happened on the way, as sentences in its order; `note`: what the person is
    told under the answer. `tab`: what all its calls came to. `given`: the evidence, where answers of several ways to
    the same evidence are compared; then no other model steps in. `purpose`: what the ledger calls its answer.
    """

    question: Question
    started: float
    searched: str = ""
    barred: frozenset[str] = frozenset()
    choice: Choice | None = None
    tab: Tab = field(default_factory=Tab)
    text: list[str] = field(default_factory=list)
    citations: tuple[Citation, ...] = ()
    failed_models: list[str] = field(default_factory=list)
    tries: int = 1
    stand_ins: int = 0
    told: list[str] = field(default_factory=list)
    note: str = ""
    is_done: bool = False
    given: Evidence | None = None
    purpose: str = "answer"

    @property
    def shown(self) -> str:
        """The answer so far, as it was streamed."""
        return "".join(self.text)
