"""What an answer depends on beside the question, as digests: where two are equal, answers can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from bot.domain import Evidence, Example, StrategyName
from bot.evaluation.golden import asked
from bot.evaluation.judge import SYSTEM as JUDGING
from bot.selection.estimates import WEIGHTS
from bot.strategies.base import Strategy
from knowledge.documents import Passage

_PASSAGE = Passage(
    chunk_id="1",
    document_id="1",
    source="probe",
    title="Title",
    heading=("Heading",),
    text="Text.",
    url=None,
    updated=None,
    score=1.0,
    similarity=1.0,
    lexical=1.0,
)
_EXAMPLE = Example(id="1", question="Question?", answer="Answer.", readers=frozenset({"everyone"}), similarity=1.0)
EVERYTHING = Evidence(passages=(_PASSAGE,), examples=(_EXAMPLE,))
"""Evidence of every kind, made up."""
_ROOM = 100_000


def prompts_version(strategies: Mapping[StrategyName, Strategy]) -> str:
    """A digest of the words that the strategies and the judge put around a question: of what they make of one probe."""
    question = asked("Probe?")
    total = hashlib.sha256(JUDGING.encode())
    for name in sorted(strategies):
        for message in strategies[name].prompt(question, EVERYTHING, (), budget=_ROOM).messages:
            total.update(f"\0{name}\0{message.role}\0{message.content}".encode())
    return total.hexdigest()[:16]


def estimates_version() -> str:
    """A digest of the weights that the selector's estimates ship with."""
    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()[:16]
