"""The port of a strategy: a pure function from a question and its evidence to a prompt."""

from __future__ import annotations

from typing import Protocol

from bot.domain import Evidence, Prompt, Question, StrategyName, Turn


class Strategy(Protocol):
    """Turns a question and its evidence into a prompt that fits a token budget."""

    @property
    def name(self) -> StrategyName:
        """Which of the four it is."""
        ...

    def prompt(self, question: Question, evidence: Evidence, history: tuple[Turn, ...], *, budget: int) -> Prompt:
        """A prompt of at most `budget` tokens; what does not fit is left out, weakest first."""
        ...
