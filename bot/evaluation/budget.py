"""What an evaluation may spend: reserved before each call and settled after it, so that none can overrun it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal

from bot.costs.prices import PriceBook
from bot.domain import Prompt
from bot.models.cards import ModelCard
from bot.models.tokens import count_tokens

_ZERO = Decimal(0)
_TOKENS_A_MESSAGE = 5
_SPARE = 1.2
"""Tokenizers of unknown models count a little differently."""


@dataclass(slots=True)
class Budget:
    """US dollars. `limit` None: nothing limits it. Calls without a known price cannot be held, and go out."""

    limit: Decimal | None
    spent: Decimal = _ZERO
    ended: bool = False
    _reserved: Decimal = _ZERO
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def reserve(self, most: Decimal | None) -> bool:
        """Whether a call that costs at most this may go out; what it may cost is held until `settle`.

        Waits while calls under way may still turn out cheaper than was held for them. Once one call does not fit, the
        budget has ended for all that cost something, so that the questions that were asked stay the first ones.
        """
        if not most or self.limit is None:
            self._reserved += most or _ZERO
            return True
        async with self._changed:
            await self._changed.wait_for(lambda: self.ended or self._fits(most) or not self._reserved)
            if self.ended or not self._fits(most):
                self.ended = True
                self._changed.notify_all()
                return False
            self._reserved += most
            return True

    async def settle(self, most: Decimal | None, cost: Decimal | None) -> None:
        """What a reserved call came to; None where nobody knows."""
        async with self._changed:
            self._reserved -= most or _ZERO
            # A try that broke may have been billed: as far as the limit goes, it was.
            self.spent += (most or _ZERO) if cost is None else cost
            self._changed.notify_all()

    def _fits(self, most: Decimal) -> bool:
        return self.limit is not None and self.spent + self._reserved + most <= self.limit


def most_cost(prices: PriceBook, card: ModelCard, prompt: Prompt, max_tokens: int) -> Decimal | None:
    """US dollars that one try costs at most, with an answer of full length; None where the price is unknown."""
    asked = sum(count_tokens(message.content, card.model_id).tokens + _TOKENS_A_MESSAGE for message in prompt.messages)
    answered = min(max_tokens + card.thinking_tokens, card.max_output)
    own = card.rates.rates() if card.rates else None
    tokens = int(asked * _SPARE)
    return prices.estimate(card.provider, card.model_id, tokens, answered, rates=own, free=card.free)
