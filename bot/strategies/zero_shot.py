"""Plain prompting: the question, the thread, and the model's own knowledge."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain import Evidence, Prompt, Question, StrategyName, Turn
from bot.strategies.wording import MANNERS, Count, Room, messages

SYSTEM = (
    f"{MANNERS} You have no documents of the team for this question, so do not claim to know its own facts and "
    "do not name sources."
)


@dataclass(frozen=True, slots=True)
class ZeroShot:
    """See `bot.strategies.base.Strategy`. `count` counts a text's tokens."""

    count: Count
    name: StrategyName = StrategyName.ZERO_SHOT

    def prompt(self, question: Question, evidence: Evidence, history: tuple[Turn, ...], *, budget: int) -> Prompt:
        """The question behind the thread."""
        room = Room.beside(SYSTEM, question.text, budget=budget, count=self.count)
        _, kept = room.turns(history)
        return Prompt(strategy=self.name, question=question.text, messages=messages(SYSTEM, kept, question))
