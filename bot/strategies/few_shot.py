"""Few-shot examples: how the team answered questions like this one."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain import Evidence, Prompt, Question, StrategyName, Turn
from bot.strategies.wording import MANNERS, Count, Room, fenced_example, messages

SYSTEM = (
    f"{MANNERS} The question comes with examples: questions that people of the team asked and answers that they "
    "reviewed. Answer in their way, and where an example answers the question, give its answer. Do not mention "
    "that there are examples."
)


@dataclass(frozen=True, slots=True)
class FewShot:
    """See `bot.strategies.base.Strategy`. `count` counts a text's tokens."""

    count: Count
    name: StrategyName = StrategyName.FEW_SHOT

    def prompt(self, question: Question, evidence: Evidence, history: tuple[Turn, ...], *, budget: int) -> Prompt:
        """The nearest examples that fit, then the question."""
        asked = f"<examples>\n\n</examples>\n\nQuestion: {question.text}"
        room = Room.beside(SYSTEM, asked, budget=budget, count=self.count)
        room, kept = room.turns(history, share=0.5)
        texts = [fenced_example(example) for example in evidence.examples]
        fit = room.fitting(texts)
        # The nearest stands next to the question, where models heed it most.
        shown = "\n".join(reversed(texts[:fit]))
        asked = f"<examples>\n{shown}\n</examples>\n\nQuestion: {question.text}"
        return Prompt(
            strategy=self.name,
            question=question.text,
            messages=messages(SYSTEM, kept, question, asked),
            examples=evidence.examples[:fit],
        )
