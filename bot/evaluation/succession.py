"""What a successor would have made of the questions that a model answered of late: cost, time and quality."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import sqrt
from statistics import fmean, median, stdev

import sqlalchemy as sa
import structlog

from bot.core import Core
from bot.domain import Evidence
from bot.errors import ModelError, SwitchboardError
from bot.evaluation.budget import most_cost
from bot.evaluation.ends import LOOKED_BACK
from bot.evaluation.golden import Golden
from bot.evaluation.judge import Nonsense
from bot.evaluation.pairs import TOKENS, compared, comparing
from bot.evaluation.scorers import SUPPORTED, Given, Scorers
from bot.evaluation.shadow_admission import Admission, Admitted, AudienceNow, Skipped
from bot.evaluation.shadowing import ONCE, judge_card, nobodys
from bot.gate import Gate, Tab
from bot.models.cards import ModelCard
from bot.selection import wording
from bot.storage.tables import questions
from bot.strategies.citing import Citing
from knowledge.errors import KnowledgeError

log = structlog.get_logger("bot.evaluation")

PURPOSE = "evaluate"
QUESTIONS = 20
"""So many are asked at most, the newest first."""
FEWEST = 5
"""Below, nothing is said of the difference in quality."""
_Z = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One question: what its answer cost in US dollars, took in seconds and was worth (0 to 1), before and after. An
    unknown price or quality is None."""

    cost: tuple[Decimal | None, Decimal | None]
    seconds: tuple[float, float]
    quality: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """A successor beside the model that ends, on the same questions. `spent`: US dollars for asking it; `measure`: what
    the qualities are by, "judge" or "supported"; `stopped`: why no more were asked, "" where all were."""

    pairs: tuple[Pair, ...]
    spent: Decimal
    measure: str
    stopped: str = ""

    @property
    def cost(self) -> tuple[Decimal, Decimal] | None:
        """US dollars an answer, before and after, over the questions where both are known."""
        known = [(old, new) for old, new in (pair.cost for pair in self.pairs) if old is not None and new is not None]
        if not known:
            return None
        return sum(old for old, _ in known) / Decimal(len(known)), sum(new for _, new in known) / Decimal(len(known))

    @property
    def seconds(self) -> tuple[float, float] | None:
        """The medians."""
        if not self.pairs:
            return None
        return median(pair.seconds[0] for pair in self.pairs), median(pair.seconds[1] for pair in self.pairs)

    @property
    def quality(self) -> tuple[float, float, int] | None:
        """The mean difference (after − before), half the width of its 95% range, and on how many questions."""
        differences = [pair.quality[1] - pair.quality[0] for pair in self.pairs if pair.quality is not None]
        if len(differences) < FEWEST:
            return None
        return fmean(differences), _Z * stdev(differences) / sqrt(len(differences)), len(differences)


class Replaying:
    """Asks a successor what the other one answered in the last 30 days, within `selection.shadow_budget`.

    The questions go nowhere that they could not go before: private ones, those whose audience is smaller now and those
    that the successor may not be asked are left out. Nothing of it is shown to anybody.
    """

    def __init__(self, core: Core, audience: AudienceNow) -> None:
        self._core = core
        self._admission = Admission(core, audience)
        self._scorers = Scorers(core.assistant.embedder)
        self._gate = Gate(ledger=core.ledger, prices=core.prices, clock=core.clock, patience=ONCE)

    async def of(self, model: ModelCard, successor: ModelCard, now: datetime) -> Succession:
        """The comparison, as far as questions and money go."""
        left, spent = self._core.settings.selection.shadow_budget, Decimal(0)
        pairs, stopped, measure = list[Pair](), "", ""
        for question_id in await self._answered_by(model, now):
            if len(pairs) == QUESTIONS:
                break
            try:
                admitted = await self._admission.admit(question_id, also_pinned=True)
                if successor.name in await self._core.data_rules.barred(admitted.question.place.channel):
                    continue
                held = await self._most(admitted, successor)
                if held is None or spent + held > left:
                    stopped = "its price is unknown" if held is None else f"more would cost over ${left}"
                    break
                pair, measure, paid = await self._asked(admitted, successor)
            except Skipped:
                continue
            except (SwitchboardError, KnowledgeError) as error:
                stopped = str(error)
                break
            spent += paid
            pairs.append(pair)
        log.info("replayed", model=model.name, successor=successor.name, questions=len(pairs), stopped=stopped)
        return Succession(pairs=tuple(pairs), spent=spent, measure=measure, stopped=stopped)

    async def _answered_by(self, model: ModelCard, now: datetime) -> Sequence[str]:
        option = questions.c.receipt["choice"]["option"]["model"].as_string()
        query = (
            sa.select(questions.c.id)
            .where(
                questions.c.asked_at >= now - LOOKED_BACK,
                questions.c.answer.is_not(None),
                option == model.name,
                questions.c.receipt["outcome"].as_string() == "answered",
            )
            .order_by(questions.c.asked_at.desc(), questions.c.id)
            .limit(10 * QUESTIONS)
        )
        async with self._core.engine.connect() as connection:
            return (await connection.execute(query)).scalars().all()

    async def _most(self, admitted: Admitted, successor: ModelCard) -> Decimal | None:
        """US dollars that asking and judging may cost at most; None where a price is unknown."""
        evidence = await self._evidence(admitted)
        limit = self._core.settings.answers.max_tokens
        prompt = self._core.assistant.prompt(
            admitted.question, evidence, admitted.receipt.choice.option.strategy, successor
        )
        asking = most_cost(self._core.prices, successor, prompt, limit)
        judge = await judge_card(self._core, admitted.question.place.channel)
        if judge is None or asking is None:
            return asking
        longest = comparing(admitted.question.text, admitted.answer, "word " * limit, evidence.passages)
        judging = most_cost(self._core.prices, judge, longest, TOKENS)
        return None if judging is None else asking + judging

    async def _evidence(self, admitted: Admitted) -> Evidence:
        question = admitted.question
        return await self._core.assistant.evidence(wording.search_text(question), question.audience.scopes)

    async def _asked(self, admitted: Admitted, successor: ModelCard) -> tuple[Pair, str, Decimal]:
        evidence, tab = await self._evidence(admitted), Tab()
        started = self._core.clock()
        prompt = self._core.assistant.prompt(
            admitted.question, evidence, admitted.receipt.choice.option.strategy, successor
        )
        citing, model = Citing(prompt), self._core.models.model(successor.name)
        stream = self._gate.stream(
            nobodys(admitted.question),
            model,
            prompt,
            max_tokens=self._core.settings.answers.max_tokens,
            tab=tab,
            purpose=PURPOSE,
        )
        async with aclosing(stream) as pieces:
            said = [citing.feed(piece) async for piece in pieces]
        answer, seconds = "".join(said) + citing.close(), (self._core.clock() - started).total_seconds()
        cost, judged = tab.amount, Tab()
        measure, worth = await self._worth(admitted, answer, evidence, judged)
        pair = Pair(
            cost=(admitted.receipt.price.amount, cost), seconds=(admitted.receipt.seconds, seconds), quality=worth
        )
        return pair, measure, (cost or Decimal(0)) + (judged.amount or Decimal(0))

    async def _worth(
        self, admitted: Admitted, answer: str, evidence: Evidence, tab: Tab
    ) -> tuple[str, tuple[float, float] | None]:
        judge = await judge_card(self._core, admitted.question.place.channel)
        if judge is None:
            return SUPPORTED, await self._supported(admitted.answer, answer, evidence)
        prompt = comparing(admitted.question.text, admitted.answer, answer, evidence.passages)
        model = self._core.models.model(judge.name)
        stream = self._gate.stream(
            nobodys(admitted.question), model, prompt, max_tokens=TOKENS, tab=tab, purpose="judge"
        )
        try:
            async with aclosing(stream) as pieces:
                found = compared("".join([piece async for piece in pieces]))
        except ModelError as error:
            log.info("replay_not_judged", reason=str(error))
            return "judge", None
        return "judge", None if isinstance(found, Nonsense) else found

    async def _supported(self, before: str, after: str, evidence: Evidence) -> tuple[float, float] | None:
        nothing, both = Golden(id="", question=""), []
        for text in (before, after):
            scores = await self._scorers.scores(nothing, Given(text=text, passages=evidence.passages))
            both.append(scores.get(SUPPORTED))
        old, new = both
        return None if old is None or new is None else (old, new)
