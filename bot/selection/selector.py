"""Chooses a strategy and a model: the option of the highest utility, quality − λ · dollars − μ · seconds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.costs.prices import PriceBook
from bot.domain import Choice, Evidence, Option, Pin, Question, Versions
from bot.models.cards import ModelCard
from bot.selection import reasons, wording
from bot.selection.estimates import Estimates, Means, is_offline
from bot.selection.features import as_dict, features
from bot.selection.guards import Guards, proven_by_cards
from bot.selection.options import Weighing
from bot.selection.rollouts import Rollout
from bot.selection.room import Room
from bot.selection.usual import Usual
from bot.selection.value import Value
from bot.selection.weights import Weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known beside the question and its evidence.

    `value`: how money and time are weighed here, None: as usual. `usual`: what each model took of late, by provider
    and model name. `means`: the running mean of each way's measured quality. `barred`: models that may not be asked
    from here, by name with the rule that keeps each out; `broken`: why some are left alone for now, by name; `held`:
    those whose roll-out leaves the question to others, by name with the reason; `needs`:
    the modalities that the question needs beside text, as `ModelCard.modality` names them. `weights`: the estimates
    refitted on the team's golden questions, None before there are any; `proven`: fine-tuned models that beat the others
    there. `rollouts`: what `held` was read from. `index`: the version of the knowledge that was searched, and
    `embedder` what it is searched with. `room`: what hard budgets have room for, None where none holds.
    """

    value: Value | None = None
    usual: Mapping[tuple[str, str], Usual] = field(default_factory=dict)
    means: Means = field(default_factory=dict)
    barred: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)
    rollouts: Sequence[Rollout] = ()
    needs: Collection[str] = ()
    weights: Weights | None = None
    proven: Collection[str] = ()
    index: str = ""
    embedder: str = ""
    room: Room | None = None


NOTHING_KNOWN = Circumstances()


class Selector:
    """`value`: how money and time are weighed where a question's place says nothing else."""

    def __init__(self, *, prices: PriceBook, value: Value = Value.BALANCED, estimates: Estimates | None = None) -> None:
        self._value = value
        self._prices = prices
        self._shipped = estimates or Estimates()
        self._refitted: Estimates | None = None

    def choose(
        self,
        question: Question,
        evidence: Evidence,
        models: Sequence[ModelCard],
        pins: Sequence[Pin],
        known: Circumstances = NOTHING_KNOWN,
    ) -> Choice:
        """The best option among the usable `models`, which must not be empty.

        `pins`, strongest first: of each the model and the strategy count on their own. A pinned model must be one of
        `models`. A pinned strategy that cannot be taken is named in the reasons and left out. Where no option can be
        taken, the choice's own is not `available` and says why.
        """
        model_pin = next((pin for pin in pins if pin.model), None)
        strategy_pin = next((pin for pin in pins if pin.strategy), None)
        cards = [card for card in models if model_pin is None or card.name == model_pin.model]
        estimates, outdated = self._estimates(known)
        weighing = self._weighing(
            question, models, cards, estimates, model_pin, strategy_pin, known, attached=evidence.attached > 0
        )
        options, struck = weighing.options(question, evidence, cards)
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
        taken = _best(candidates, known.barred)
        said += reasons.of_choice(taken, options, evidence, pinned_strategy=candidates is not options)
        said += [taken.doubt] if taken.doubt else []
        row = features(evidence, now=question.asked_at)
        if candidates is options and taken.available:
            said += reasons.of_features(taken, estimates.weights, row)
        return Choice(
            option=taken,
            options=options,
            reasons=tuple(said),
            pins=_joined(obeyed),
            guards=(*outdated, *struck),
            features=as_dict(row),
            policy="person" if candidates is not options else "estimates",
            value=weighing.value.value,
            point_worth=weighing.value.point_worth,
            versions=Versions(estimates=estimates.weights.version, prices=self._prices.version, index=known.index),
        )

    def _weighing(
        self,
        question: Question,
        models: Sequence[ModelCard],
        cards: Sequence[ModelCard],
        estimates: Estimates,
        model_pin: Pin | None,
        strategy_pin: Pin | None,
        known: Circumstances,
        *,
        attached: bool = False,
    ) -> Weighing:
        away = {*known.broken, *(known.held if model_pin is None else ())}
        guards = Guards(
            least_rag=estimates.weights.least_rag,
            # What is shown on a picture may well be the team's own affair, and is there to be seen.
            own_affairs=wording.is_own_affair(question.text) and not question.images,
            barred=known.barred,
            broken=known.broken,
            held=known.held,
            modalities=known.needs,
            attached=attached,
            writers=any(not is_offline(card) and card.name not in {*known.barred, *away} for card in cards),
            proven={*known.proven, *proven_by_cards(models)},
            alone=all(is_offline(card) or card.name in away for card in cards),
            model_pinned=model_pin is not None,
            strategy=strategy_pin.strategy if strategy_pin else None,
        )
        return Weighing(
            value=known.value or self._value,
            prices=self._prices,
            estimates=estimates,
            guards=guards,
            usual=known.usual,
            means=known.means,
            room=known.room,
        )

    def _estimates(self, known: Circumstances) -> tuple[Estimates, tuple[str, ...]]:
        """The team's own where they are for the index as it is, else those that are shipped and why."""
        weights = known.weights
        if weights is None:
            return self._shipped, ()
        if weights.index and known.embedder and weights.index != known.embedder:
            return self._shipped, (
                f"The estimates that were fitted on your golden questions are left out: knowledge was searched with "
                f"“{weights.index}” then and is with “{known.embedder}” now. `switchboard evaluate` fits them again.",
            )
        if self._refitted is None or self._refitted.weights.version != weights.version:
            self._refitted = Estimates(weights)
        return self._refitted, ()


def _best(options: Sequence[Option], barred: Collection[str]) -> Option:
    """The first; where none can be taken, the one whose obstacle is the evidence and not the model."""
    if options[0].available:
        return options[0]
    return next((o for o in options if o.strategy == "rag" and o.model not in barred), options[0])


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
