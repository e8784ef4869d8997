"""Chooses a strategy and a model: the option of the highest utility, quality − λ · dollars − μ · seconds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bot.costs.prices import PriceBook
from bot.domain import Choice, Evidence, Option, Pin, Question
from bot.models.cards import ModelCard
from bot.selection import reasons
from bot.selection.data_rules import STAYS
from bot.selection.estimates import Estimates
from bot.selection.options import Weighing
from bot.selection.value import Value


class Selector:
    """`value`: how money and time are weighed where a question's place says nothing else."""

    def __init__(self, *, prices: PriceBook, value: Value = Value.BALANCED, estimates: Estimates | None = None) -> None:
        self._value = value
        self._prices = prices
        self._estimates = estimates or Estimates()

    def choose(
        self,
        question: Question,
        evidence: Evidence,
        models: Sequence[ModelCard],
        pins: Sequence[Pin],
        *,
        medians: Mapping[tuple[str, str], float] | None = None,
        value: Value | None = None,
        barred: Collection[str] = (),
    ) -> Choice:
        """The best option among the usable `models`, which must not be empty.

        `pins`, strongest first: of each the model and the strategy count on their own. A pinned model must be one of
        `models`. A pinned strategy that cannot be taken is named in the reasons and left out. `medians`: seconds of
        late by provider and model name. `value`: how money and time are weighed for this question. `barred`: names of
        models that may not be asked where it was asked. Where no option can be taken, the choice's own is not
        `available` and says why.
        """
        model_pin = next((pin for pin in pins if pin.model), None)
        strategy_pin = next((pin for pin in pins if pin.strategy), None)
        cards = [card for card in models if model_pin is None or card.name == model_pin.model]
        value = value or self._value
        weighing = Weighing(
            cost_weight=value.cost_weight,
            latency_weight=value.latency_weight,
            prices=self._prices,
            estimates=self._estimates,
            medians=medians or {},
        )
        options = weighing.options(question, evidence, cards, pinned=model_pin is not None, barred=barred)
        obeyed, said = [], []
        if model_pin is not None:
            obeyed.append(replace(model_pin, strategy=None))
            said.append(reasons.of_model_pin(model_pin))
        candidates = options
        if strategy_pin is not None:
            wanted = tuple(option for option in options if option.strategy is strategy_pin.strategy)
            if wanted[0].available:
                candidates = wanted
                obeyed.append(replace(strategy_pin, model=None))
                said.append(reasons.of_strategy_pin(strategy_pin))
            else:
                said.append(reasons.of_refused_pin(strategy_pin, _refusal(wanted)))
        taken = _best(candidates)
        said += reasons.of_choice(taken, options, evidence, pinned_strategy=candidates is not options)
        return Choice(
            option=taken,
            options=options,
            reasons=tuple(said),
            pins=_joined(obeyed),
            guards=(STAYS,) if any(card.name in barred for card in cards) else (),
            value=value.value,
            point_worth=value.point_worth,
        )


def _best(options: Sequence[Option]) -> Option:
    """The first; where none can be taken, the one whose obstacle is the evidence and not the model."""
    if options[0].available:
        return options[0]
    return next((o for o in options if o.strategy == "rag" and o.reason != STAYS), options[0])


def _refusal(options: Sequence[Option]) -> str:
    """Why none of these can be taken, in the words that say most: of a fine-tuned model, where there is one."""
    return next((o.reason for o in options if "not fine-tuned" not in o.reason), options[0].reason)


def _joined(pins: Sequence[Pin]) -> tuple[Pin, ...]:
    """One pin a scope."""
    joined: dict[str, Pin] = {}
    for pin in pins:
        known = joined.get(pin.scope)
        joined[pin.scope] = replace(pin, model=known.model) if known else pin
    return tuple(joined.values())
