"""Fits the selector's weights: `python tests/benchmarks/fit_selector.py [--data DIR] [--models-dir DIR] [--out FILE]`.

One logistic model a strategy (ridge, by Newton's method) on evidence features. Each question is also shown as it would
look to a team without examples, without a fine-tuned model, and without both; it then needs plain prompting where it
was made for what is missing. What is written down with the weights are held-out scores: on five folds of the
questions, and on halves of the stores that share no document, no kind of example and no prompt (fitted on one, tried
on the other).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from selector_data import DATA, ROOT, Asked, Stores, open_team, read_questions, read_stores
from selector_metrics import scores

from bot.domain import Evidence, StrategyName
from bot.selection.estimates import WEIGHTS, Weights
from bot.selection.features import NAMES, Features, features

RIDGE = 10.0
FOLDS = 5
HALVINGS = 3
_MADE_FOR = {StrategyName.FEW_SHOT: "examples", StrategyName.FINE_TUNED: "fine_tuned"}
_WITHOUT = (frozenset[str](), frozenset({"examples"}), frozenset({"fine_tuned"}), frozenset({"examples", "fine_tuned"}))


@dataclass(frozen=True, slots=True)
class Seen:
    """A question with what one team's stores hold for it."""

    asked: Asked
    evidence: Evidence


async def see(questions: Sequence[Asked], stores: Stores, models_dir: Path) -> list[Seen]:
    """The questions asked of a team with these stores."""
    async with open_team(stores, models_dir) as team:
        return [Seen(asked, await team.evidence(asked.text)) for asked in questions]


def fit(seen: Sequence[Seen]) -> Weights:
    """The weights for these questions."""
    rows, wanted = [], []
    for one in seen:
        for without in _WITHOUT:
            rows.append(features(_less(one.evidence, without)))
            missing = _MADE_FOR.get(one.asked.strategy) in without
            wanted.append(StrategyName.ZERO_SHOT if missing else one.asked.strategy)
    table = np.array(rows)
    mean, scale = table.mean(axis=0), table.std(axis=0)
    x = np.hstack([(table - mean) / scale, np.ones((len(table), 1))])
    found = {s: logistic(x, np.array([w is s for w in wanted], dtype=np.float64)) for s in StrategyName}
    return Weights(mean, scale, {s: b[:-1] for s, b in found.items()}, {s: float(b[-1]) for s, b in found.items()})


def logistic(x: Features, y: Features) -> Features:
    """Ridge logistic regression; the last column of `x` is the constant, which is not shrunk."""
    ridge = np.eye(x.shape[1]) * RIDGE
    ridge[-1, -1] = 0
    b = np.zeros(x.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-(x @ b)))
        curvature = (x * (p * (1 - p))[:, None]).T @ x + ridge
        step = np.linalg.solve(curvature, x.T @ (p - y) + ridge @ b)
        b -= step
        if np.abs(step).max() < 1e-9:
            break
    return b


def choose(weights: Weights, seen: Sequence[Seen]) -> list[StrategyName]:
    """For each question the strategy that is likeliest to have what it needs."""
    found = (weights.probabilities(features(one.evidence)) for one in seen)
    return [max(p, key=p.__getitem__) for p in found]


def score(weights: Weights, seen: Sequence[Seen]) -> dict[str, float | None]:
    """How well the weights choose for these questions."""
    return scores([o.asked.strategy for o in seen], choose(weights, seen), [o.asked.kind for o in seen])


def cross_validated(seen: Sequence[Seen]) -> dict[str, float | None]:
    """On questions that were held out, the stores being the same."""
    fold = random.Random(0).choices(range(FOLDS), k=len(seen))
    chosen: dict[int, StrategyName] = {}
    for number in range(FOLDS):
        held = [place for place, f in enumerate(fold) if f == number]
        weights = fit([one for one, f in zip(seen, fold, strict=True) if f != number])
        chosen |= dict(zip(held, choose(weights, [seen[place] for place in held]), strict=True))
    in_order = [chosen[place] for place in range(len(seen))]
    return scores([o.asked.strategy for o in seen], in_order, [o.asked.kind for o in seen])


async def transferred(seen: Sequence[Seen], stores: Stores, models_dir: Path) -> dict[str, float | None]:
    """On the other half of the stores, of which the weights have seen nothing; the mean over all halvings."""
    results: list[dict[str, float | None]] = []
    for seed in range(HALVINGS):
        halves = [await see(asked, half, models_dir) for asked, half in halve(seen, stores, random.Random(seed))]
        results += [score(fit(halves[0]), halves[1]), score(fit(halves[1]), halves[0])]
    return {name: round(float(np.mean([r[name] for r in results if r[name] is not None])), 4) for name in results[0]}


def halve(seen: Sequence[Seen], stores: Stores, chance: random.Random) -> list[tuple[list[Asked], Stores]]:
    """Two teams without a document's neighbour, a kind of example or a prompt in common, each with its questions.

    A question about documents or examples goes with what is nearest to it in the whole stores.
    """
    articles = _half({id.split("-")[0] for id in stores.documents}, chance)
    kinds = _half({answer for _, answer in stores.examples}, chance)
    prompts = _half(set(stores.prompts), chance)
    article_of = {_start(text): id.split("-")[0] for id, text in stores.documents.items()}

    def is_first(one: Seen) -> bool:
        if one.asked.kind.startswith("knowledge") and one.evidence.passages:
            return article_of.get(_start(one.evidence.passages[0].text)) in articles
        if one.asked.kind.startswith("example"):
            return one.evidence.examples[0].answer in kinds
        return chance.random() < 0.5

    sides = [is_first(one) for one in seen]
    return [
        (
            [one.asked for one, first in zip(seen, sides, strict=True) if first is side],
            Stores(
                {id: text for id, text in stores.documents.items() if (id.split("-")[0] in articles) is side},
                tuple(example for example in stores.examples if (example[1] in kinds) is side),
                tuple(prompt for prompt in stores.prompts if (prompt in prompts) is side),
            ),
        )
        for side in (True, False)
    ]


def _half(values: set[str], chance: random.Random) -> set[str]:
    return set(chance.sample(sorted(values), len(values) // 2))


def _start(text: str) -> str:
    return " ".join(text.split())[:60]


def _less(evidence: Evidence, without: frozenset[str]) -> Evidence:
    if "examples" in without:
        evidence = replace(evidence, examples=())
    return replace(evidence, fine_tuned={}) if "fine_tuned" in without else evidence


def as_document(weights: Weights, provenance: dict[str, object]) -> dict[str, object]:
    """The weights as `weights.json` keeps them."""
    return {
        "provenance": provenance,
        "features": list(NAMES),
        "mean": _rounded(weights.mean),
        "scale": _rounded(weights.scale),
        "strategies": {
            s.value: {"bias": round(weights.bias[s], 6), "weights": _rounded(w)} for s, w in weights.weights.items()
        },
    }


def _rounded(row: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 6) for value in row]


async def _main(data: Path, models_dir: Path, out: Path) -> None:
    questions, stores = read_questions(data), read_stores(data)
    seen = await see(questions, stores, models_dir)
    files = ("routes.csv", "stores.json")
    provenance: dict[str, object] = {
        "made_by": "tests/benchmarks/fit_selector.py",
        "data": {name: "sha256:" + hashlib.sha256((data / name).read_bytes()).hexdigest() for name in files},
        "questions": len(questions),
        "ridge": RIDGE,
        "held_out_questions": cross_validated(seen),
        "other_half_of_the_stores": await transferred(seen, stores, models_dir),
    }
    document = as_document(fit(seen), provenance)
    out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(provenance, indent=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder with routes.csv and stores.json")
    parser.add_argument("--models-dir", type=Path, default=ROOT / ".models", help="where the embedding model is")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="the file that is written")
    options = parser.parse_args()
    if not (options.data / "routes.csv").is_file():
        raise SystemExit(f"There is no routes.csv in {options.data}: name the folder with --data.")
    asyncio.run(_main(options.data, options.models_dir, options.out))
