"""Few-shot examples: how the team answered questions like this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from bot.domain import Evidence, Example, Prompt, Question, StrategyName, Turn
from bot.strategies.wording import MANNERS, Count, Room, fenced_example, messages

SYSTEM = (
    f"{MANNERS} The question comes with examples: questions that people of the team asked and answers that they "
    "reviewed. Answer in their way, and where an example answers the question, give its answer. Do not mention "
    "that there are examples."
)

_LEAST = 0.01
"""What an example is worth that is unlike the question: a little, where there is room."""


@dataclass(frozen=True, slots=True)
class FewShot:
    """See `bot.strategies.base.Strategy`. `count` counts a text's tokens."""

    count: Count
    name: StrategyName = StrategyName.FEW_SHOT

    def prompt(self, question: Question, evidence: Evidence, history: tuple[Turn, ...], *, budget: int) -> Prompt:
        """The examples that together are worth most and fit, then the question."""
        asked = f"<examples>\n\n</examples>\n\nQuestion: {question.text}"
        room = Room.beside(SYSTEM, asked, budget=budget, count=self.count)
        room, kept = room.turns(history, share=0.5)
        texts = [fenced_example(example) for example in evidence.examples]
        sizes = [self.count(text) + 1 for text in texts]
        fit = best_set([_worth(example) for example in evidence.examples], sizes, room.left)
        # The best stands next to the question, where models heed it most.
        shown = "\n".join(texts[place] for place in reversed(fit))
        asked = f"<examples>\n{shown}\n</examples>\n\nQuestion: {question.text}"
        return Prompt(
            strategy=self.name,
            question=question.text,
            messages=messages(SYSTEM, kept, question, asked),
            examples=tuple(evidence.examples[place] for place in fit),
        )


def best_set(worth: Sequence[float], sizes: Sequence[int], room: int) -> list[int]:
    """The places of those that are worth most together and fit into the room, in their order: of sets that are worth
    the same, the one with the earlier places. All sets are compared, so it is for a few."""
    best: tuple[int, ...] = ()
    most = 0.0
    for number in range(1, len(sizes) + 1):
        for some in combinations(range(len(sizes)), number):
            value = sum(worth[place] for place in some)
            if value > most and sum(sizes[place] for place in some) <= room:
                best, most = some, value
    return list(best)


def _worth(example: Example) -> float:
    return max(example.relevance, example.similarity, _LEAST)
