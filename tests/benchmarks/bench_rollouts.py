"""How often a roll-out is rolled back for nothing, and how soon for a reason: `python
tests/benchmarks/bench_rollouts.py [--out DIR] [--short]`.

Roll-outs are simulated question by question: each is drawn for the canary or for the rest, costs something, takes its
time, and now and then gets a thumb. Every hour the figures are looked at with the program's own ranges, and once more
with the range of a single look. Of a model that is as good as the others every roll-back is for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

import numpy as np
from options import Options, run_alone
from results import Measure, Result

from bot.evaluation.rolling_out import SLOWER
from bot.evaluation.sides import LEAST, apart, difference_of_means, difference_of_shares, median_range, share_range

HOURS = 14 * 24
AN_HOUR = 6
SHARE = 0.2
THUMBS = 0.25
LIKED = 0.8
FALSE = 0.075
"""The mark: three figures, each of which may be off on the bad side in 2.5 of 100 roll-outs."""


@dataclass(frozen=True, slots=True)
class Canary:
    """What a simulated model is like beside the rest: `liked` as a share of its thumbs, the others as factors."""

    liked: float = LIKED
    cost: float = 1.0
    seconds: float = 1.0


Falls = Callable[["Seen"], bool]


@dataclass(frozen=True, slots=True)
class Seen:
    """The figures of both sides at one look: costs, seconds, thumbs up and down."""

    costs: tuple[Sequence[float], Sequence[float]]
    seconds: tuple[Sequence[float], Sequence[float]]
    thumbs: tuple[int, int, int, int]


def falls(seen: Seen) -> bool:
    """Whether the program would roll it back."""
    better = difference_of_shares(*seen.thumbs)
    dearer = difference_of_means(*seen.costs)
    tried, rest = (median_range(side) for side in seen.seconds)
    slower = tried is not None and rest is not None and (tried.low or 0) > SLOWER * (rest.high or np.inf)
    return (better is not None and better.sign < 0) or (dearer is not None and dearer.sign > 0) or slower


def falls_by_one_look(seen: Seen) -> bool:
    """As if each look were the only one."""
    up, down, other_up, other_down = seen.thumbs
    one, other = share_range(up, up + down), share_range(other_up, other_up + other_down)
    less = one is not None and other is not None and apart(one, other).sign < 0
    tried, rest = (np.array(side) for side in seen.costs)
    error = np.sqrt(tried.var(ddof=1) / len(tried) + rest.var(ddof=1) / len(rest))
    return less or bool(tried.mean() - rest.mean() > 1.96 * error)


def rolled_back(canary: Canary, rng: np.random.Generator, rules: Sequence[Falls]) -> list[int | None]:
    """By each rule the number of questions after which a roll-out ends, None where it never does."""
    n = HOURS * AN_HOUR
    drawn = rng.random(n) < SHARE
    cost = rng.lognormal(-6.5, 0.8, n) * np.where(drawn, canary.cost, 1.0)
    seconds = rng.lognormal(0.6, 0.5, n) * np.where(drawn, canary.seconds, 1.0)
    thumb = rng.random(n) < THUMBS
    up = thumb & (rng.random(n) < np.where(drawn, canary.liked, LIKED))
    found: list[int | None] = [None] * len(rules)
    for asked in range(AN_HOUR, n + 1, AN_HOUR):
        sides = [drawn[:asked], ~drawn[:asked]]
        if min(side.sum() for side in sides) < LEAST:
            continue
        counts = [int((part[:asked] & side).sum()) for side in sides for part in (up, thumb & ~up)]
        seen = Seen(
            (cost[:asked][sides[0]].tolist(), cost[:asked][sides[1]].tolist()),
            (seconds[:asked][sides[0]].tolist(), seconds[:asked][sides[1]].tolist()),
            (counts[0], counts[1], counts[2], counts[3]),
        )
        for place, rule in enumerate(rules):
            if found[place] is None and rule(seen):
                found[place] = asked
        if None not in found:
            break
    return found


async def bench(options: Options, result: Result) -> None:
    """All of it."""
    rng, equal, worse = np.random.default_rng(11), *((8, 4) if options.short else (400, 100))
    result.note(
        f"{HOURS // 24} days with {AN_HOUR} questions an hour that the model would be chosen for, {SHARE:.0%} of them "
        f"answered by it; {THUMBS:.0%} of the answers get a thumb, {LIKED:.0%} of these up."
    )
    found = [rolled_back(Canary(), rng, (falls, falls_by_one_look)) for _ in range(equal)]
    for place, words, mark in ((0, "as the program looks", FALSE), (1, "with the ranges of a single look", None)):
        share = sum(one[place] is not None for one in found) / equal
        name = f"rolled back for nothing: {words}"
        mark = None if options.short else mark
        result.add(Measure(name=name, unit="share", value=share, samples=equal, mark=mark))
    for words, canary in (
        ("liked by 50% instead of 80%", Canary(liked=0.5)),
        ("twice as dear", Canary(cost=2.0)),
        ("twice as slow", Canary(seconds=2.0)),
    ):
        ends = [rolled_back(canary, rng, (falls,))[0] for _ in range(worse)]
        reached = [end for end in ends if end is not None]
        result.add(Measure(name=f"{words}: rolled back", unit="share", value=len(reached) / worse, samples=worse))
        if len(reached) > 1:
            late = quantiles(reached, n=20)[-1]
            name = f"{words}: questions until then"
            result.add(Measure(name=name, unit="questions", value=median(reached), p95=late, samples=len(reached)))


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "rollouts", "Roll-outs: rolled back for nothing, and for a reason")
