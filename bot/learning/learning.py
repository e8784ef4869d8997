"""What was learned, who chooses by it, and how both are brought up to date."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import Choice, Mean, Pin, StrategyName
from bot.learning import bandit as bandits
from bot.learning import replay as replays
from bot.learning.bandit import Bandit
from bot.learning.bound import lower_bound
from bot.learning.experience import Experience, Judged, Way
from bot.learning.identities import Identities
from bot.learning.kept import Kept
from bot.learning.live import live_gain
from bot.learning.policy import decided
from bot.learning.promotion import LEAST_GOLDEN, Entry, Gain, Promotions, Standing
from bot.learning.replay import Replay, held_out_gains
from bot.models.cards import ModelCard

KEPT_SECONDS = 300.0
BANDIT, MEANS, REPLAY = "bandit", "means", "replay"
MEANS_VERSION = 1

log = structlog.get_logger("bot.learning")


class Learning:
    """`cost_weight` (λ) and `latency_weight` (μ) say what utility is, as they do for the selector. `off`: labels are
    kept and nothing is made of them. `usable` gives the models that can be called (None: it is not known)."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Callable[[], datetime],
        *,
        cost_weight: float,
        latency_weight: float,
        off: bool = False,
        usable: Callable[[], Iterable[ModelCard]] | None = None,
    ) -> None:
        self._clock = clock
        self._cost_weight = cost_weight
        self._latency_weight = latency_weight
        self._off = off
        self._usable = usable
        self.promotions = Promotions(engine, clock)
        self._experience = Experience(engine)
        self._identities = Identities(engine)
        self._kept = Kept(engine)
        self._read_at: float | None = None
        self._means: Mapping[Way, Mean] = {}
        self._standing = Standing()
        self._bandit = Bandit.fresh()

    async def decide(self, choice: Choice, question_id: str, pins: Sequence[Pin] = ()) -> Choice:
        """The choice by whoever chooses now; a strategy that a person pinned is never changed."""
        if self._off or any(pin.strategy for pin in pins):
            return choice
        await self._fresh()
        return decided(choice, question_id, self._standing, self._bandit)

    async def means(self) -> Mapping[Way, Mean]:
        """The running mean of each way's quality, from evaluated golden questions and from labels, minutes old."""
        if self._off:
            return {}
        await self._fresh()
        return self._means

    async def standing(self) -> Standing:
        """Who chooses now, and why."""
        replay = await self._replay()
        golden = 0 if replay is None else int(np.isfinite(replay.quality).any(axis=1).sum())
        found = await self.promotions.standing()
        return replace(found, golden=golden, off=self._off, gone=self._is_gone(found.best))

    def _is_gone(self, best: Way | None) -> bool:
        if best is None or self._usable is None:
            return False
        return best[1] not in {card.name for card in self._usable()}

    async def reread(self) -> None:
        """Another process changed who chooses: the next question reads it."""
        self._read_at = None

    async def undo(self, id: int, by: str) -> Entry:
        """What `Promotions.undo` does, and it holds at once."""
        entry = await self.promotions.undo(id, by)
        self._read_at = None
        return entry

    async def take(self, replay: Replay, by: str = "evaluation") -> Entry | None:
        """Keeps a finished evaluation in place of the one before, and promotes or demotes by it."""
        await self._kept.put(REPLAY, replays.VERSION, replay.at, replay.to_json())
        return await self.update((), by)

    async def update(self, cards: Iterable[ModelCard], by: str) -> Entry | None:
        """Makes the bandit anew from all labels and considers who is to choose; gives the change, where there is one.

        `cards`: the usable models, so that what was learned of one that changed is forgotten.
        """
        if changed := await self._identities.note(cards, self._clock()):
            log.info("models_changed", models=changed)
        judged = await self._make()
        entry = None if self._off else await self.promotions.consider(await self._gain(judged), by)
        self._read_at = None
        log.info("learned", labels=len(judged), state=(await self.promotions.standing()).state)
        return entry

    async def _make(self) -> tuple[Judged, ...]:
        """Bandit and means from all labels; gives the labels."""
        now = self._clock()
        judged = await self._experience.read(now, await self._identities.since())
        self._bandit = await asyncio.to_thread(Bandit.learn, judged)
        self._means = running_means(judged, await self._measured())
        await self._kept.put(BANDIT, bandits.VERSION, now, self._bandit.to_json())
        await self._kept.put(MEANS, MEANS_VERSION, now, _means_to_json(self._means))
        return judged

    async def _gain(self, judged: Sequence[Judged]) -> Gain | None:
        """By golden questions where enough are evaluated, else by the chances that real answers were drawn with."""
        stamp = await self._experience.stamp()
        replay = await self._replay()
        if replay is not None:
            gain = await asyncio.to_thread(self._replayed, replay, judged, stamp)
            if gain is not None:
                return gain
        best = (await self.promotions.standing()).best
        found = live_gain(judged, best) if best is not None else None
        if found is None or best is None:
            return None
        mean, least, n = found
        if not np.isfinite(least):
            return None
        return Gain(mean=mean, least=least, n=n, source="judged answers", best=best, evidence=stamp)

    def _replayed(self, replay: Replay, judged: Sequence[Judged], stamp: str) -> Gain | None:
        # A golden question that came from an answer with a thumb must not be known to the bandit that is tried on it.
        golden = {_plain(text) for text in replay.texts}
        bandit = Bandit.learn(one for one in judged if _plain(one.text) not in golden)
        weights = {"cost_weight": self._cost_weight, "latency_weight": self._latency_weight}
        gains = held_out_gains(replay, bandit, **weights)
        if gains is None or len(gains.values) < LEAST_GOLDEN:
            return None
        least = lower_bound(gains.values, gains.groups)
        if not np.isfinite(least):
            return None
        return Gain(
            mean=float(gains.values.mean()),
            least=least,
            n=len(gains.values),
            source="golden questions",
            best=gains.best,
            evidence=f"{replay.at.isoformat()}, {stamp}, {weights}",
        )

    async def _fresh(self) -> None:
        """Reads everything anew every few minutes."""
        now = time.monotonic()
        if self._read_at is not None and now - self._read_at <= KEPT_SECONDS:
            return
        try:
            kept, means = await self._kept.get(BANDIT, bandits.VERSION), await self._kept.get(MEANS, MEANS_VERSION)
            if kept is None or means is None:
                await self._make()
            else:
                self._bandit, self._means = Bandit.from_json(kept), _means_from_json(means)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("learned_unsound", problem=str(error), next="it is made anew from the labels")
            await self._make()
        self._standing = await self.promotions.standing()
        self._read_at = now

    async def _replay(self) -> Replay | None:
        plain = await self._kept.get(REPLAY, replays.VERSION)
        return Replay.from_json(plain) if plain else None

    async def _measured(self) -> dict[Way, Mean]:
        """What the evaluation measured, without models that changed since."""
        replay = await self._replay()
        if replay is None:
            return {}
        since = await self._identities.since()
        return {way: mean for way, mean in replay.means().items() if replay.at >= since.get(way[1], replay.at)}


def running_means(judged: Iterable[Judged], measured: Mapping[Way, Mean]) -> dict[Way, Mean]:
    """The mean quality of each way over weighted labels and measured answers, each of which counts 1."""
    counts: defaultdict[Way, float] = defaultdict(float)
    sums: defaultdict[Way, float] = defaultdict(float)
    for one in judged:
        counts[one.way] += one.weight
        sums[one.way] += one.weight * one.value
    for way, mean in measured.items():
        counts[way] += mean.n
        sums[way] += mean.n * mean.mean
    return {way: Mean(n=n, mean=sums[way] / n) for way, n in counts.items() if n > 0}


def _means_to_json(means: Mapping[Way, Mean]) -> dict[str, Any]:
    return {"means": [[strategy.value, model, mean.n, mean.mean] for (strategy, model), mean in means.items()]}


def _means_from_json(plain: Mapping[str, Any]) -> dict[Way, Mean]:
    return {(StrategyName(strategy), model): Mean(n, mean) for strategy, model, n, mean in plain["means"]}


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
