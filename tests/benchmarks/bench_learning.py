"""Whether learning pays: `python tests/benchmarks/bench_learning.py [--data DIR] [--out DIR] [--short]`.

A team asks the questions of `selector/routes.csv` over its own stores; evidence and estimates are the program's, what
an answer is worth is drawn. Once the estimates are right for the team, once two of its stores are not what they were
fitted to. One in five answers gets a thumb, and every fifty questions the bandit is made anew, as it is every night.
Then the gate: how often it lets the learned policy choose where nothing can be gained, and where something can.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray
from options import NotHereError, Options, run_alone
from results import Measure, Result, spread
from selector_data import NOW, TUNED, Asked, open_team, read_questions, read_stores

from bot.costs.prices import PriceBook
from bot.domain import Audience, Choice, Option, Place, PlaceKind, Question, StrategyName
from bot.learning.bandit import Bandit
from bot.learning.bound import lower_bound
from bot.learning.experience import Judged
from bot.learning.policy import decided
from bot.learning.promotion import Standing
from bot.learning.replay import Replay, chance_of, held_out_gains
from bot.models.cards import CardRates, FineTune, ModelCard
from bot.selection.selector import Selector

THUMBS = 0.2
NIGHT = 50
TEAMS = 10
TRIALS = 4000
GOLDEN = 212
RIGHT, WRONG = 0.9, 0.3
RAG, PLAIN, SHOTS = StrategyName.RAG, StrategyName.ZERO_SHOT, StrategyName.FEW_SHOT
MISLED: Mapping[tuple[StrategyName, StrategyName], float] = {(SHOTS, SHOTS): 0.45, (SHOTS, PLAIN): 0.75}
"""A team whose examples are stale: what was made for them is answered better by plain prompting."""


@dataclass(frozen=True, slots=True)
class Met:
    """A question as the selector met it, with what each option is worth in truth (0 to 1)."""

    choice: Choice
    worth: NDArray[np.float64]


def cards(prompts: Sequence[str]) -> list[ModelCard]:
    rates = CardRates(input=Decimal("0.15"), output=Decimal("0.60"))
    tuned = FineTune(kind="what it was tuned for", prompts=tuple(prompts[:1]) or ("nothing",))
    return [
        ModelCard(name="writer", provider="house", context_window=128_000, rates=rates),
        ModelCard(name=TUNED, provider="house", context_window=128_000, rates=rates, fine_tune=tuned),
    ]


async def choices(options: Options) -> list[tuple[Asked, Choice]]:
    """What the selector would choose for each question, with all that it weighed."""
    folder = options.data / "selector"
    if not (folder / "routes.csv").is_file():
        raise NotHereError("The questions to learn from (selector/routes.csv of the trial data) are not here.")
    questions, stores = read_questions(folder), read_stores(folder)
    order = np.random.default_rng(0).permutation(len(questions))[: 60 if options.short else None]
    selector = Selector(prices=PriceBook())
    models, place = cards(stores.prompts), Place(workspace="T", channel="C", kind=PlaceKind.CHANNEL)
    found = []
    async with open_team(stores, options.models_dir) as team:
        for number in order:
            asked = questions[number]
            question = Question(
                id=str(number), text=asked.text, asker="U", place=place, audience=Audience.everyone(), asked_at=NOW
            )
            found.append((asked, selector.choose(question, await team.evidence(asked.text), models, ())))
    return found


def meet(found: Sequence[tuple[Asked, Choice]], off: Mapping[tuple[StrategyName, StrategyName], float]) -> list[Met]:
    """What each option is worth to a team: much where the question was made for it, little else, but for `off`."""

    def worth(made_for: StrategyName, option: Option) -> float:
        usual = RIGHT if option.strategy is made_for else WRONG
        return off.get((made_for, option.strategy), usual) if option.available else 0.0

    return [Met(choice, np.array([worth(asked.strategy, o) for o in choice.options])) for asked, choice in found]


def cold(choice: Choice) -> Choice:
    """The same without estimates: all that can be taken is taken to be as good."""
    options = tuple(replace(o, quality=0.5, utility=0.5) if o.available else o for o in choice.options)
    return replace(choice, option=next((o for o in options if o.available), options[0]), options=options)


def live(met: Sequence[Met], rng: np.random.Generator, *, learns: bool) -> NDArray[np.float64]:
    """What each answer was worth, question by question, as the bandit learns from the thumbs that came so far."""
    bandit, judged, worths = Bandit.fresh(), list[Judged](), []
    standing = Standing(state="learned")
    for number, one in enumerate(met):
        choice = decided(one.choice, f"{rng.integers(1 << 30)}", standing, bandit) if learns else one.choice
        way = (choice.option.strategy, choice.option.model)
        place = next(n for n, o in enumerate(one.choice.options) if (o.strategy, o.model) == way)
        worths.append(one.worth[place])
        if rng.random() < THUMBS:
            judged.append(thumb(choice, float(rng.random() < worths[-1]), number))
        if learns and number % NIGHT == NIGHT - 1:
            bandit = Bandit.learn(judged)
    return np.array(worths)


def thumb(choice: Choice, value: float, number: int) -> Judged:
    """Of somebody who is not over the weekly measure."""
    return Judged(
        question_id=str(number),
        text="",
        person=f"U{number}",
        at=NOW,
        asked_at=NOW,
        value=value,
        weight=1.0,
        choice=choice,
        propensity=choice.propensity,
    )


def learning(met: Sequence[Met], name: str, teams: int, result: Result) -> None:
    """The mean worth with estimates alone, with a warm and with a cold bandit, and what stands on either side."""
    without = [replace(one, choice=cold(one.choice)) for one in met]
    ways = {
        "the estimates alone": (met, False),
        "the warm-started bandit": (met, True),
        "a bandit without estimates": (without, True),
    }
    last = len(met) // 3
    for way, (seen, learns) in ways.items():
        runs = []
        for team in range(teams):
            rng = np.random.default_rng(team)
            runs.append(live([seen[number] for number in rng.permutation(len(seen))], rng, learns=learns))
        table = np.array(runs)
        result.add(Measure(name=f"{name}: {way}", unit="quality", value=float(table.mean()), samples=table.size))
        for part, title in ((table[:, :last], "first third"), (table[:, -last:], "last third")):
            result.add(
                Measure(name=f"{name}: {way}, {title}", unit="quality", value=float(part.mean()), samples=part.size)
            )
    fixed = np.array([[fixed_worth(one, strategy) for strategy in StrategyName] for one in met]).mean(axis=0)
    oracle = float(np.mean([one.worth.max() for one in met]))
    result.add(Measure(name=f"{name}: the best fixed way", unit="quality", value=float(fixed.max()), samples=len(met)))
    result.add(Measure(name=f"{name}: the best way of each question", unit="quality", value=oracle, samples=len(met)))


def fixed_worth(one: Met, strategy: StrategyName) -> float:
    """Of always taking a strategy, and plain prompting where it cannot be taken."""
    model = TUNED if strategy is StrategyName.FINE_TUNED else "writer"
    ways = [(o.strategy, o.model, o.available) for o in one.choice.options]
    wanted = (strategy, model, True)
    return float(one.worth[ways.index(wanted if wanted in ways else (PLAIN, "writer", True))])


def golden(rng: np.random.Generator, n: int, gain: float, differ: float) -> Replay:
    """Golden questions in groups of four, two ways. Each is right for seven of ten questions; for a share `differ` of
    the questions the estimates take the other way, which raises the mean quality by `gain`."""
    takes = rng.random(n) < differ
    better = 0.7 + gain / differ
    quality = np.column_stack([rng.random(n) < 0.7, rng.random(n) < np.where(takes, better, 0.5)]).astype(float)
    expected = np.column_stack([np.full(n, 0.6), np.where(takes, 0.9, 0.3)])
    ways = ((RAG, "writer"), (PLAIN, "writer"))
    ids, groups = tuple(map(str, range(n))), tuple(str(number // 4) for number in range(n))
    nothing = np.zeros((n, 2))
    return Replay(
        at=datetime(2026, 1, 1, tzinfo=UTC),
        ways=ways,
        ids=ids,
        texts=ids,
        groups=groups,
        features=({},) * n,
        expected=expected,
        quality=quality,
        cost=nothing,
        seconds=nothing,
    )


def promoted(n: int, gain: float, trials: int, differ: float = 0.23) -> float:
    """How often the gate lets the learned policy choose."""
    rng, count = np.random.default_rng(1), 0
    for _ in range(trials):
        gains = held_out_gains(golden(rng, n, gain, differ), Bandit.fresh(), cost_weight=0, latency_weight=0)
        count += gains is not None and lower_bound(gains.values, gains.groups) > 0
    return count / trials


def timed(found: Sequence[tuple[Asked, Choice]], result: Result) -> None:
    """A decision with a bandit that has seen all questions, among twenty options that are all near; the processor's
    time, whatever else the machine does."""
    judged = [thumb(choice, float(number % 2), number) for number, (_, choice) in enumerate(found)]
    bandit, seconds = Bandit.learn(judged), []
    for number, (_, choice) in enumerate(found):
        options = tuple(
            replace(choice.option, strategy=strategy, model=f"model {n}", utility=0.7 + n / 1000, available=True)
            for n in range(5)
            for strategy in StrategyName
        )
        began = time.thread_time()
        bandit.pick(options, choice.features, chance_of(str(number)))
        seconds.append(time.thread_time() - began)
    result.add(spread("a decision among 20 near options", seconds, headline=95, mark=0.5))


async def bench(options: Options, result: Result) -> None:
    """All of it."""
    found = await choices(options)
    teams, trials = (2, 20) if options.short else (TEAMS, TRIALS)
    result.note(
        f"{len(found):,} questions in {teams} orders; an answer is worth {RIGHT} where the question was made for its "
        f"strategy and {WRONG} elsewhere. The shipped estimates were fitted to these very questions, so where they "
        "are right there is little left to learn."
    )
    learning(meet(found, {}), "estimates that fit", teams, result)
    learning(meet(found, MISLED), "a team with stale examples", teams, result)
    no_gain = Measure(
        name=f"promoted at no gain, {GOLDEN} golden questions",
        unit="share",
        value=promoted(GOLDEN, 0.0, trials),
        samples=trials,
        mark=0.06,
    )
    result.add(no_gain)
    for n, gain in ((60, 0.05), (180, 0.05), (180, 0.03), (720, 0.03)):
        name = f"promoted at a gain of {gain:.2f}, {n} golden questions"
        result.add(Measure(name=name, unit="share", value=promoted(n, gain, trials // 10), samples=trials // 10))
    result.note("At the gate the two choices differ for 23% of the golden questions, which come in groups of four.")
    timed(found, result)


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "learning", "Learning: does it pay, and does the gate hold?")
