"""A fine-tuned model: the question as the model saw such questions when it was tuned."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain import Evidence, Prompt, Question, StrategyName, Turn
from bot.strategies.wording import MANNERS, Count, Room, messages


@dataclass(frozen=True, slots=True)
class FineTuned:
    """See `bot.strategies.base.Strategy`. `count` counts a text's tokens.

    Nothing is put beside the question: passages stacked on a tuned model made its answers worse (a tuned 7B model fell
    from .749 to .265 right answers).
    """

    count: Count
    name: StrategyName = StrategyName.FINE_TUNED

    def prompt(self, question: Question, evidence: Evidence, history: tuple[Turn, ...], *, budget: int) -> Prompt:
        """The question behind the thread."""
        room = Room.beside(MANNERS, question.text, budget=budget, count=self.count)
        _, kept = room.turns(history)
        return Prompt(strategy=self.name, question=question.text, messages=messages(MANNERS, kept, question))
