"""Fits the selector's weights: `python tests/benchmarks/fit_selector.py [--routes F] [--stores F] [--squad F]`.

One logistic model a strategy (scikit-learn, ridge) on evidence features, with a sigmoid on top that was fitted to
questions held out (Platt 1999). Each question is asked as it is and with typing errors, and each is also shown as it
would look to a team without examples, without a fine-tuned model, and without both; it then needs plain prompting where
it was made for what is missing. What is written down with the weights are held-out scores on halves of the stores that
share no document, no kind of example and no prompt: fitted on one, tried on the other.

Teams whose documents are in another language than the encoder's stand beside (files in SQuAD's form, German ones):
with English ones alone four of ten of their answerable questions were kept from the documents.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from selector_data import (
    GERMAN,
    ROOT,
    ROUTES,
    STORES,
    Asked,
    Stores,
    open_team,
    read_questions,
    read_squad,
    read_stores,
)
from selector_metrics import HIT, mean_scores, scores
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

from bot.domain import Evidence, StrategyName
from bot.evaluation.perturbations import perturbed
from bot.selection.features import features
from bot.selection.weights import WEIGHTS, Logistic, Weights

C = 0.1  # of all tried (0.03, 0.1, 0.3) within 0.002 of the best on the other halves
FOLDS = 5
HALVINGS = 2
LEAST_SCALE = 0.01
REFUSED_HITS = 0.2  # share of questions with their document, mistyped ones too, that may be kept from the documents
ASKED_AS = ("", "typing errors")
OTHERS_FROM = 1_000_000
_MADE_FOR = {StrategyName.FEW_SHOT: "examples", StrategyName.FINE_TUNED: "fine_tuned"}
_WITHOUT = (frozenset[str](), frozenset({"examples"}), frozenset({"fine_tuned"}), frozenset({"examples", "fine_tuned"}))

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Seen:
    """A question with what one team's stores hold for it. `number`: the question's, however it is asked."""

    asked: Asked
    evidence: Evidence
    number: int
    asked_as: str = ""


async def see(
    questions: Sequence[Asked], stores: Stores, models_dir: Path, ways: Sequence[str] = ASKED_AS
) -> list[Seen]:
    """The questions asked of a team with these stores, in each of these ways."""
    async with open_team(stores, models_dir) as team:
        return [
            Seen(asked, await team.evidence(perturbed(asked.text, way) if way else asked.text), number, way)
            for way in ways
            for number, asked in enumerate(questions)
        ]


def fit(seen: Sequence[Seen], version: str = "") -> Weights:
    """The weights for these questions."""
    shown = [(_less(one.evidence, without), one, without) for one in seen for without in _WITHOUT]
    table = np.array([features(evidence) for evidence, _, _ in shown])
    wanted = [_needs(one.asked.strategy, without) for _, one, without in shown]
    scale = np.nanstd(table, axis=0)
    # What hardly varies here (freshness: all documents are new) must not count for a team where it does.
    scale = np.where(scale > LEAST_SCALE, scale, 1.0)
    blank = Weights(np.nanmean(table, axis=0), scale, {}, 0.0, 0, version)
    x = np.array([blank.standardised(row) for row in table])[:, :-1]
    groups = np.array([one.number for _, one, _ in shown])
    copies = len(shown) / len(set(groups.tolist()))
    fitted = {s: _calibrated(x, np.array([w is s for w in wanted]), groups, copies) for s in StrategyName}
    held_out = fitted[StrategyName.RAG][1]
    hits = held_out[[one.asked.kind == HIT and not without for _, one, without in shown]]
    return replace(
        blank,
        models={s: model for s, (model, _) in fitted.items()},
        least_rag=float(np.quantile(hits, REFUSED_HITS)) if len(hits) else 0.5,
        questions=len(set(groups.tolist())),
    )


def _calibrated(x: Table, y: NDArray[np.bool_], groups: Table, copies: float) -> tuple[Logistic, Table]:
    """The model, and the probabilities that models without the question gave. `copies`: rows that are one question."""
    model = LogisticRegression(C=C, max_iter=2000)
    folds = GroupKFold(FOLDS, shuffle=True, random_state=0)
    logits = cross_val_predict(model, x, y, groups=groups, cv=folds, method="decision_function")
    sigmoid = LogisticRegression(C=1e6).fit(logits[:, None], y)
    slope, shift = float(sigmoid.coef_[0, 0]), float(sigmoid.intercept_[0])
    model.fit(x, y)
    b = np.append(slope * model.coef_[0], slope * float(model.intercept_[0]) + shift)
    with_one = np.hstack([x, np.ones((len(x), 1))])
    p = 1 / (1 + np.exp(-with_one @ b))
    precision = (with_one * (p * (1 - p))[:, None]).T @ with_one
    precision += np.diag(np.append(np.full(x.shape[1], 1 / C), 1e-3))
    return Logistic(b, precision / copies), 1 / (1 + np.exp(-(slope * logits + shift)))


def table_of(weights: Weights, seen: Sequence[Seen]) -> Table:
    """Questions × strategies: the probabilities, in the order of StrategyName."""
    found = [weights.probabilities(features(one.evidence)) for one in seen]
    return np.array([[p[name] for name in StrategyName] for p in found])


def choose(weights: Weights, table: Table) -> list[StrategyName]:
    """For each question the likeliest strategy; documents only above the threshold."""
    names = list(StrategyName)
    rag = names.index(StrategyName.RAG)
    allowed = table.copy()
    allowed[table[:, rag] < weights.least_rag, rag] = -1.0
    return [names[column] for column in allowed.argmax(axis=1)]


def score(weights: Weights, seen: Sequence[Seen]) -> dict[str, float | None]:
    """How well the weights choose for these questions."""
    table = table_of(weights, seen)
    return scores([o.asked.strategy for o in seen], choose(weights, table), [o.asked.kind for o in seen], table)


async def halves_seen(
    questions: Sequence[Asked], stores: Stores, models_dir: Path, ways: Sequence[str] = ASKED_AS
) -> list[list[list[Seen]]]:
    """For each halving both halves of the stores with their questions; no question has two homes."""
    plain = await see(questions, stores, models_dir, ("",))
    return [
        [await see(asked, half, models_dir, ways) for asked, half in halve(plain, stores, random.Random(seed))]
        for seed in range(HALVINGS)
    ]


async def others_seen(squad: Path, models_dir: Path) -> list[list[Seen]]:
    """Both teams of a file in SQuAD's form, with numbers of their own."""
    teams = []
    for half in (0, 1):
        questions, stores = read_squad(squad, half)
        seen = await see(questions, stores, models_dir)
        teams.append([replace(one, number=one.number + OTHERS_FROM * (half + 1)) for one in seen])
    return teams


def transferred(
    halvings: Sequence[Sequence[Sequence[Seen]]], others: Sequence[Sequence[Seen]]
) -> dict[str, dict[str, float | None]]:
    """On the other half of the stores, of which the weights have seen nothing; the mean over all halvings."""
    found: dict[str, list[dict[str, float | None]]] = {"as asked": [], "typing errors": [], "another language": []}
    for halving in halvings:
        for side in (0, 1):
            weights = fit([*halving[side], *others[side]])
            for asked_as in ASKED_AS:
                tried = [one for one in halving[1 - side] if one.asked_as == asked_as]
                found[asked_as or "as asked"].append(score(weights, tried))
            found["another language"].append(score(weights, [one for one in others[1 - side] if not one.asked_as]))
    return {name: mean_scores(each) for name, each in found.items()}


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


def _needs(made_for: StrategyName, without: frozenset[str]) -> StrategyName:
    return StrategyName.ZERO_SHOT if _MADE_FOR.get(made_for) in without else made_for


def _less(evidence: Evidence, without: frozenset[str]) -> Evidence:
    if "examples" in without:
        evidence = replace(evidence, examples=())
    return replace(evidence, fine_tuned={}) if "fine_tuned" in without else evidence


async def _main(routes: Path, stores_file: Path, squad: Path, models_dir: Path, out: Path) -> None:
    questions, stores = read_questions(routes), read_stores(stores_file)
    files = (routes, stores_file, squad)
    others = await others_seen(squad, models_dir)
    halvings = await halves_seen(questions, stores, models_dir)
    provenance: dict[str, object] = {
        "made_by": "tests/benchmarks/fit_selector.py",
        "data": {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files},
        "other_half_of_the_stores": transferred(halvings, others),
    }
    weights = fit([*await see(questions, stores, models_dir), *others[0], *others[1]])
    stamp = hashlib.sha256(json.dumps(weights.to_json()).encode()).hexdigest()[:8]
    plain = {"provenance": provenance, **replace(weights, version=stamp).to_json()}
    out.write_text(_lines(plain) + "\n", encoding="utf-8")
    print(json.dumps(provenance, indent=2))


def _lines(plain: dict[str, object]) -> str:
    """JSON with a line for each row of numbers."""
    text = json.dumps(plain, indent=1, ensure_ascii=False)
    return re.sub(r"\[[-\d.,e\s]+\]", lambda row: " ".join(row.group().split()), text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--routes", type=Path, default=ROUTES, help="questions with the strategy they were made for")
    parser.add_argument("--stores", type=Path, default=STORES, help="what the team has in store")
    parser.add_argument("--squad", type=Path, default=GERMAN, help="questions and paragraphs in another language")
    parser.add_argument("--models-dir", type=Path, default=ROOT / ".models", help="where the embedding model is")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="the file that is written")
    options = parser.parse_args()
    for file in (options.routes, options.stores, options.squad):
        if not file.is_file():
            raise SystemExit(f"There is no file {file}: name it with --routes, --stores and --squad.")
    asyncio.run(_main(options.routes, options.stores, options.squad, options.models_dir, options.out))
