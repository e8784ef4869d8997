"""The words that the strategies share: what every model is told, and the fences around what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.conversations import cut
from bot.domain import Example, Message, Question, Turn
from bot.errors import UnusableQuestion
from bot.strategies.material import RULE, fenced, one_line, thread
from knowledge.documents import Passage

Count = Callable[[str], int]

MANNERS = (
    "You are Switchboard, the assistant of a team, and answer in their chat. Answer briefly and exactly, in the "
    f"language of the question. Say plainly when you do not know. Write Markdown without links. {RULE}"
)
# What servers add around each message (OpenAI cookbook, "How to count tokens with tiktoken"), rounded up.
MESSAGE_TOKENS = 5
FENCE_TOKENS = 8
"""What a pair of tags around a message of somebody else takes at most."""


@dataclass(frozen=True, slots=True)
class Room:
    """The tokens of a prompt that are not spoken for yet."""

    left: int
    count: Count

    @classmethod
    def beside(cls, system: str, question: str, *, budget: int, count: Count) -> Room:
        """What is left of `budget` beside the system's words and the question. Raises UnusableQuestion."""
        left = budget - count(system) - count(question) - 2 * MESSAGE_TOKENS
        if left < 0:
            raise UnusableQuestion("This question is too long for the model. Please shorten it or ask about a part.")
        return cls(left, count)

    def turns(self, history: Sequence[Turn], share: float = 1.0) -> tuple[Room, tuple[Turn, ...]]:
        """The newest turns that fit into a share of the room, and the room without them."""
        kept = cut(history, int(self.left * share), self._turn)
        return Room(self.left - sum(self._turn(turn.text) for turn in kept), self.count), kept

    def fitting(self, texts: Iterable[str]) -> int:
        """How many of the texts, from the first on, fit together."""
        left, fit = self.left, 0
        for text in texts:
            left -= self.count(text) + 1
            if left < 0:
                break
            fit += 1
        return fit

    def _turn(self, text: str) -> int:
        return self.count(text) + MESSAGE_TOKENS + FENCE_TOKENS


def messages(system: str, history: Sequence[Turn], question: Question, asked: str = "") -> tuple[Message, ...]:
    """The system's words, the thread, the question; `asked`: the question with its evidence, where there is any."""
    said = thread(history, question.asker)
    return (Message("system", system), *said, Message("user", asked or question.text))


def trail(passage: Passage) -> str:
    """The document's title and the headings down to the passage, each once."""
    parts = dict.fromkeys(part for part in (passage.title, *passage.heading) if part)
    return " › ".join(parts)


def fenced_passage(number: int, passage: Passage) -> str:
    """A passage as the model sees it. Its text cannot close the fence."""
    updated = f", updated {passage.updated:%Y-%m-%d}" if passage.updated else ""
    return fenced("passage", f"[{number}] {one_line(trail(passage))}{updated}\n{passage.text}")


def fenced_example(example: Example) -> str:
    """An example as the model sees it."""
    return fenced("example", f"Question: {example.question}\nAnswer: {example.answer}")
