"""What decides which model answers a question: every setting that bears on it, and which of them holds.

The strongest first: the question itself, its thread, the person, a trial of the channel, the channel, the workspace,
the configuration; where none holds, the selector chooses. A model that may not be used here is passed over, and said
so. Only where it was asked for with this very question, the question is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.domain import Pin, Question
from bot.errors import ModelError, ModelNotFound, NotAllowed, SwitchboardError, UnknownModel
from bot.models.cards import ModelCard
from bot.models.registry import Models
from bot.selection import reasons
from bot.selection.data_rules import DataRules
from bot.selection.pins import Pins
from bot.selection.reasons import CONFIGURED, TRIAL
from bot.selection.trials import Arm, Trial, Trials

State = Literal["applies", "overruled", "share", "barred", "broken"]
_GIVES_WAY = frozenset({CONFIGURED, TRIAL})
"""Where these name a model that cannot be called, the question is answered without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting that names a model. `state`: it "applies"; a stronger one "overruled" it; it holds for a "share" of
    the questions (or, for what a trial leaves, the rest); its model is "barred" here, or "broken": it cannot be called.
    `detail`: for the last two why, as a sentence."""

    pin: Pin
    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """What holds for one question. `settings`: all that name a model, strongest first. `pins`: those to obey, with
    models by the names of their cards. `said`: a sentence for each that was passed over and for a trial's other side.
    `refusal`: why the question cannot be answered as it was asked. `trial` runs in the channel; `arm`: the question's
    side of it."""

    settings: tuple[Setting, ...]
    pins: tuple[Pin, ...]
    said: tuple[str, ...] = ()
    refusal: SwitchboardError | None = None
    trial: Trial | None = None
    arm: Arm | None = None

    @property
    def model(self) -> str | None:
        """The only model that may answer."""
        return next((pin.model for pin in self.pins if pin.model), None)

    @property
    def holding(self) -> Setting | None:
        """The setting that decides; None where the selector does."""
        return next((setting for setting in self.settings if setting.state == "applies"), None)

    @property
    def trial_share(self) -> Trial | None:
        """The trial, where it answers its share of the questions."""
        return self.trial if any(setting.state == "share" for setting in self.settings) else None

    def left(self, failed: Collection[str]) -> tuple[Pin, ...]:
        """The pins to obey once some models failed: a trial gives way to what holds without it."""
        gives_way = self.arm is not None and self.arm.drawn and self.model in failed
        return self.arm.others if self.arm is not None and gives_way else self.pins


@dataclass(slots=True)
class _Found:
    """What becomes of some pins, strongest first."""

    settings: list[Setting]
    pins: list[Pin]
    said: list[str]
    refusal: SwitchboardError | None = None
    taken: Pin | None = None


class Switches:
    """`default`: the name of the model that the configuration sets, or "auto"."""

    def __init__(self, pins: Pins, trials: Trials, rules: DataRules, models: Models, default: str = "auto") -> None:
        self._pins = pins
        self._trials = trials
        self._rules = rules
        self._models = models
        self._default = default

    async def of(self, question: Question) -> Switched:
        """What holds for a question. One without an id has not been asked yet: which side of a trial it will be on is
        not known, and the settings are those of the side that goes on as before."""
        channel = question.place.channel
        pins = list(await self._pins.of(question))
        if self._default != "auto":
            pins.append(Pin(scope=CONFIGURED, model=self._default))
        trial = await self._trials.running(channel)
        plain = await self._resolved(channel, pins)
        if trial is None:
            return _switched(plain)
        place = next((n for n, pin in enumerate(pins) if pin.scope not in ("question", "thread", "person")), len(pins))
        tried = await self._resolved(channel, [*pins[:place], trial.pin, *pins[place:]])
        if tried.taken is None or tried.taken.scope != TRIAL:  # a stronger one holds, or its model cannot be asked
            return replace(_switched(tried), trial=trial)
        if not question.id:
            return replace(_switched(plain), settings=_shared(tried, plain), trial=trial)
        if trial.draws(question.id):
            arm = Arm(trial, True, tuple(plain.pins))
            return replace(_switched(tried), trial=trial, arm=arm)
        arm = Arm(trial, False, tuple(tried.pins))
        said = (*plain.said, reasons.of_other_side(trial.model, trial.share))
        return replace(_switched(plain), settings=_shared(tried, plain), said=said, trial=trial, arm=arm)

    async def _resolved(self, channel: str, pins: Sequence[Pin]) -> _Found:
        found = _Found([], [], [])
        for pin in pins:
            if pin.model is None or found.taken is not None or found.refusal is not None:
                found.pins.append(pin)
                if pin.model is not None:
                    found.settings.append(Setting(pin=pin, state="overruled"))
                continue
            await self._weigh(found, channel, pin)
        return found

    async def _weigh(self, found: _Found, channel: str, pin: Pin) -> None:
        """Whether a pin's model can be asked, and what follows where it cannot."""
        assert pin.model is not None
        try:
            card = self._chat_model(pin.model)
        except (UnknownModel, ModelError) as error:
            found.settings.append(Setting(pin=pin, state="broken", detail=str(error)))
            if pin.scope in _GIVES_WAY:
                self._pass_over(found, pin, str(error))
            else:
                found.refusal = error
            return
        if why := await self._rules.against(channel, card):
            found.settings.append(Setting(pin=pin, state="barred", detail=why))
            if pin.scope == "question":
                found.refusal = await self._refused(channel, card)
            else:
                self._pass_over(found, pin, why)
            return
        found.taken = replace(pin, model=card.name)
        found.pins.append(found.taken)
        found.settings.append(Setting(pin=found.taken, state="applies"))

    def _chat_model(self, name: str) -> ModelCard:
        """Raises UnknownModel, or the ModelError that says why it cannot be asked."""
        card = self._models.card(name)
        if card.task != "chat":
            raise ModelNotFound(f"“{card.name}” answers no questions. `/model list` shows the models that do.")
        return self._models.model(name).card

    async def _refused(self, channel: str, card: ModelCard) -> NotAllowed | None:
        try:
            await self._rules.check(channel, card)
        except NotAllowed as error:
            return error
        return None

    @staticmethod
    def _pass_over(found: _Found, pin: Pin, why: str) -> None:
        found.said.append(reasons.of_passed_over(pin, why))
        if pin.strategy is not None:
            found.pins.append(replace(pin, model=None))


def _switched(found: _Found) -> Switched:
    return Switched(
        settings=tuple(found.settings), pins=tuple(found.pins), said=tuple(found.said), refusal=found.refusal
    )


def _shared(tried: _Found, plain: _Found) -> tuple[Setting, ...]:
    """The settings of both sides of a trial: the trial holds for its share, and what holds without it for the rest."""
    before = {setting.pin.scope: setting for setting in plain.settings}
    return tuple(
        replace(setting, state="share") if setting.pin.scope == TRIAL else before[setting.pin.scope]
        for setting in tried.settings
    )
