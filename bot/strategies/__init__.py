"""The four ways to turn a question and its evidence into a prompt: pure functions of both."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain import StrategyName
from bot.models.tokens import count_tokens
from bot.strategies.base import Strategy
from bot.strategies.few_shot import FewShot
from bot.strategies.fine_tuned import FineTuned
from bot.strategies.rag import Rag
from bot.strategies.wording import Count
from bot.strategies.zero_shot import ZeroShot


def strategies(count: Count) -> Mapping[StrategyName, Strategy]:
    """All four, with a way to count a text's tokens."""
    made: tuple[Strategy, ...] = (ZeroShot(count), FewShot(count), Rag(count), FineTuned(count))
    return {strategy.name: strategy for strategy in made}


def _count(text: str) -> int:
    # The newest encoding stands for all: budgets leave more room than the encodings differ by.
    return count_tokens(text, "").tokens


STRATEGIES = strategies(_count)
