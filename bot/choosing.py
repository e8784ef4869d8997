"""Which model a question goes to, and which one steps in where that cannot answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from bot.affording import afforded
from bot.circumstances import Surroundings
from bot.costs.budgets import Budgets, Spender
from bot.domain import Choice, Evidence, Pin, Question
from bot.errors import ContextTooLong, ModelError, ModelUnavailable, OverBudget, SwitchboardError, UnusableQuestion
from bot.learning.learning import Learning
from bot.models.cards import ModelCard
from bot.models.registry import Models
from bot.prompting import Prompting
from bot.selection import clarifying, modalities, reasons, wording
from bot.selection.channels import Channels
from bot.selection.estimates import is_offline
from bot.selection.room import Room
from bot.selection.selector import Circumstances, Selector
from bot.selection.switches import Switched, Switches
from bot.selection.trials import Trials, weighed
from bot.way import Way

log = structlog.get_logger("bot.assistant")

FALLBACK, _PERSON = "fallback", "person"
"""As `Choice.policy`: the model stands in for another; a person fixed the strategy."""
_NOBODYS = (reasons.CONFIGURED, reasons.TRIAL)
"""Where these name a model, it is nobody's own wish to have just that one."""
_WAY_OUT = "Ask again then, or take another model by `/model`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """What steps in for a model. `answer` and `vision` (for questions with images): names of models, in their order.

    `hedge_after`: the seconds of silence after which the next is asked as well, 0: never. `seconds`: once so many have
    gone by, no further model that may take long is asked.
    """

    answer: tuple[str, ...] = ()
    vision: tuple[str, ...] = ()
    hedge_after: float = 0.0
    seconds: float = 90.0

    def chain(self, question: Question) -> tuple[str, ...]:
        """The names for a question."""
        return (*self.vision, *self.answer) if modalities.IMAGE in question.needs else self.answer


class Choosing:
    """Pins, the selector and what was learned decide first; then come the chain and the selector's next best.

    Where somebody fixed the model, only the chain steps in.
    """

    def __init__(
        self,
        *,
        models: Models,
        selector: Selector,
        switches: Switches,
        trials: Trials,
        channels: Channels,
        surroundings: Surroundings,
        learning: Learning | None,
        prompting: Prompting,
        fallback: Fallback,
        budgets: Budgets,
        clock: Callable[[], datetime],
    ) -> None:
        self._models = models
        self._selector = selector
        self._switches = switches
        self._trials = trials
        self._channels = channels
        self._surroundings = surroundings
        self._learning = learning
        self._prompting = prompting
        self._fallback = fallback
        self._budgets = budgets
        self._clock = clock

    async def switched(self, question: Question) -> Switched:
        """The settings that hold for a question. Raises where it cannot be answered as it was asked."""
        switched = await self._switches.of(question)
        if switched.refusal is not None:
            raise switched.refusal
        if switched.arm is not None:
            await self._trials.note(question.id, switched.arm.trial, switched.arm.drawn)
        return switched

    async def first(self, way: Way, evidence: Evidence) -> Choice:
        """What is asked first. Raises where the model that somebody fixed, or every model, cannot be asked now."""
        known = await self._known(way)
        pins = self._pins(way, known)
        able = [card for card in self._models.usable() if not modalities.lacking(card, known.needs)]
        pin = _strongest(pins)
        if pin is not None and pin.model is not None and not self._can(pin.model, known):
            return self._instead_of(pin, way, evidence, pins, known)
        if known.needs and all(card.name in way.barred for card in able):
            raise UnusableQuestion(modalities.refusal(self._models, known.needs, way.barred))
        cards = self._models.usable()
        choice, note = afforded(self._selector, way.question, evidence, cards, pins, known)
        way.note = note or way.note
        await self._rolled_out(way, evidence, choice, pins, known)
        if known.broken:
            # What would have been chosen if all were well: its absence is part of what happened.
            well = self._selector.choose(way.question, evidence, cards, pins, replace(known, broken={})).option
            if well.available and well.model in known.broken:
                if not choice.option.available:
                    raise ModelUnavailable(f"{known.broken[well.model]} {_WAY_OUT}")
                way.told.append(reasons.of_left_alone(known.broken[well.model]))
        return self._told(way, await self._learned(way, evidence, choice, pins, known))

    async def _rolled_out(
        self, way: Way, evidence: Evidence, choice: Choice, pins: Sequence[Pin], known: Circumstances
    ) -> None:
        """Notes the question for every roll-out whose model is the best for it, whether or not that answers it."""
        if way.given is not None or any(pin.model for pin in pins):
            return
        for rollout in known.rollouts:
            if not rollout.stage.answers or not rollout.share(way.question.place.channel):
                continue
            drawn = rollout.model not in known.held
            if not drawn:
                held = {name: why for name, why in known.held.items() if name != rollout.model}
                cards = self._models.usable()
                best = self._selector.choose(way.question, evidence, cards, pins, replace(known, held=held))
            if (choice if drawn else best).option.model == rollout.model:
                await self._surroundings.rollouts.note(way.question.id, rollout, drawn=drawn)

    async def _learned(
        self, way: Way, evidence: Evidence, choice: Choice, pins: Sequence[Pin], known: Circumstances
    ) -> Choice:
        """The choice, or another one by what was learned; its chance is the one over both sides of a trial."""
        switched = way.switched
        assert switched is not None
        if self._learning is not None:
            choice = await self._learning.decide(choice, way.question.id, pins)
        if switched.arm is None or tuple(pins) != switched.pins:
            return choice
        other = self._selector.choose(way.question, evidence, self._models.usable(), switched.arm.others, known)
        if self._learning is not None:
            other = await self._learning.decide(other, way.question.id, switched.arm.others)
        return weighed(choice, other, switched.arm)

    async def stand_in(self, way: Way, evidence: Evidence, error: ModelError) -> Choice:
        """What is asked where the model of the way's choice failed. Raises `error` where nothing can step in."""
        assert way.choice is not None
        failed = self._models.card(way.choice.option.model)
        if way.text or way.given is not None:
            raise error  # no answer is put together from two models, and none is compared under another one's name
        if isinstance(error, OverBudget):
            if failed.name in way.closed:
                raise error
            way.closed.add(failed.name)
            return await self.first(way, evidence)
        again, way.stand_ins = way.stand_ins > 0, way.stand_ins + 1
        way.failed_models.append(failed.name)
        known = await self._known(way)
        pins = self._pins(way, known)
        too_long = isinstance(error, ContextTooLong)
        choice = self._next(way, evidence, pins, known, above=failed.context_window) if too_long else None
        larger = choice is not None
        choice = choice or self._next(way, evidence, pins, known)
        if choice is None:
            raise error
        log.warning("model_failed", question=way.question.id, model=failed.name, kind=error.kind)
        card = self._models.card(choice.option.model)
        way.told.append(
            reasons.of_overflow(failed, card)
            if larger
            else reasons.of_fallback(failed.name, str(error), card.name, tries=way.tries, again=again)
        )
        self._note(way, pins, "this is too long for it" if larger else "it did not answer", card)
        return choice

    async def larger(self, way: Way, evidence: Evidence) -> bool:
        """Whether there is a model with a larger context window that can read what the chosen one cannot."""
        assert way.choice is not None
        if way.given is not None:
            return False
        known = await self._known(way)
        card = self._models.card(way.choice.option.model)
        return self._next(way, evidence, self._pins(way, known), known, above=card.context_window) is not None

    async def rival(self, way: Way, evidence: Evidence) -> Choice | None:
        """What is asked as well where the chosen model is silent; None where somebody wants that one, or nothing is."""
        assert way.choice is not None
        known = await self._known(way)
        pins = self._pins(way, known)
        if any(pin.model and pin.scope not in _NOBODYS for pin in pins):
            return None
        choice = self._next(way, evidence, pins, known, without=way.choice.option.model)
        return None if choice is None or is_offline(self._models.card(choice.option.model)) else choice

    async def _known(self, way: Way) -> Circumstances:
        value = (await self._channels.of(way.question.place.channel)).value
        broken = self._models.breakers.broken(self._models.usable())
        room = await self._room(way)
        return await self._surroundings.now(
            value, way.barred, broken=broken, needs=way.question.needs, room=room, asked=way.question
        )

    async def _room(self, way: Way) -> Room | None:
        spender = Spender(channel=way.question.place.channel, person=way.question.asker, purpose=way.purpose)
        standings = await self._budgets.for_spender(spender, self._clock())
        return Room.left_by(
            standings,
            answer_tokens=self._prompting.answer_tokens,
            history_tokens=self._prompting.history_tokens,
            zone=self._budgets.zone,
            closed=way.closed,
        )

    def _pins(self, way: Way, known: Circumstances) -> tuple[Pin, ...]:
        """The pins to obey: a trial gives way where its model failed or cannot be asked now, and so does the configured
        model where it cannot take what the question is made of."""
        assert way.switched is not None
        unable = (card.name for card in self._models.usable() if not self._can(card.name, known))
        pins = way.switched.left({*way.failed_models, *unable})
        return tuple(pin for pin in pins if not self._is_in_the_way(pin, known))

    def _is_in_the_way(self, pin: Pin, known: Circumstances) -> bool:
        if pin.scope not in _NOBODYS or pin.model is None:
            return False
        return bool(modalities.lacking(self._models.card(pin.model), known.needs))

    def _can(self, model: str, known: Circumstances) -> bool:
        return model not in known.broken and not modalities.lacking(self._models.card(model), known.needs)

    def _instead_of(self, pin: Pin, way: Way, evidence: Evidence, pins: Sequence[Pin], known: Circumstances) -> Choice:
        assert pin.model is not None
        choice = self._next(way, evidence, pins, known) if way.given is None else None
        missing = modalities.lacking(self._models.card(pin.model), known.needs)
        why = f"It cannot {missing}." if missing else known.broken[pin.model]
        if choice is None:
            refused: SwitchboardError = ModelUnavailable(f"{reasons.of_model_pin(pin)} {why} {_WAY_OUT}")
            if missing:
                refused = UnusableQuestion(modalities.refusal(self._models, known.needs, way.barred, asked=pin.model))
            raise refused
        card = self._models.card(choice.option.model)
        way.told.append(reasons.of_unasked_pin(pin, why, card.name))
        self._note(way, pins, f"it cannot {missing}" if missing else "it fails at present", card)
        return choice

    def _note(self, way: Way, pins: Sequence[Pin], trouble: str, card: ModelCard) -> None:
        pin = _strongest(pins)
        if pin is not None and pin.scope not in _NOBODYS:
            way.note = reasons.of_another_model(pin, trouble, card.name)

    def _next(
        self,
        way: Way,
        evidence: Evidence,
        pins: Sequence[Pin],
        known: Circumstances,
        *,
        above: int = 0,
        without: str = "",
    ) -> Choice | None:
        """The next of the chain that can, else the selector's best of the rest. `above`: larger windows alone."""
        out = {without, *way.failed_models, *known.broken, *way.barred}
        late = time.monotonic() - way.started > self._fallback.seconds
        cards = [
            card
            for card in self._models.usable()
            if card.name not in out
            and card.context_window > above
            and not modalities.lacking(card, known.needs)
            and (not above if is_offline(card) else not late)
        ]
        left = tuple(replace(pin, model=None) for pin in pins if pin.strategy)
        for among in self._groups(way.question, cards, pins):
            rest = list(among)
            while rest:
                choice = self._told(way, self._selector.choose(way.question, evidence, rest, left, known))
                choice = choice if choice.policy == _PERSON else replace(choice, policy=FALLBACK)
                option = choice.option
                if not option.available:
                    break
                card = self._models.card(option.model)
                if not above or self._prompting.fits(way.question, evidence, option.strategy, card):
                    return choice
                rest = [one for one in rest if one.name != option.model]
        return None

    def _groups(
        self, question: Question, cards: Sequence[ModelCard], pins: Sequence[Pin]
    ) -> Iterator[Sequence[ModelCard]]:
        """What is fixed where a trial gave way; each of the chain by itself, in its order; then, where nobody fixed a
        model, all the others."""
        fixed = [pin.model for pin in pins if pin.model][:1]
        chain = [*fixed, *(self._models.card(name).name for name in self._fallback.chain(question))]
        for name in dict.fromkeys(chain):
            yield [card for card in cards if card.name == name]
        if not fixed:
            yield [card for card in cards if card.name not in chain]

    @staticmethod
    def _told(way: Way, choice: Choice) -> Choice:
        """With what the choice rests on beside its evidence."""
        after = [*way.switched.said] if way.switched is not None else []
        after += [reasons.of_search(way.searched)] if wording.leans(way.question) else []
        after += [clarifying.of_answer(way.question.meant)] if way.question.meant else []
        after += [f"{way.enclosed.told} came with the question."] if way.enclosed and way.enclosed.told else []
        return replace(choice, reasons=(*choice.reasons, *after))


def _strongest(pins: Sequence[Pin]) -> Pin | None:
    """The pin whose model counts."""
    return next((pin for pin in pins if pin.model), None)
