"""Whether fine-tuning is worth it: four questions, answered by the team's own figures, and what follows from them.

Break-even: so many questions N after which what it costs once is saved, N = C ÷ (a − t), where C is the training and
people's time in US dollars, a what an answer of the best other way costs, and t what one of the tuned model will. Where
a ≤ t nothing is ever saved, and only better answers can pay. What is not known is said to be, with the command that
makes it known: no figure is guessed, and unknown is not zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import Literal

from bot.costs.money import dollars, roughly
from bot.models.cards import ModelCard
from bot.tuning.report import ADVISED

HEADROOM = 0.05
"""Quality that is missing to 1.0, below which another model cannot win enough to be seen."""
FEW_A_WEEK = 5.0
MOST_WEEKS = 52.0
"""Models, documents and teams change sooner than a break-even that takes longer."""
KNOWLEDGE = 0.1
"""Where the best way that reads documents is so much better than the best that does not, facts are what is missing."""
_SHOWN = 5

Verdict = Literal["no", "unknown", "maybe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A kind of question. `words` tell what it is about; shares are 0 to 1; cost in US dollars and seconds are means
    an answer, None where unknown."""

    words: tuple[str, ...]
    a_week: float
    disliked: float
    unanswered: float
    cost: Decimal | None
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """How a way did on the golden questions. `low` and `high`: the interval of its quality."""

    name: str
    reads: bool
    tuned: bool
    quality: float
    low: float | None
    high: float | None
    cost: Decimal | None
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All that is known. `golden`: the evaluation's name, "" where there is none. `tokens`: of the data set, an epoch.

    `prompt` and `answer`: mean tokens of an answer now, `short_prompt` of one by a tuned model. `minutes` of a person
    for each row that is missing; `hourly`: US dollars for an hour of theirs.
    """

    topics: Sequence[Topic]
    asked: int
    weeks: float
    golden: str
    golden_questions: int
    baselines: Sequence[Baseline]
    base: ModelCard | None
    base_cost: Decimal | None
    dataset: str
    rows: int | None
    tokens: int | None
    epochs: int
    training: Decimal | None
    prompt: float | None
    answer: float | None
    short_prompt: float | None
    minutes: float | None
    hourly: Decimal | None

    @property
    def best(self) -> Baseline | None:
        """The best way that is not tuned."""
        return max((one for one in self.baselines if not one.tuned), key=lambda one: one.quality, default=None)

    @property
    def missing_rows(self) -> int | None:
        """How many rows lack to the number that is advised."""
        return None if self.rows is None else max(0, ADVISED - self.rows)

    @property
    def people(self) -> Decimal | None:
        """US dollars of people's time for the rows that are missing."""
        if self.missing_rows == 0:
            return Decimal(0)
        if self.missing_rows is None or self.minutes is None or self.hourly is None:
            return None
        return Decimal(self.missing_rows) * Decimal(str(self.minutes)) / 60 * self.hourly

    @property
    def once(self) -> Decimal | None:
        """US dollars that it costs once: training for all epochs, and people's time."""
        return None if self.training is None or self.people is None else self.training * self.epochs + self.people

    @property
    def saved(self) -> Decimal | None:
        """US dollars that an answer costs less; negative where it costs more."""
        best = self.best
        return None if best is None or best.cost is None or self.base_cost is None else best.cost - self.base_cost

    @property
    def break_even(self) -> int | None:
        """Questions after which it has paid for itself; None where that is never, or not known."""
        if self.once is None or self.saved is None or self.saved <= 0:
            return None
        return int((self.once / self.saved).to_integral_value(ROUND_UP))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The answers. `reasons` for the verdict; `missing`: what would have to be known, each with the way to it."""

    use_case: tuple[str, ...]
    alternatives: tuple[str, ...]
    costs: tuple[str, ...]
    benefits: tuple[str, ...]
    verdict: Verdict
    reasons: tuple[str, ...]
    missing: tuple[str, ...]
    break_even: int | None

    @property
    def headline(self) -> str:
        """The verdict in a sentence."""
        return {
            "no": "Do not fine-tune.",
            "unknown": "It cannot be said yet whether fine-tuning pays.",
            "maybe": "Nothing speaks against trying a fine-tune.",
        }[self.verdict]


def plan(figures: Figures) -> Plan:
    """What the figures say."""
    reasons, missing = tuple(_against(figures)), tuple(_missing(figures))
    return Plan(
        use_case=tuple(_use_case(figures)),
        alternatives=tuple(_alternatives(figures)),
        costs=tuple(_costs(figures)),
        benefits=tuple(_benefits(figures)),
        verdict="no" if reasons else "unknown" if missing else "maybe",
        reasons=reasons,
        missing=missing,
        break_even=figures.break_even,
    )


def _use_case(found: Figures) -> Iterable[str]:
    if not found.topics:
        yield "Nobody asked anything in public in the last weeks."
        return
    yield f"{found.asked:,} questions were asked in public in {found.weeks:.0f} weeks. The kinds that are asked most:"
    for topic in found.topics[:_SHOWN]:
        cost = "price unknown" if topic.cost is None else roughly(topic.cost)
        seconds = "" if topic.seconds is None else f", {topic.seconds:.1f} s"
        wrong = f"{topic.disliked:.0%} 👎, {topic.unanswered:.0%} without an answer"
        yield f"“{' '.join(topic.words)}”: {topic.a_week:.1f} a week, {wrong}, {cost}{seconds} an answer"


def _alternatives(found: Figures) -> Iterable[str]:
    if not found.baselines:
        yield "Nothing was measured on golden questions yet."
        return
    yield f"By the evaluation “{found.golden}” on {found.golden_questions} golden questions:"
    for one in sorted(found.baselines, key=lambda one: -one.quality):
        cost = "price unknown" if one.cost is None else roughly(one.cost)
        seconds = "" if one.seconds is None else f", {one.seconds:.1f} s"
        range = "" if one.low is None or one.high is None else f" ({one.low:.2f} to {one.high:.2f})"
        yield f"{one.name}: quality {one.quality:.2f}{range}, {cost}{seconds} an answer"


def _costs(found: Figures) -> Iterable[str]:
    if found.base is None:
        yield "No base model is named."
    else:
        tunable = {True: "can be tuned", False: "cannot be tuned", None: "may be tunable: its card does not say"}
        yield f"{found.base.name} {tunable[found.base.fine_tunable]}."
    if found.rows is None:
        yield "There is no training data yet."
    else:
        yield f"The data set {found.dataset} has {found.rows} rows; {found.missing_rows} lack to {ADVISED}."
    if found.people is not None:
        yield f"People's time for the rows that lack: {dollars(found.people)}."
    if found.training is not None:
        yield f"Training: {dollars(found.training * found.epochs)} for {found.epochs} epochs."
    if found.base_cost is not None:
        yield f"Running: about {roughly(found.base_cost)} an answer, at the prices of {_name(found)}."


def _benefits(found: Figures) -> Iterable[str]:
    best = found.best
    if best is not None:
        yield f"At most {1 - best.quality:.2f} of quality can be won over {best.name}."
    if found.prompt is not None and found.short_prompt is not None:
        less = found.prompt - found.short_prompt
        yield f"A tuned model's prompt has {found.short_prompt:.0f} tokens, {less:.0f} fewer than now."
    if found.saved is not None:
        more = "less" if found.saved > 0 else "more"
        yield f"An answer costs {roughly(abs(found.saved))} {more}."
    if found.break_even is not None:
        yield f"Break-even after {found.break_even:,} questions{_weeks_words(found)}."
    if found.rows:
        yield "The data set stays of use: the next base model is tuned on it, and its examples serve few-shot prompts."


def _against(found: Figures) -> Iterable[str]:
    """What speaks against it, as far as it is known."""
    best, base = found.best, found.base
    if base is not None and base.fine_tunable is False:
        yield f"{base.name} cannot be tuned. `switchboard models list tunable:yes` lists what can."
    if base is not None and base.shutdown is not None:
        yield f"{base.name} is shut down on {base.shutdown}, and what is tuned on it with it."
    if found.topics and sum(topic.a_week for topic in found.topics) < FEW_A_WEEK:
        yield f"Fewer than {FEW_A_WEEK:.0f} questions a week are asked: nobody would notice."
    if found.rows is not None and found.rows < ADVISED:
        yield f"{found.rows} rows are too few: at least {ADVISED} are advised. Save more examples first."
    if best is not None and 1 - best.quality < HEADROOM:
        yield f"{best.name} has a quality of {best.quality:.2f} already: there is hardly anything to win."
    if best is not None and best.reads:
        plain = max((one.quality for one in found.baselines if not one.reads and not one.tuned), default=None)
        if plain is not None and best.quality - plain >= KNOWLEDGE:
            yield (
                f"What answers need is knowledge: with documents the quality is {best.quality:.2f}, without "
                f"{plain:.2f}. Facts that change belong in documents: a tuned model learns how to say a thing, and "
                "keeps what was true."
            )
    weeks = _weeks(found)
    if weeks is not None and weeks > MOST_WEEKS:
        yield f"It pays for itself after {weeks:.0f} weeks: models and questions change sooner."
    if found.saved is not None and found.saved <= 0 and best is not None and 1 - best.quality < 2 * HEADROOM:
        yield "An answer would cost no less, and there is little quality to win."


def _missing(found: Figures) -> Iterable[str]:
    if not found.topics:
        yield "what people ask: let them ask for some weeks"
    if found.best is None:
        yield "how good the other ways are: `switchboard evaluate golden.jsonl`"
    elif found.best.cost is None:
        yield f"what {found.best.name} costs: state `rates` on its card"
    if found.base is None:
        yield "which model is to be tuned: `switchboard tune plan --model NAME`"
    else:
        if found.base.fine_tunable is None:
            yield f"whether {found.base.name} can be tuned: state `fine_tunable` on its card"
        if found.base_cost is None:
            yield f"what an answer of {found.base.name} costs: state `rates` or `free` on its card"
    if found.rows is None:
        yield "what there is to train on: `switchboard tune data`"
    elif found.base is not None and found.training is None:
        yield f"what training costs: state `training_rate` on the card of {found.base.name} (0 on a machine of yours)"
    if found.rows is not None and found.people is None:
        yield "what people's time for the data costs: `--minutes` a row and `--hourly` dollars"


def _weeks(found: Figures) -> float | None:
    a_week = found.asked / found.weeks if found.weeks else 0.0
    return found.break_even / a_week if found.break_even is not None and a_week else None


def _weeks_words(found: Figures) -> str:
    weeks = _weeks(found)
    return "" if weeks is None else f", {weeks:.1f} weeks at today's pace"


def _name(found: Figures) -> str:
    return found.base.name if found.base else "the base model"
