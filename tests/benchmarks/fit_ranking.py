"""Fits the ranking's weights: `python tests/benchmarks/fit_ranking.py [--data DIR] [--models-dir DIR] [--out FILE]`.

Every question is asked of the program's own search, over a store of its collection, and what the ranking was handed is
measured by the ranking itself. The weights of the order make the documents that answer likely to be drawn from a
softmax over the documents, each scored by its best chunk (ListNet: Cao and others 2007), with a ridge; all collections
count alike. The probability is a logistic model of whether one of the best few answers, seen with all that was found
and with what answers left out.

What is written down with the weights are held-out figures: on five folds of the questions, and on each collection with
weights of the others alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np
from collection import Collection, own_questions, read_collection
from numpy.typing import NDArray
from options import DATA, ROOT
from ranking_scores import ndcg, recall
from sklearn.linear_model import LogisticRegression
from small_store import small_store

from knowledge import retrieval
from knowledge.access import PUBLIC
from knowledge.ranking.candidate import Candidate, RankedQuestion, Ranking
from knowledge.ranking.features import stretched
from knowledge.ranking.probability import BEST, BIAS, signs
from knowledge.ranking.ranker import fused, look_closely, rank
from knowledge.ranking.weights import WEIGHTS, Weights

FOLDS = 5
RIDGE = 3.0
PROBABILITY_C = 0.1
QUESTIONS = 400  # of each collection at most
_WEIGHT = 100.0  # of a collection, in questions
WITHOUT_WORDS = ("cosine", "bm25", "window", "spread", "company")
WITH_WORDS = (*WITHOUT_WORDS, "late")
_STEPS = 60
_LONGEST_STEP = 0.5  # where the softmax is sure of itself its curve is flat, and a whole step leads far away
Row = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Seen:
    """A question, what the search found for it, and a row of measures for each candidate that was looked at."""

    question: RankedQuestion
    candidates: tuple[Candidate, ...]
    gains: dict[str, float]
    looked_at: tuple[Candidate, ...]
    measures: Row
    fold: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """The best chunk of each document, and the chance with which each document should be drawn."""

    rows: Row
    chances: Row
    weight: float


async def see(collection: Collection, models_dir: Path) -> list[Seen]:
    """The questions asked of a store with the collection's documents."""
    chance = random.Random(0)
    seen: list[Seen] = []
    async with small_store(collection.pages, models_dir) as store:
        for number, text in collection.asked.items():
            with _handed_over() as handed:
                await store.knowledge.search(text, scopes=PUBLIC)
            skipped = collection.left_out.get(number, frozenset())
            for question, candidates in handed:
                kept = stretched_again([one for one in candidates if one.path not in skipped])
                seen.append(_seen(question, kept, dict(collection.gains[number]), chance.randrange(FOLDS)))
    return seen


@contextmanager
def _handed_over() -> Iterator[list[tuple[RankedQuestion, tuple[Candidate, ...]]]]:
    """What the search hands to the ranking meanwhile."""
    handed: list[tuple[RankedQuestion, tuple[Candidate, ...]]] = []

    def noting(question: RankedQuestion, candidates: Sequence[Candidate], weights: Weights) -> Ranking:
        # No document is fresher than another here, and feedback there is none.
        question = replace(question, now=None)
        handed.append((question, tuple(candidates)))
        return rank(question, candidates, weights)

    kept: Callable[..., Ranking] = retrieval.__dict__["rank"]
    retrieval.__dict__["rank"] = noting
    try:
        yield handed
    finally:
        retrieval.__dict__["rank"] = kept


def _seen(question: RankedQuestion, candidates: tuple[Candidate, ...], gains: dict[str, float], fold: int) -> Seen:
    look = look_closely(question, candidates, fused(candidates))
    looked_at = tuple(candidates[place] for place in look.order)
    return Seen(
        question,
        candidates,
        gains,
        looked_at,
        np.stack([look.measures[name] for name in _names(question)], axis=1),
        fold,
    )


def _names(question: RankedQuestion) -> tuple[str, ...]:
    return WITHOUT_WORDS if question.words is None else WITH_WORDS


def without_words(one: Seen) -> Seen:
    """The same question, asked with an embedding model that gives no words to compare."""
    return _seen(replace(one.question, words=None), one.candidates, one.gains, one.fold)


def fit(collections: Sequence[Sequence[Seen]]) -> dict[str, float]:
    """The weights of the order for these questions, each collection as heavy as the others."""
    scale: Row = np.concatenate([one.measures for seen in collections for one in seen]).std(axis=0) + 1e-9
    names = _names(collections[0][0].question)
    weights = np.ones(len(names))
    for _ in range(_STEPS):
        drawn = [_drawn(one, scale, weights, _WEIGHT / len(seen)) for seen in collections for one in seen]
        step = _newton(weights, [one for one in drawn if one.chances.any()])
        weights = weights - step
        if np.abs(step).max() < 1e-6:
            break
    return {name: round(float(value), 4) for name, value in zip(names, weights / scale, strict=True)}


def _drawn(one: Seen, scale: Row, weights: Row, weight: float) -> Drawn:
    """Each document by the chunk that is best with these weights."""
    rows = one.measures / scale
    best: dict[str, int] = {}
    for place in np.argsort(-(rows @ weights), kind="stable"):
        best.setdefault(one.looked_at[place].path, int(place))
    gains = np.array([one.gains.get(path, 0.0) for path in best])
    return Drawn(rows[list(best.values())], gains / (gains.sum() or 1.0), weight)


def _newton(weights: Row, drawn: Sequence[Drawn]) -> Row:
    slope = RIDGE * weights
    curve = RIDGE * np.eye(len(weights))
    for one in drawn:
        scores = one.rows @ weights
        odds = np.exp(scores - scores.max())
        odds /= odds.sum()
        mean = odds @ one.rows
        slope = slope + one.weight * (mean - one.chances @ one.rows)
        curve = curve + one.weight * ((one.rows * odds[:, None]).T @ one.rows - np.outer(mean, mean))
    return np.clip(np.linalg.solve(curve, slope), -_LONGEST_STEP, _LONGEST_STEP)


def figures(seen: Sequence[Seen], order: dict[str, float]) -> tuple[float, float]:
    """Mean nDCG@10 and recall@5 of the ranking with these weights."""
    weights = Weights(order=order, order_without_words=order)
    ranked = [
        list(dict.fromkeys(each.candidate.path for each in rank(one.question, one.candidates, weights).ranked))
        for one in seen
    ]
    pairs = list(zip(ranked, seen, strict=True))
    return fmean(ndcg(r, o.gains) for r, o in pairs), fmean(recall(r, o.gains) for r, o in pairs)


def cross_validated(every: dict[str, list[Seen]]) -> dict[str, tuple[float, float]]:
    """For each collection the figures on questions that were held out, the others and the collections being there."""
    folds: dict[str, list[tuple[float, float, int]]] = {name: [] for name in every}
    for fold in range(FOLDS):
        order = fit([[one for one in seen if one.fold != fold] for seen in every.values()])
        for name, seen in every.items():
            held = [one for one in seen if one.fold == fold]
            if held:
                folds[name].append((*figures(held, order), len(held)))
    return {name: _mean(parts) for name, parts in folds.items()}


def _mean(parts: Sequence[tuple[float, float, int]]) -> tuple[float, float]:
    total = sum(count for *_, count in parts)
    return sum(n * count for n, _, count in parts) / total, sum(r * count for _, r, count in parts) / total


def left_out(every: dict[str, list[Seen]]) -> dict[str, tuple[float, float]]:
    """For each collection the figures with weights that were fitted on the others alone."""
    if len(every) < 2:
        return {}
    return {
        name: figures(seen, fit([other for other_name, other in every.items() if other_name != name]))
        for name, seen in every.items()
    }


def answered(seen: Sequence[Seen], order: dict[str, float]) -> tuple[list[dict[str, float]], list[float], list[int]]:
    """Signs, whether one of the best few answers, and the fold: with all that was found, and without what answers."""
    weights = Weights(order=order)
    rows: list[dict[str, float]] = []
    wanted: list[float] = []
    folds: list[int] = []
    for one in seen:
        others = stretched_again([each for each in one.candidates if each.path not in one.gains])
        for candidates in (one.candidates, others):
            if not candidates:
                continue
            ranked = rank(one.question, candidates, weights)
            rows.append(signs(one.question, ranked.ranked, look_windows(one.question, candidates, ranked)))
            wanted.append(float(any(each.candidate.path in one.gains for each in ranked.ranked[:BEST])))
            folds.append(one.fold)
    return rows, wanted, folds


def stretched_again(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The candidates as the search would hand them over if there were no others."""
    if not candidates:
        return ()
    sides = [stretched(np.array(side)) for side in zip(*((c.by_meaning, c.by_word) for c in candidates), strict=True)]
    return tuple(
        replace(one, by_meaning=float(meaning), by_word=float(word))
        for one, meaning, word in zip(candidates, *sides, strict=True)
    )


def look_windows(question: RankedQuestion, candidates: Sequence[Candidate], ranking: Ranking) -> list[float]:
    """The windows of the candidates that were looked at, in the order of the ranking."""
    look = look_closely(question, candidates, fused(candidates))
    windows = {candidates[place].key: value for place, value in zip(look.order, look.measures["window"], strict=True)}
    return [windows[each.candidate.key] for each in ranking.ranked[: len(windows)]]


def fit_probability(rows: Sequence[dict[str, float]], wanted: Sequence[float]) -> dict[str, float]:
    """The weights of the probability."""
    names = list(rows[0])
    table = np.array([[row[name] for name in names] for row in rows])
    mean, scale = table.mean(axis=0), table.std(axis=0) + 1e-9
    fitted = LogisticRegression(C=PROBABILITY_C).fit((table - mean) / scale, np.array(wanted) > 0)
    weights = fitted.coef_[0]
    found = {name: float(value) for name, value in zip(names, weights / scale, strict=True)}
    bias = float(fitted.intercept_[0] - (weights * mean / scale).sum())
    return {name: round(value, 4) for name, value in ({BIAS: bias} | found).items()}


def calibration(rows: Sequence[dict[str, float]], wanted: Sequence[float], folds: Sequence[int]) -> dict[str, float]:
    """Brier score and expected calibration error (ten bins) on held-out questions."""
    said = np.zeros(len(rows))
    for fold in range(FOLDS):
        train = [i for i, one in enumerate(folds) if one != fold]
        weights = fit_probability([rows[i] for i in train], [wanted[i] for i in train])
        for i in (i for i, one in enumerate(folds) if one == fold):
            odds = weights[BIAS] + sum(weights[name] * value for name, value in rows[i].items())
            said[i] = 1 / (1 + np.exp(-odds))
    truth = np.array(wanted)
    bins = np.minimum((said * 10).astype(int), 9)
    gaps = [abs(said[bins == b].mean() - truth[bins == b].mean()) * (bins == b).mean() for b in set(bins.tolist())]
    return {
        "brier": round(float(((said - truth) ** 2).mean()), 4),
        "brier_of_the_share_alone": round(float(truth.mean() * (1 - truth.mean())), 4),
        "expected_calibration_error": round(float(sum(gaps)), 4),
    }


def collections(data: Path) -> list[Collection]:
    """The public collections that are there."""
    retrieval_data = data / "retrieval"
    paths = [retrieval_data / name for name in ("cranfield", "xquad.en.json", "xquad.de.json")]
    found = [read_collection(path, QUESTIONS) for path in paths if path.exists()]
    documents = data / "docs" / "k8s-enhancements"
    return found + ([own_questions(documents)] if documents.is_dir() else [])


def report(every: dict[str, list[Seen]]) -> dict[str, object]:
    """The weights, and what they reach on what was held out."""
    order = fit(list(every.values()))
    bare = {name: [without_words(one) for one in seen] for name, seen in every.items()}
    parts = [answered(seen, order) for seen in every.values()]
    rows = [row for part in parts for row in part[0]]
    wanted = [value for part in parts for value in part[1]]
    folds = [fold for part in parts for fold in part[2]]
    half = dict.fromkeys(WITHOUT_WORDS, 0.0) | {"cosine": 0.5, "bm25": 0.5}
    provenance = {
        "made_by": "tests/benchmarks/fit_ranking.py",
        "questions": {name: len(seen) for name, seen in every.items()},
        "half_and_half": _rounded({name: figures(seen, half) for name, seen in bare.items()}),
        "held_out_questions": _rounded(cross_validated(every)),
        "held_out_collection": _rounded(left_out(every)),
        "held_out_questions_without_words": _rounded(cross_validated(bare)),
        "held_out_collection_without_words": _rounded(left_out(bare)),
        "probability": calibration(rows, wanted, folds),
    }
    return {
        "provenance": provenance,
        "order": order,
        "order_without_words": fit(list(bare.values())),
        "probability": fit_probability(rows, wanted),
    }


def _rounded(found: dict[str, tuple[float, float]]) -> dict[str, dict[str, float]]:
    return {name: {"ndcg@10": round(n, 4), "recall@5": round(r, 4)} for name, (n, r) in found.items()}


async def _main(data: Path, models_dir: Path, out: Path) -> None:
    every = {one.name: await see(one, models_dir) for one in collections(data)}
    if not every:
        raise SystemExit(f"There are no collections in {data}: name the folder of trial data with --data.")
    document = report(every)
    out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of trial data")
    parser.add_argument("--models-dir", type=Path, default=ROOT / ".models", help="where the embedding model is")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="the file that is written")
    options = parser.parse_args()
    asyncio.run(_main(options.data, options.models_dir, options.out))
