"""How far one question has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain import Choice, Citation, Evidence, Question
from bot.enclosing import Enclosed
from bot.gate import Tab
from bot.selection.data_rules import STAYS
from bot.selection.switches import Switched
from knowledge.documents import Passage


@dataclass(slots=True)
class Way:
    """One question on its way. `started`: by the monotonic clock, in seconds.

    `searched`: the words that were searched; `barred`: models that may not be asked from its place, by name with the
    rule that keeps each out; `switched`: the settings that hold for it. `failed_models`: those that are asked no more
    for it, `closed`: those that a budget turned away at the gate; `tries`: how often the last one was asked, and
    `stand_ins` how often another one had to step in. `told`: what happened on the way, as sentences in its order;
    `note`: what the person is told under the answer. `tab`: what all its calls came to. `given`: the evidence, where
    answers of several ways to the same evidence are compared; then no other model steps in. `purpose`: what the ledger
    calls its answer. `cited`: the passages that the citations name. `enclosed`: the files that came with it;
    `about_files`: what its asker is told of them; `about_secrets`: what they are told where their words held secrets,
    "" where they held none. `examples`: ids of the examples that were in the prompt of its answer.
    """

    question: Question
    started: float
    searched: str = ""
    barred: Mapping[str, str] = field(default_factory=dict)
    switched: Switched | None = None
    choice: Choice | None = None
    tab: Tab = field(default_factory=Tab)
    text: list[str] = field(default_factory=list)
    citations: tuple[Citation, ...] = ()
    cited: tuple[Passage, ...] = ()
    failed_models: list[str] = field(default_factory=list)
    tries: int = 1
    stand_ins: int = 0
    told: list[str] = field(default_factory=list)
    note: str = ""
    closed: set[str] = field(default_factory=set)
    is_done: bool = False
    given: Evidence | None = None
    enclosed: Enclosed | None = None
    about_files: tuple[str, ...] = ()
    about_secrets: str = ""
    examples: tuple[str, ...] = ()
    purpose: str = "answer"

    @property
    def asked_plainly(self) -> bool:
        """Whether there is nothing but the question: no files, no evidence from elsewhere."""
        return self.given is None and self.enclosed is None

    @property
    def staying(self) -> list[str]:
        """The models that are barred because the question may not leave this machine."""
        return [name for name, why in self.barred.items() if why == STAYS]

    @property
    def shown(self) -> str:
        """The answer so far, as it was streamed."""
        return "".join(self.text)
