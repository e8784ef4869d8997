"""The choice that a question's budgets have room for: the pinned model, else a cheaper one, else a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain import Choice, Evidence, Pin, Question
from bot.errors import OverBudget
from bot.models.cards import ModelCard
from bot.selection.room import of_letting_go
from bot.selection.selector import Circumstances, Selector


def afforded(
    selector: Selector,
    question: Question,
    evidence: Evidence,
    cards: Sequence[ModelCard],
    pins: Sequence[Pin],
    known: Circumstances,
    refused: OverBudget | None = None,
) -> tuple[Choice, str]:
    """The choice, and a note for under the answer: "" where no budget made it another one.

    `refused`: what the gate said of a model that is no longer one of the `cards`, since another call was faster.
    Raises OverBudget where the budgets are why nothing can be asked.
    """
    room = known.room
    pinned = next((pin.model for pin in pins if pin.model), None)
    if pinned is None or any(card.name == pinned for card in cards):
        choice = selector.choose(question, evidence, cards, pins, known)
        why = room.refusal(choice) if room else None
        refused = why or (None if choice.option.available else refused)
        if refused is None:
            return choice, room.note(choice) if room else ""
        if pinned is None:
            raise refused
    assert refused is not None, "a pinned model is left out only where the gate refused it"
    others = [card for card in cards if card.name != pinned]
    left = tuple(replace(pin, model=None) for pin in pins if pin.strategy)
    if not others:
        raise refused
    choice = selector.choose(question, evidence, others, left, known)
    if not choice.option.available:
        raise refused
    said = (of_letting_go(str(pinned), str(refused)), *choice.reasons)
    return replace(choice, reasons=said), f"“{pinned}” is pinned, but a budget has no room for it now."
