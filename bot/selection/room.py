"""What hard budgets still have room for: which options they keep out, and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
    """The hard budgets that an answer is on, as they stand; the one with the least left says how much room there is.

    `answer_tokens`: the longest answer, which is held; `history_tokens`: how much of the thread is sent. `closed`:
    models that the gate turned away just now.
    """

    standing: Standing
    answer_tokens: int
    history_tokens: int
    closed: frozenset[str] = frozenset()
    zone: tzinfo = UTC

    @classmethod
    def left_by(
        cls,
        standings: Sequence[Standing],
        *,
        answer_tokens: int,
        history_tokens: int,
        zone: tzinfo,
        closed: Collection[str] = (),
    ) -> Room | None:
        """None where no hard budget is among them."""
        hard = [standing for standing in standings if standing.budget.hard]
        least = min(hard, key=lambda each: each.left, default=None)
        return None if least is None else cls(least, answer_tokens, history_tokens, frozenset(closed), zone)

    def against(self, card: ModelCard, most: Decimal | None) -> str:
        """Why a model that may cost so many US dollars is kept out, as a sentence; "" where there is room for it."""
        if most is None:
            return f"{self._opening(card.name)}: its price is not known, so it cannot be held against that."
        left, until = self.standing.left, day(self.standing.until, self.zone)
        if card.name in self.closed:
            return f"{self._opening(card.name)} until {until}: other questions that are under way hold what is left."
        if most <= left:
            return ""
        rest = f"{dollars(left)} is left" if left else "nothing is left"
        return f"{self._opening(card.name)}: an answer may cost {dollars(most)}, and {rest} until {until}."

    def refusal(self, choice: Choice) -> OverBudget | None:
        """That nothing can be asked since the budget keeps it out; None where that is not why."""
        if choice.option.available or not (models := self._kept_out(choice)):
            return None
        return refusal(self.standing.budget, self.standing.until, models[0], self.zone)

    def note(self, choice: Choice) -> str:
        """What stands under an answer that is only quoted since the budget is used up; "" where it is not."""
        if choice.option.model != OFFLINE or not self._kept_out(choice):
            return ""
        until, name = day(self.standing.until, self.zone), self.standing.budget.name
        return f"Until {until} {name} has no room for a model that writes, so this is quoted."

    def _kept_out(self, choice: Choice) -> list[str]:
        return [option.model for option in choice.options if option.reason.startswith(self._opening(option.model))]

    def _opening(self, model: str) -> str:
        name = self.standing.budget.name
        return f"{name[:1].upper()}{name[1:]} has no room for “{model}”"


def of_letting_go(model: str, why: str) -> str:
    """That a pinned model was not asked since a budget had no room for it, for the receipt."""
    return f"“{model}” is pinned, but could not be paid for, so another model was chosen. {why}"
