"""The choice that a question's budgets have room for: the pinned model, else another one, else a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain import Choice, Evidence, Pin, Question
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
) -> tuple[Choice, str]:
    """The choice, and a note for under the answer: "" where no budget made it another one.

    Raises OverBudget where the budgets in `known` are why nothing can be asked.
    """
    choice = selector.choose(question, evidence, cards, pins, known)
    if known.room is None:
        return choice, ""
    refused = known.room.refusal(choice)
    if refused is None:
        return choice, known.room.note(choice)
    pinned = next((pin.model for pin in pins if pin.model), None)
    if pinned is None:
        raise refused
    left = tuple(replace(pin, model=None) for pin in pins if pin.strategy)
    choice = selector.choose(question, evidence, cards, left, known)
    if not choice.option.available:
        raise refused
    said = (of_letting_go(pinned, str(refused)), *choice.reasons)
    return replace(choice, reasons=said), f"“{pinned}” is pinned, but a budget has no room for it now."
