"""What an evaluation may spend: reserved before each call and settled after it, so that none can overrun it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal

from bot.costs.prices import PriceBook
from bot.domain import Prompt
from bot.gate import most_usage
from bot.models.cards import ModelCard

_ZERO = Decimal(0)


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
    """US dollars that the gate holds for one try, with an answer of full length; None where the price is unknown."""
    most, own = most_usage(prompt, card, max_tokens), card.rates.rates() if card.rates else None
    return prices.price(card.provider, card.model_id, most, rates=own, free=card.free).amount
