"""The selector on questions that were each made for one strategy: shipped, refitted, perturbed and held out."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from fit_selector import ASKED_AS as FITTED_AS
from fit_selector import Seen, fit, halves_seen, others_seen, see
from numpy.typing import NDArray
from selector_data import GERMAN, NOW, TUNED, Asked, Stores, read_questions, read_stores
from selector_metrics import mean_scores, scores

from bot.costs.prices import PriceBook
from bot.domain import Audience, Choice, Place, PlaceKind, Question, StrategyName
from bot.models.cards import CardRates, FineTune, ModelCard
from bot.selection.estimates import Estimates
from bot.selection.features import features
from bot.selection.guards import Guards
from bot.selection.options import FINE_TUNED_SIMILARITY
from bot.selection.refit import refitted
from bot.selection.selector import Circumstances, Selector
from bot.selection.weights import WEIGHTS, Weights, load_weights

ASKED_AS = ("", "greetings and thanks", "typing errors", "lower case")
DRAWS = 10
MOST_HALVED = 3_000
_RATES = CardRates(input=Decimal("0.15"), output=Decimal("0.60"))

JSON = dict[str, Any]
Table = NDArray[np.float64]


async def measure_routes(routes: Path, stores_file: Path, models_dir: Path, golden: int) -> tuple[JSON, list[JSON]]:
    """All figures, and a line for each question.

    A question that is declined (it is about the team itself and nothing tells it) counts as sent to no store.
    """
    questions, stores = read_questions(routes), read_stores(stores_file)
    seen = await see(questions, stores, models_dir, ASKED_AS)
    by_way = {way: [one for one in seen if one.asked_as == way] for way in ASKED_AS}
    plain = by_way[""]
    choices, milliseconds = decide(plain, load_weights())
    provenance = json.loads(WEIGHTS.read_text(encoding="utf-8"))["provenance"]
    fitted_here = hashlib.sha256(routes.read_bytes()).hexdigest() in provenance["data"].values()
    found: JSON = {
        "questions": len(questions),
        "weights": load_weights().version,
        "weights_fitted_to_these_questions": fitted_here,
        "shipped": {way or "as asked": scored(load_weights(), some) for way, some in by_way.items()},
        "flips": {way: _flips(choices, decide(some, load_weights())[0]) for way, some in by_way.items() if way},
        "always_the_commonest": _fixed(plain),
        "nearest_store": _nearest_store(plain),
        "let_through_as_own_affairs": _own_affairs(plain, load_weights()),
        "decision_ms_of_processor_time": {
            name: round(float(np.percentile(milliseconds, share)), 3) for name, share in (("p50", 50), ("p95", 95))
        },
    }
    if golden:
        found[f"with_{golden}_golden"] = with_golden(plain, load_weights(), golden)
    if fitted_here and len(questions) <= MOST_HALVED:
        found["fitted_on_the_other_half_of_the_stores"] = await _halved(questions, stores, models_dir, golden)
    return found, _predictions(plain, choices)


def decide(seen: Sequence[Seen], weights: Weights) -> tuple[list[Choice], list[float]]:
    """For each question the choice, and the milliseconds of processor time that it took once the evidence was there."""
    selector = Selector(prices=PriceBook())
    known = Circumstances(weights=weights)
    choices, milliseconds = [], []
    for one in [*seen[:20], *seen]:  # the first ones warm up
        started = time.thread_time()
        choices.append(selector.choose(_question(one.asked), one.evidence, _CARDS, (), known))
        milliseconds.append((time.thread_time() - started) * 1000)
    return choices[-len(seen) :], milliseconds[-len(seen) :]


def scored(weights: Weights, seen: Sequence[Seen]) -> dict[str, float | None]:
    """How well the whole selector chooses for these questions."""
    chosen = [_strategy(choice) for choice in decide(seen, weights)[0]]
    wanted, kinds = [one.asked.strategy for one in seen], [one.asked.kind for one in seen]
    return scores(wanted, chosen, kinds, _table(weights, seen))


def with_golden(seen: Sequence[Seen], weights: Weights, golden: int) -> dict[str, float | None]:
    """Refitted on so many questions, drawn several times, and tried on the others: the mean."""
    found = []
    rows = np.array([features(one.evidence) for one in seen])
    for draw in range(DRAWS):
        places = list(range(len(seen)))
        random.Random(draw).shuffle(places)
        known, others = places[:golden], places[golden:]
        quality = {
            name: [1.0 if seen[place].asked.strategy is name else 0.0 for place in known] for name in StrategyName
        }
        again = refitted(weights, rows[known], quality, [str(place) for place in known])
        found.append(scored(again, [seen[place] for place in others]))
    return mean_scores(found)


async def _halved(questions: Sequence[Asked], stores: Stores, models_dir: Path, golden: int) -> JSON:
    """Weights of one half of the stores on the other half, which shares nothing with it."""
    others = await others_seen(GERMAN, models_dir) if GERMAN.is_file() else [[], []]
    halvings = await halves_seen(questions, stores, models_dir, ASKED_AS)
    pairs = [(halving[side], halving[1 - side], others[side]) for halving in halvings for side in (0, 1)]
    fitted = [fit([*(one for one in a if one.asked_as in FITTED_AS), *other]) for a, _, other in pairs]
    found: JSON = {}
    for way in ASKED_AS:
        tried = ([one for one in b if one.asked_as == way] for _, b, _ in pairs)
        found[way or "as asked"] = mean_scores([scored(w, some) for w, some in zip(fitted, tried, strict=True)])
    if golden:
        plain = ([one for one in b if not one.asked_as] for _, b, _ in pairs)
        found[f"with_{golden}_golden"] = mean_scores(
            [with_golden(some, w, golden) for w, some in zip(fitted, plain, strict=True)]
        )
    return found


def _table(weights: Weights, seen: Sequence[Seen]) -> Table:
    found = [weights.probabilities(features(one.evidence)) for one in seen]
    return np.array([[p[name] for name in StrategyName] for p in found])


def _strategy(choice: Choice) -> StrategyName:
    return choice.option.strategy if choice.option.available else StrategyName.ZERO_SHOT


def _flips(one: Sequence[Choice], other: Sequence[Choice]) -> float:
    """Share of the questions that another strategy answers when they are asked otherwise."""
    return round(sum(_strategy(a) is not _strategy(b) for a, b in zip(one, other, strict=True)) / len(one), 4)


def _fixed(seen: Sequence[Seen]) -> dict[str, float | None]:
    wanted = [one.asked.strategy for one in seen]
    commonest = Counter(wanted).most_common(1)[0][0]
    return scores(wanted, [commonest] * len(seen), [one.asked.kind for one in seen])


def _nearest_store(seen: Sequence[Seen]) -> dict[str, float | None]:
    """The store whose nearest text is most similar, from a cosine of 0.5 on."""
    chosen = []
    for one in seen:
        evidence = one.evidence
        near = {
            StrategyName.RAG: max((p.similarity for p in evidence.passages), default=0.0),
            StrategyName.FEW_SHOT: max((e.similarity for e in evidence.examples), default=0.0),
            StrategyName.FINE_TUNED: max(evidence.fine_tuned.values(), default=0.0),
        }
        best = max(near, key=lambda name: near[name])
        chosen.append(best if near[best] >= 0.5 else StrategyName.ZERO_SHOT)
    return scores([one.asked.strategy for one in seen], chosen, [one.asked.kind for one in seen])


def _own_affairs(seen: Sequence[Seen], weights: Weights) -> JSON:
    """Of the questions on which the documents hold too little: the share that each way might answer were they about the
    team's own affairs, of those that were made for it and of all others."""
    guards = Guards(least_rag=weights.least_rag, own_affairs=True, proven={TUNED})
    estimates, card = Estimates(weights), _CARDS[-1]
    found: JSON = {}
    for strategy in (StrategyName.FEW_SHOT, StrategyName.FINE_TUNED):
        tuned = strategy is StrategyName.FINE_TUNED
        passed: dict[bool, list[bool]] = {True: [], False: []}
        for one in seen:
            needs = estimates.needs(one.evidence, TUNED if tuned else None)
            if needs.probability[StrategyName.RAG] < weights.least_rag:
                near = not tuned or one.evidence.fine_tuned.get(TUNED, 0.0) >= FINE_TUNED_SIMILARITY
                made_for_it = one.asked.strategy is strategy
                passed[made_for_it].append(near and not guards.against(card, strategy, needs))
        found[strategy.value] = {
            name: {"share": round(float(np.mean(passed[made])), 4) if passed[made] else None, "of": len(passed[made])}
            for name, made in (("made for it", True), ("others", False))
        }
    return found


def _predictions(seen: Sequence[Seen], choices: Sequence[Choice]) -> list[JSON]:
    table = _table(load_weights(), seen)
    return [
        {
            "question": one.asked.text,
            "strategy": one.asked.strategy.value,
            "kind": one.asked.kind,
            "chosen": _strategy(choice).value,
            "declined": not choice.option.available,
            **{f"p_{name.value}": round(float(p), 4) for name, p in zip(StrategyName, row, strict=True)},
        }
        for one, choice, row in zip(seen, choices, table, strict=True)
    ]


def _cards() -> list[ModelCard]:
    """A hosted model, and a fine-tuned one at the same price that was shown to be better at its own kind."""
    tuned = FineTune(kind="its own", prompts=("as in the evidence",))
    house: JSON = {"provider": "house", "context_window": 128_000, "rates": _RATES}
    scores_of_tuned = {StrategyName.FINE_TUNED.value: 0.85}
    return [ModelCard(name="writer", **house), ModelCard(name=TUNED, fine_tune=tuned, scores=scores_of_tuned, **house)]


_CARDS = _cards()


def _question(asked: Asked) -> Question:
    place = Place(workspace="T", channel="C", kind=PlaceKind.CHANNEL)
    return Question(id="q", text=asked.text, asker="U", place=place, audience=Audience.everyone(), asked_at=NOW)
