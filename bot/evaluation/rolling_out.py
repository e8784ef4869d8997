"""How a roll-out stands, whether it may go on, and what speaks for rolling it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.errors import NotProven, RolloutMoved, SwitchboardError
from bot.evaluation import regression
from bot.evaluation.regret import regret, told_gain
from bot.evaluation.shadows import Shadows
from bot.evaluation.sides import Compared, Side, compare, read_sides
from bot.evaluation.statistics import Interval
from bot.evaluation.trial_report import verdict
from bot.models.cards import ModelCard
from bot.selection.fits import Fits
from bot.selection.guards import proven_by_cards
from bot.selection.rollouts import EVERYWHERE, Rollout, Stage
from bot.storage.rollout_tables import rollout_questions
from bot.storage.tuning_run_tables import tuning_runs

if TYPE_CHECKING:
    from bot.core import Core

RULE = "rule"
"""Who moved a roll-out that nobody moved by hand."""
JUDGED = 30
"""So many shadow answers have to be judged before a rule lets a model answer anybody."""
ANSWERS = 100
"""So many answers each side takes before a rule lets a model answer everywhere."""
WORSE = 0.05
"""By no more quality (0 to 1) than this may a shadow's answers be worse, at the lower end of the 95% range."""
SLOWER = 1.5
"""So many times as long may an answer take, between the ranges that hold the medians."""
CANARY_SHARE = 0.1
"""The share that a rule begins with, in all channels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A roll-out with its figures. `compared`: the questions that it was chosen for since it answers a share of them,
    those that it answered beside the rest; `gain`: the quality of its shadow answers above those that people saw, and
    `judged` how many; `missing`: why it cannot be used, "" where it can; `lost`: what it
    has lost beside its base, None where nobody looked."""

    rollout: Rollout
    compared: Compared
    gain: Interval
    judged: int
    missing: str = ""
    lost: regression.Regression | None = None

    @property
    def fall(self) -> str:
        """Why it is to be rolled back, as a sentence; "" where nothing speaks for it. The ranges are those of 95%."""
        if not self.rollout.stage.answers or self.compared.too_few:
            return ""
        tried, rest = self.compared.tried, self.compared.rest
        if self.compared.better is not None and self.compared.better.sign < 0:
            return f"Its answers are liked less. {verdict(self.compared)}"
        if self.compared.cheaper is not None and self.compared.cheaper.sign > 0:
            return f"Its answers are dearer. {verdict(self.compared)}"
        if _is_slower(tried, rest):
            assert tried.seconds is not None
            assert rest.seconds is not None
            return f"Its answers take {tried.seconds.value:.1f} s, the others {rest.seconds.value:.1f} s (medians)."
        return ""

    @property
    def next(self) -> Stage | None:
        """The stage that the figures speak for; None where they say nothing yet."""
        compared, low = self.compared, self.gain.low
        if self.fall:
            return Stage.ROLLED_BACK
        if self.rollout.stage is Stage.SHADOW and self.judged >= JUDGED and low is not None and low >= -WORSE:
            return Stage.CANARY
        enough = min(compared.tried.answers, compared.rest.answers) >= ANSWERS
        gains = (compared.cheaper is not None and compared.cheaper.sign < 0) or (
            compared.better is not None and compared.better.sign > 0
        )
        return Stage.FULL if self.rollout.stage is Stage.CANARY and enough and gains else None

    @property
    def told(self) -> str:
        """The figures that its stage has, in one or two sentences."""
        if self.rollout.stage.answers:
            return verdict(self.compared)
        if self.rollout.stage is not Stage.SHADOW:
            return ""
        if self.gain.mean is None:
            return "None of its shadow answers is judged yet."
        return f"{self.judged} shadow answers judged; quality above those that people saw: {told_gain(self.gain)}."


class RollingOut:
    """Reads how roll-outs stand, and moves them."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._rollouts = core.rollouts
        self._fits = Fits(core.engine)

    async def standings(self) -> tuple[Standing, ...]:
        """Every roll-out with its figures, by the model's name."""
        return tuple([await self.standing(rollout) for rollout in await self._rollouts.all()])

    async def standing(self, rollout: Rollout) -> Standing:
        """One roll-out with its figures."""
        wanted = (rollout_questions.c.model == rollout.model, rollout_questions.c.step == rollout.step)
        sides = await read_sides(self._core.engine, rollout_questions, rollout_questions.c.step, wanted)
        shadows = [
            shadow
            for shadow in await Shadows(self._core.engine).drawn(rollout.at, self._core.clock())
            if shadow.other is not None and shadow.other.model == rollout.model
        ]
        found = regret(shadows)
        return Standing(
            rollout=rollout,
            compared=compare(*(sides.get((rollout.step, drawn), []) for drawn in (True, False))),
            gain=found.gain,
            judged=found.judged,
            missing=self._missing(rollout.model),
            lost=await self._lost(rollout.model),
        )

    async def advance(
        self, seen: Rollout, to: Stage, *, by: str, why: str = "", shares: Mapping[str, float] | None = None
    ) -> Rollout:
        """Takes a model to another stage. Raises what `Rollouts.move` does, and NotProven where a fine-tuned model that
        was not shown to beat the others, or has lost what its base knows, is to answer people."""
        if to.answers:
            await self._need_proof(self._core.models.model(seen.model).card)
        return await self._rollouts.move(seen, to, by=by, why=why, shares=shares)

    async def follow_rules(self, *, promote: bool) -> list[tuple[Rollout, str]]:
        """Rolls back what fell and retires what has ended, and with `promote` takes further what has earned it; gives
        the roll-outs that were moved, each with the reason."""
        moved = []
        for standing in await self.standings():
            to, why = await self._ruled(standing)
            if to is None or (not promote and to in (Stage.CANARY, Stage.FULL)):
                continue
            shares = {EVERYWHERE: CANARY_SHARE} if to is Stage.CANARY else None
            try:
                moved.append((await self.advance(standing.rollout, to, by=RULE, why=why, shares=shares), why))
            except (RolloutMoved, NotProven):  # somebody else was faster; or it waits for its golden questions
                continue
        return moved

    async def _ruled(self, standing: Standing) -> tuple[Stage | None, str]:
        if standing.rollout.stage is not Stage.RETIRED and (ended := await self._ended(standing.rollout.model)):
            return Stage.RETIRED, ended
        return standing.next, standing.fall or standing.told

    async def _ended(self, model: str) -> str:
        """Why a model cannot be asked any more, as a sentence: it or the one that it was tuned from has ended."""
        catalogue, today = self._core.models.catalogue, self._core.clock().date()
        card = next((card for card in catalogue.cards if card.name == model), None)
        if card is None:
            return "" if await self._is_registered(model) else "It is not among the models any more."
        for end in (await self._core.lifecycle.shutdowns(catalogue)).values():
            ended = catalogue.get(end.card)
            if end.day <= today and (ended.name == card.name or _is_base(ended, card)):
                what = "It" if ended.name == card.name else f"The model that it was tuned from, “{ended.name}”,"
                return f"{what} ended on {end.day:%d %B %Y}."
        return ""

    async def _is_registered(self, model: str) -> bool:
        """Whether it was tuned here and is registered, though this process has not read it yet."""
        there = (tuning_runs.c.registered_at.is_not(None), tuning_runs.c.retired_at.is_(None))
        async with self._core.engine.connect() as connection:
            cards = (await connection.execute(sa.select(tuning_runs.c.card).where(*there))).scalars().all()
        return any(card["name"] == model for card in cards)

    async def _need_proof(self, card: ModelCard) -> None:
        """Raises NotProven where a tuned model was not shown to be better, or to have lost nothing."""
        if card.fine_tune is None:
            return
        if card.name not in {*(await self._fits.current()).proven, *proven_by_cards(self._core.models.usable())}:
            raise NotProven(
                f"“{card.name}” has not been shown to beat the other models on golden questions, so it answers nobody. "
                "`switchboard evaluate` measures it beside them."
            )
        found = await regression.last(self._core, card)
        if found is None:
            raise NotProven(
                f"Nobody knows what “{card.name}” has forgotten: `switchboard models regressions {card.name} --base "
                "NAME` asks it and the model that it was tuned from general questions and safety questions."
            )
        if found.has_lost:
            raise NotProven(f"“{card.name}” has lost too much, so it answers nobody. {found.told}")

    async def _lost(self, model: str) -> regression.Regression | None:
        card = next((card for card in self._core.models.catalogue.cards if card.name == model), None)
        return None if card is None else await regression.last(self._core, card)

    def _missing(self, model: str) -> str:
        try:
            self._core.models.model(model)
        except SwitchboardError as error:
            return str(error)
        return ""


def _is_base(card: ModelCard, tuned: ModelCard) -> bool:
    """Whether it was tuned from another one: its card says so, or its id, as `ft:gpt-x:team::id`, has that one's."""
    if tuned.fine_tune is None or card.name == tuned.name:
        return False
    return tuned.fine_tune.base == card.name or card.model_id in tuned.model_id


def _is_slower(tried: Side, rest: Side) -> bool:
    if tried.seconds is None or rest.seconds is None or tried.seconds.low is None or rest.seconds.high is None:
        return False
    return tried.seconds.low > SLOWER * rest.seconds.high
