"""Follow-up questions made whole for the search: by a model where one costs little, else by rules."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import aclosing
from decimal import Decimal

import structlog

from bot.conversations import cut
from bot.costs.prices import PriceBook
from bot.domain import Message, Prompt, Question, StrategyName
from bot.errors import ModelError
from bot.gate import Gate, Tab
from bot.models.cards import ModelCard
from bot.models.registry import Models
from bot.models.tokens import estimate_tokens
from bot.selection import wording
from bot.selection.estimates import is_offline
from bot.strategies.material import RULE, thread

log = structlog.get_logger("bot.rewriting")

MOST_DOLLARS = Decimal("0.001")
"""What one rewriting may cost: a small part of an answer."""
SECONDS = 4.0
"""How long it may take; the asker waits for it."""
TOKENS = 100
"""The longest rewriting."""
USUAL_TOKENS = 40
HISTORY_TOKENS = 600
MOST_CHARACTERS = 400
INSTRUCTION = (
    "Write the last message of this conversation anew as one question that can be understood without the rest, for a "
    "search in documents. Keep its language and all names. Add nothing that was not said. Answer with that question "
    f"alone. {RULE}"
)


class Rewriter:
    """Says what is searched for a question. `chain`: names of the models to ask, in order; empty: the cheapest."""

    def __init__(self, gate: Gate, models: Models, prices: PriceBook, chain: Sequence[str] = ()) -> None:
        self._chain = chain
        self._gate = gate
        self._models = models
        self._prices = prices

    async def search_text(
        self, question: Question, pinned: str | None, tab: Tab, *, barred: Collection[str] = ()
    ) -> str:
        """The question's own words, or, where it leans on its thread, a question that stands alone.

        `pinned`: the name of the only model that may be asked; `tab` grows with the call. `barred`: names of
        those that may not be asked.
        """
        by_rules = wording.search_text(question)
        if not wording.leans(question):
            return by_rules
        fit = self._fit(question, pinned, barred)
        try:
            async with asyncio.timeout(SECONDS):
                for card in fit:
                    try:
                        return await self._rewritten(question, card, tab) or by_rules
                    except ModelError as error:
                        log.info("not_rewritten", question=question.id, model=card.name, reason=type(error).__name__)
        except TimeoutError:
            log.info("not_rewritten", question=question.id, reason="TimeoutError")
        return by_rules

    def _fit(self, question: Question, pinned: str | None, barred: Collection[str]) -> list[ModelCard]:
        """Who is asked, in this order: those of the chain that may be, or the cheapest of all.

        Models that think first are too slow for this, and the offline model cannot write.
        """
        cards = [
            card
            for card in self._models.usable()
            if not is_offline(card) and not card.thinking_tokens and pinned in (None, card.name)
        ]
        broken = self._models.breakers.broken(cards)
        cards = [card for card in cards if card.name not in barred and card.name not in broken]
        if not self._chain:
            return self._cheapest(question, cards)
        names = [self._models.card(name).name for name in self._chain]
        return sorted((card for card in cards if card.name in names), key=lambda card: names.index(card.name))

    def _cheapest(self, question: Question, cards: Sequence[ModelCard]) -> list[ModelCard]:
        """The cheapest whose price is known and small; none where there is none."""
        tokens = sum(estimate_tokens(message.content) for message in _messages(question))
        fit: list[tuple[Decimal, ModelCard]] = []
        for card in cards:
            own = card.rates.rates() if card.rates else None
            cost = self._prices.estimate(card.provider, card.model_id, tokens, USUAL_TOKENS, rates=own, free=card.free)
            if cost is not None and cost <= MOST_DOLLARS:
                fit.append((cost, card))
        return [min(fit, key=lambda each: each[0])[1]] if fit else []

    async def _rewritten(self, question: Question, card: ModelCard, tab: Tab) -> str:
        prompt = Prompt(strategy=StrategyName.ZERO_SHOT, question=question.text, messages=tuple(_messages(question)))
        model = self._models.model(card.name)
        stream = self._gate.stream(question, model, prompt, max_tokens=TOKENS, tab=tab, purpose="rewrite")
        async with aclosing(stream) as pieces:
            said = "".join([piece async for piece in pieces])
        text = " ".join(said.split()).strip("\"'“”`* ")
        # Whoever answers at length did not do what was asked.
        return text if len(text) <= MOST_CHARACTERS else ""


def _messages(question: Question) -> Sequence[Message]:
    history = cut(question.history, HISTORY_TOKENS, estimate_tokens)
    said = thread(history, question.asker)
    return [Message("system", INSTRUCTION), *said, Message("user", wording.plain(question.text))]
