"""How well and how fast the selector chooses: `python tests/benchmarks/bench_selector.py [--data DIR] [--out FILE]`.

DIR holds `routes.csv` (strategy, kind, question) and `stores.json` (knowledge, examples, fine_tuned_prompts) of a team.
The shipped weights and the whole selector decide, with one cheap hosted model and one fine-tuned model at equal prices.
Where the shipped weights were fitted to the very same questions, the output says so, and what counts are the held-out
scores that stand with the weights.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import platform
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
from selector_data import DATA, NOW, ROOT, TUNED, Asked, Team, open_team, read_questions, read_stores
from selector_metrics import scores

from bot.costs.prices import PriceBook
from bot.domain import Audience, Place, PlaceKind, Question, StrategyName
from bot.models.cards import CardRates, FineTune, ModelCard
from bot.selection.estimates import WEIGHTS
from bot.selection.selector import Selector

WARM_UP = 20
_RATES = CardRates(input=Decimal("0.15"), output=Decimal("0.60"))


def _cards(prompts: Sequence[str]) -> list[ModelCard]:
    cards = [ModelCard(name="writer", provider="house", context_window=128_000, rates=_RATES)]
    if prompts:
        tuned = FineTune(kind="its own", prompts=tuple(prompts))
        cards.append(ModelCard(name=TUNED, provider="house", context_window=128_000, rates=_RATES, fine_tune=tuned))
    return cards


def _question(asked: Asked) -> Question:
    place = Place(workspace="T", channel="C", kind=PlaceKind.CHANNEL)
    audience = Audience.everyone()
    return Question(id="q", text=asked.text, asker="U", place=place, audience=audience, asked_at=NOW)


async def decide(
    team: Team, cards: Sequence[ModelCard], questions: Sequence[Asked]
) -> tuple[list[StrategyName], list[float], list[float]]:
    """For each question the strategy, the milliseconds of the choice alone, and those with the search for evidence."""
    selector = Selector(prices=PriceBook())
    chosen, alone, whole = [], [], []
    for asked in [*questions[:WARM_UP], *questions]:
        started = time.perf_counter()
        evidence = await team.evidence(asked.text)
        found = time.perf_counter()
        choice = selector.choose(_question(asked), evidence, cards, ())
        done = time.perf_counter()
        chosen.append(choice.option.strategy)
        alone.append((done - found) * 1000)
        whole.append((done - started) * 1000)
    skip = len(chosen) - len(questions)
    return chosen[skip:], alone[skip:], whole[skip:]


def _times(milliseconds: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3), "mean": round(statistics.mean(milliseconds), 3)}


def _machine() -> dict[str, object]:
    return {"python": platform.python_version(), "processor": platform.machine(), "cores": os.cpu_count()}


async def measure(data: Path, models_dir: Path) -> dict[str, object]:
    """All that is written to the output."""
    questions, stores = read_questions(data), read_stores(data)
    async with open_team(stores, models_dir) as team:
        chosen, alone, whole = await decide(team, _cards(stores.prompts), questions)
    wanted, kinds = [asked.strategy for asked in questions], [asked.kind for asked in questions]
    (commonest, _), *_ = Counter(wanted).most_common()
    provenance = json.loads(WEIGHTS.read_text(encoding="utf-8"))["provenance"]
    digest = "sha256:" + hashlib.sha256((data / "routes.csv").read_bytes()).hexdigest()
    return {
        "questions": len(questions),
        "weights_fitted_to_these_questions": digest == provenance["data"]["routes.csv"],
        **scores(wanted, chosen, kinds),
        "held_out": {name: provenance[name] for name in ("held_out_questions", "other_half_of_the_stores")},
        "always_the_commonest": scores(wanted, [commonest] * len(wanted), kinds),
        "chosen": {strategy.value: count for strategy, count in sorted(Counter(chosen).items())},
        "choice_ms": _times(alone),
        "search_and_choice_ms": _times(whole),
        "machine": _machine(),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder with routes.csv and stores.json")
    parser.add_argument("--models-dir", type=Path, default=ROOT / ".models", help="where the embedding model is")
    parser.add_argument("--out", type=Path, help="the JSON file that is written besides the output")
    options = parser.parse_args()
    if not (options.data / "routes.csv").is_file():
        raise SystemExit(f"There is no routes.csv in {options.data}: name the folder with --data.")
    result = json.dumps(asyncio.run(measure(options.data, options.models_dir)), indent=2)
    print(result)
    if options.out is not None:
        options.out.write_text(result + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
