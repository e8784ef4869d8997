"""What hard budgets still have room for: which options they keep out, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from decimal import Decimal

from bot.costs.budget import Standing, day, refusal
from bot.costs.money import dollars
from bot.domain import Choice
from bot.errors import OverBudget
from bot.models.cards import ModelCard
from bot.models.catalogue import OFFLINE


@dataclass(frozen=True, slots=True)
class Room:
    """The hard budgets that an answer is on, as they stand. `answer_tokens`: the longest answer, which is held."""

    standings: tuple[Standing, ...]
    answer_tokens: int
    zone: tzinfo = UTC

    @classmethod
    def left_by(cls, standings: Sequence[Standing], answer_tokens: int, zone: tzinfo) -> Room | None:
        """None where no hard budget is among them."""
        hard = tuple(standing for standing in standings if standing.budget.hard)
        return cls(hard, answer_tokens, zone) if hard else None

    def against(self, card: ModelCard, most: Decimal | None) -> str:
        """Why a model that may cost so many US dollars is kept out, as a sentence; "" where there is room for it."""
        standing = min(self.standings, key=lambda each: each.left)
        if most is not None and most <= standing.left:
            return ""
        if most is None:
            return f"{self._opening(standing, card.name)}: its price is not known, so it cannot be held against that."
        left = f"{dollars(standing.left)} is left" if standing.left else "nothing is left"
        until = day(standing.until, self.zone)
        return f"{self._opening(standing, card.name)}: an answer may cost {dollars(most)}, and {left} until {until}."

    def refusal(self, choice: Choice) -> OverBudget | None:
        """That nothing can be asked since the budgets keep it out; None where that is not why."""
        if choice.option.available:
            return None
        for standing in self.standings:
            for option in choice.options:
                if option.reason.startswith(self._opening(standing, option.model)):
                    return refusal(standing.budget, standing.until, option.model, self.zone)
        return None

    def note(self, choice: Choice) -> str:
        """What stands under an answer that is only quoted since the budgets are used up; "" where it is not."""
        if choice.option.model != OFFLINE or not self._kept_out(choice):
            return ""
        standing = min(self.standings, key=lambda each: each.left)
        until = day(standing.until, self.zone)
        return f"Until {until} {standing.budget.name} has no room for a model that writes, so this is quoted."

    def _kept_out(self, choice: Choice) -> bool:
        openings = [self._opening(standing, option.model) for standing in self.standings for option in choice.options]
        return any(option.reason.startswith(tuple(openings)) for option in choice.options)

    @staticmethod
    def _opening(standing: Standing, model: str) -> str:
        name = standing.budget.name
        return f"{name[:1].upper()}{name[1:]} has no room for “{model}”"


def of_letting_go(model: str, why: str) -> str:
    """That a pinned model was not asked since a budget had no room for it, for the receipt."""
    return f"“{model}” is pinned, but could not be paid for, so another model was chosen. {why}"
