"""What a model is sent: a strategy's prompt, cut to the model's window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.conversations import cut
from bot.domain import Evidence, Prompt, Question, StrategyName
from bot.errors import UnusableQuestion
from bot.models.cards import ModelCard
from bot.models.tokens import MOST_IMAGE_TOKENS, count_tokens
from bot.strategies.base import Strategy

SPARE_TOKENS = 200
"""Left free in the context window: tokenizers of unknown models count a little differently."""


class Prompting:
    """`answer_tokens`: the longest answer; `history_tokens`: how much of the thread is remembered; `links`: domains
    whose addresses may be links in answers."""

    def __init__(
        self,
        strategies: Mapping[StrategyName, Strategy],
        *,
        answer_tokens: int,
        history_tokens: int,
        links: Sequence[str] = (),
    ) -> None:
        self.answer_tokens = answer_tokens
        self._strategies = strategies
        self._links = tuple(links)
        self.history_tokens = history_tokens

    def prompt(self, question: Question, evidence: Evidence, strategy: StrategyName, card: ModelCard) -> Prompt:
        """The prompt for one model. Raises UnusableQuestion where the question is too long for it."""
        history = cut(question.history, self.history_tokens, lambda text: count_tokens(text, card.model_id).tokens)
        answer = min(self.answer_tokens + card.thinking_tokens, card.max_output)
        budget = card.context_window - answer - SPARE_TOKENS
        budget -= MOST_IMAGE_TOKENS * len(question.images)
        prompt = self._strategies[strategy].prompt(question, evidence, history, budget=budget)
        prompt = replace(prompt, links=self._links)
        if not question.images:
            return prompt
        *before, last = prompt.messages
        return replace(prompt, messages=(*before, replace(last, images=question.images)))

    def fits(self, question: Question, evidence: Evidence, strategy: StrategyName, card: ModelCard) -> bool:
        """Whether the model can read the question, and any of what was found for it."""
        try:
            return not is_crowded(self.prompt(question, evidence, strategy, card), evidence)
        except UnusableQuestion:
            return False


def is_crowded(prompt: Prompt, evidence: Evidence) -> bool:
    """Whether nothing of what was found had room in the prompt."""
    if prompt.strategy is StrategyName.RAG:
        return bool(evidence.passages) and not prompt.passages
    return prompt.strategy is StrategyName.FEW_SHOT and bool(evidence.examples) and not prompt.examples
