"""Scores of shadow runs, the night after: the answer that people saw and the other one, by the same measure."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
import structlog

from bot.core import Core
from bot.costs.outcomes import UNBILLED
from bot.costs.periods import Period
from bot.domain import Evidence
from bot.errors import ModelError, SwitchboardError
from bot.evaluation.asking import THE_SAME
from bot.evaluation.budget import most_cost
from bot.evaluation.golden import Golden, words
from bot.evaluation.judge import Nonsense
from bot.evaluation.pairs import TOKENS, compared, comparing
from bot.evaluation.scorers import SUPPORTED, Given, Scorers, quality
from bot.evaluation.shadow_admission import BUDGET, Admission, Admitted, AudienceNow, Skipped
from bot.evaluation.shadowing import ONCE, judge_card, nobodys, said
from bot.evaluation.shadows import ANSWERED, JUDGING, SCORED, UNJUDGED, Shadow, Shadows, is_swapped
from bot.gate import Gate, Tab
from bot.learning.labels import Signal
from bot.models.cards import ModelCard
from bot.selection import wording
from bot.storage.tables import alternatives, labels, questions
from knowledge.errors import KnowledgeError

log = structlog.get_logger("bot.evaluation")

JUDGE, REFERENCE, SUPPORT = "judge", "reference", "supported"
GIVEN_UP = timedelta(days=7)
TOO_LATE = "it could not be judged in a week"
NO_MEASURE = "nothing to judge it by"


@dataclass(frozen=True, slots=True)
class Scored:
    """What both answers are worth (0 to 1) by one measure."""

    measure: str
    taken: float
    other: float


class Unjudged(Exception):
    """The two answers cannot be compared; `str` says why."""


class Scoring:
    """By a model that does not know which answer people saw, where one is configured and may read the question. Else
    by an answer that people hold for right and that neither of the two is; else by the share of sentences that stand
    in the passages that were found. A thumb speaks of one answer alone, so it compares nothing."""

    def __init__(self, core: Core, audience: AudienceNow) -> None:
        self._core = core
        self._shadows = Shadows(core.engine)
        self._admission = Admission(core, audience)
        self._scorers = Scorers(core.assistant.embedder)
        self._gate = Gate(ledger=core.ledger, prices=core.prices, clock=core.clock, patience=ONCE)

    async def run(self) -> int:
        """Scores what was answered since the last night; says how many pairs could be compared.

        What fails for a passing reason (the search or the judge cannot be reached) is left for the next night.
        """
        await self._shadows.give_up_stale(self._core.clock())
        scored = 0
        for shadow in await self._shadows.unscored():
            try:
                if self._core.clock() - shadow.at > GIVEN_UP:
                    raise Unjudged(TOO_LATE)
                admitted = await self._admission.admit(shadow.question_id)
                scored += await self._score(shadow, admitted)
            except (Skipped, Unjudged) as why:
                await self._end(shadow, ANSWERED, str(why))
            except (SwitchboardError, KnowledgeError) as error:
                log.warning("shadow_not_scored", question=shadow.question_id, reason=str(error), next="the next night")
        return scored

    async def _score(self, shadow: Shadow, admitted: Admitted) -> bool:
        question = admitted.question
        evidence = await self._core.assistant.evidence(wording.search_text(question), question.audience.scopes)
        judge = await judge_card(self._core, question.place.channel)
        if judge is not None:
            return await self._judge(shadow, admitted, evidence, judge)
        found = await self._by_reference(shadow, admitted, evidence) or await self._by_support(
            shadow, admitted, evidence
        )
        if found is None:
            raise Unjudged(NO_MEASURE)
        await self._keep(shadow, ANSWERED, found, judge_held=None)
        return True

    async def _keep(self, shadow: Shadow, before: str, found: Scored, **values: object) -> None:
        now = self._core.clock()
        scores = {"measure": found.measure, "taken_quality": found.taken, "other_quality": found.other}
        values |= scores
        await self._shadows.change(shadow.question_id, now, before, state=SCORED, answer=None, **values)

    async def _end(self, shadow: Shadow, before: str, why: str, **values: object) -> None:
        log.info("shadow_unjudged", question=shadow.question_id, reason=why)
        values = {"judge_held": None, **values}
        now = self._core.clock()
        await self._shadows.change(shadow.question_id, now, before, state=UNJUDGED, detail=why, answer=None, **values)

    async def _by_reference(self, shadow: Shadow, admitted: Admitted, evidence: Evidence) -> Scored | None:
        """Against a reviewed answer to the same question, or the one that was kept when it was asked another way."""
        asked = words(admitted.question.text)
        known = [
            example.answer
            for example in evidence.examples
            if example.similarity >= THE_SAME or words(example.question) == asked
        ]
        own = {said(admitted.answer), said(shadow.answer or "")}
        known = [text for text in (*known, *await self._kept(shadow.question_id)) if said(text) not in own]
        if not known:
            return None
        golden = Golden(id=shadow.question_id, question=admitted.question.text, answers=tuple(known))
        both = [
            quality(await self._scorers.scores(golden, Given(text=text)), judged=False)
            for text in (admitted.answer, shadow.answer or "")
        ]
        return _scored(REFERENCE, both)

    async def _by_support(self, shadow: Shadow, admitted: Admitted, evidence: Evidence) -> Scored | None:
        nothing = Golden(id=shadow.question_id, question=admitted.question.text)
        both = []
        for text in (admitted.answer, shadow.answer or ""):
            given = Given(text=text, passages=evidence.passages)
            both.append((await self._scorers.scores(nothing, given)).get(SUPPORTED))
        return _scored(SUPPORT, both)

    async def _kept(self, question_id: str) -> Sequence[str]:
        """Answers to the same question, asked another way, that people kept."""
        query = (
            sa.select(questions.c.answer)
            .join(alternatives, alternatives.c.question_id == questions.c.id)
            .join(labels, labels.c.question_id == questions.c.id)
            .where(alternatives.c.first_id == question_id, labels.c.signal == Signal.KEPT.value)
        )
        async with self._core.engine.connect() as connection:
            return [text for text in (await connection.execute(query)).scalars() if text]

    async def _judge(self, shadow: Shadow, admitted: Admitted, evidence: Evidence, card: ModelCard) -> bool:
        """Asks the judge; False where what it says is no judgement."""
        both = (admitted.answer, shadow.answer or "")
        first, second = both[::-1] if is_swapped(shadow.question_id) else both
        prompt = comparing(admitted.question.text, first, second, evidence.passages)
        most = most_cost(self._core.prices, card, prompt, TOKENS)
        claimed = {"state": JUDGING, "judge_held": most}
        if not await self._shadows.change(shadow.question_id, self._core.clock(), ANSWERED, **claimed):
            return False
        week = Period.of("week", shadow.at, self._core.settings.report.zone)
        if await self._shadows.spent(week.since, week.until) > self._core.settings.selection.shadow_budget:
            await self._end(shadow, JUDGING, BUDGET)
            return False
        tab = Tab()
        try:
            model = self._core.models.model(card.name)
            stream = self._gate.stream(
                nobodys(admitted.question), model, prompt, max_tokens=TOKENS, tab=tab, purpose="judge"
            )
            async with aclosing(stream) as pieces:
                told = "".join([piece async for piece in pieces])
        except ModelError as error:
            if error.kind in UNBILLED:
                await self._shadows.change(shadow.question_id, self._core.clock(), JUDGING, state=ANSWERED)
                raise
            await self._end(shadow, JUDGING, str(error), judge_held=most, judge_cost=tab.amount)
            return False
        scores = compared(told)
        if isinstance(scores, Nonsense):
            await self._end(shadow, JUDGING, scores.sentence, judge_held=most, judge_cost=tab.amount)
            return False
        taken, other = scores[::-1] if is_swapped(shadow.question_id) else scores
        await self._keep(shadow, JUDGING, Scored(JUDGE, taken, other), judge_cost=tab.amount)
        return True


def _scored(measure: str, both: Sequence[float | None]) -> Scored | None:
    taken, other = both
    return None if taken is None or other is None else Scored(measure, taken, other)
