"""When a cheap model drafts first, and when its draft is not enough.

A cascade of two models: the draft is paid for in any case, the dearer answer only where the draft's own uncertainty
asks for it (L. Chen, M. Zaharia, J. Zou, "FrugalGPT", 2023, with the model's own probabilities for their scorer).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.costs.money import dollars
from bot.domain import Choice, Citation, Option, Price
from bot.models.catalogue import OFFLINE
from bot.selection.reasons import CONFIGURED
from knowledge.documents import Passage

LOW = 0.5
"""Below this estimated quality (0 to 1) the choice counts as unsure."""
NEARLY_EQUAL = 0.02
"""Options whose utilities differ by no more than this, two points of quality, are nearly equal."""
WITHIN_REACH = 0.1
"""Where the estimate is low, a dearer option may be worth this much less beforehand: only unsure drafts go on to it."""
UNSURE = 0.35
"""From this uncertainty on (`bot.models.certainty`, 0 to 1) a draft is not shown. A prior: no evaluation has set it."""

POLICY = "draft"
_REFUSES = re.compile(
    r"\b(?:I|we)\s+(?:do\s*n[o’']t\s+(?:know|have|see|find)"
    r"|(?:cannot|can\s*not|can[’']t)\s+(?:answer|tell|find|help|say|give|determine)"
    r"|am\s+(?:not\s+able|unable|not\s+sure)|have\s+no\s+(?:information|knowledge|idea))"
    r"|\bI[’']m\s+(?:not\s+(?:sure|certain|able)|unable|sorry)\b"
    r"|\b(?:passages?|documents?|examples?)\s+(?:do(?:es)?\s*n[o’']t|provide\s+no|contain\s+no|say\s+nothing)\b"
    r"|\b(?:weiß|kann)\s+ich\s+(?:\w+\s+){0,2}nicht\b|\bich\s+(?:weiß|kann)\s+(?:es|das|dazu|die\s+frage)\s+(?:leider\s+)?nicht\b",
    re.IGNORECASE,
)
_OPENING_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """Who drafts, and who answers where the draft is unsure."""

    draft: Option
    answer: Option


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a model wrote that nobody has seen yet.

    `numbered`: whether it was given passages to cite. `uncertainty`: 0 to 1, None where its server gave no
    log-probabilities. `price`: what the call cost. `failure`: why there is no draft, "" where there is one.
    `cited`: the passages that the citations name.
    """

    text: str
    citations: tuple[Citation, ...]
    numbered: bool
    uncertainty: float | None
    price: Price
    failure: str = ""
    cited: tuple[Passage, ...] = ()


def planned(choice: Choice, barred: Collection[str] = ()) -> Plan | None:
    """A draft by the cheaper of two nearly equal options, or by the best where even that is unlikely to be good.

    None where somebody fixed the way, where models are kept out because the question has to stay on this machine
    (`barred`), where the choice was not the estimates' own, or where no dearer option promises more.
    """
    taken = choice.option
    if barred or choice.policy != "estimates" or not taken.available or taken.model == OFFLINE:
        return None
    if any(pin.scope != CONFIGURED for pin in choice.pins):
        return None
    others = [option for option in choice.options if option.available and option.model not in (OFFLINE, taken.model)]
    cheaper = [one for one in others if _is_step(one, taken) and taken.utility - one.utility <= NEARLY_EQUAL]
    if cheaper:
        return Plan(max(cheaper, key=lambda one: one.utility), taken)
    reach = WITHIN_REACH if taken.quality < LOW else NEARLY_EQUAL
    dearer = [one for one in others if _is_step(taken, one) and taken.utility - one.utility <= reach]
    return Plan(taken, max(dearer, key=lambda one: one.utility)) if dearer else None


def no_draft(why: str) -> Draft:
    """Where none could be asked for."""
    free = Price(amount=Decimal(0), version=None)
    return Draft(text="", citations=(), numbered=False, uncertainty=None, price=free, failure=why)


def is_unsure(draft: Draft) -> bool:
    """Whether the dearer option is to answer. Without log-probabilities a draft has to cite, and not to refuse."""
    if draft.failure:
        return True
    if draft.uncertainty is not None:
        return draft.uncertainty >= UNSURE
    refuses = _REFUSES.search(draft.text[:_OPENING_CHARACTERS]) is not None
    return refuses or (draft.numbered and not draft.citations)


def taken(choice: Choice, plan: Plan, draft: Draft, *, answered: bool = True) -> Choice:
    """The choice as the draft left it. `answered`: whether the dearer option did where it was asked."""
    option = plan.answer if answered and is_unsure(draft) else plan.draft
    said = of_draft(plan, draft, answered=answered)
    return replace(choice, option=option, reasons=(said, *choice.reasons), policy=POLICY)


def of_draft(plan: Plan, draft: Draft, *, answered: bool = True) -> str:
    """What became of the draft and what it cost, for the receipt. `answered`: whether the dearer option did."""
    drafter, other = plan.draft.model, plan.answer.model
    if not is_unsure(draft):
        why = "its server gives no probabilities, but it cites its sources or needs none"
        sure = why if draft.uncertainty is None else f"uncertainty {draft.uncertainty:.2f}, up to {UNSURE} is shown"
        return f"A draft by “{drafter}” was sure enough to be the answer ({sure}), so “{other}” was not asked."
    said = f"A draft by “{drafter}” {_trouble(draft)}"
    so = f"so “{other}” answered" if answered else f"but “{other}” did not answer, so the draft is shown"
    return f"{said}, {so}; {_cost(draft)}."


def _trouble(draft: Draft) -> str:
    if draft.failure:
        return f"did not come ({draft.failure.rstrip('.')})"
    if draft.uncertainty is not None:
        return f"was unsure ({draft.uncertainty:.2f})"
    if _REFUSES.search(draft.text[:_OPENING_CHARACTERS]):
        return "said that it could not tell"
    return "cited nothing of what was found"


def _cost(draft: Draft) -> str:
    amount = draft.price.amount
    return "the draft's price is unknown" if amount is None else f"the draft cost {dollars(amount)}"


def _is_step(low: Option, high: Option) -> bool:
    """Whether the one is cheaper and expected to be worse than the other, both prices known, by another model."""
    if low.model == high.model or low.cost is None or high.cost is None:
        return False
    return low.cost < high.cost and low.quality < high.quality
