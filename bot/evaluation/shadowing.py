"""Shadow runs: a share of the answered questions is answered by one other option as well, never shown to anybody."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import structlog

from bot.core import Core
from bot.costs.periods import Period
from bot.domain import Evidence, Prompt, Question
from bot.errors import ModelError, OverBudget, SwitchboardError, UnusableQuestion
from bot.evaluation import shadow_admission as admission
from bot.evaluation.answers import storable
from bot.evaluation.budget import most_cost
from bot.evaluation.matrix import Way
from bot.evaluation.pairs import TOKENS, comparing
from bot.evaluation.scorers import bare, normalized
from bot.evaluation.shadow_admission import Admission, Admitted, AudienceNow, Skipped
from bot.evaluation.shadows import ANSWERED, ASKING, FAILED, SKIPPED, Shadows, is_drawn, place_drawn
from bot.gate import Gate, Tab
from bot.models.cards import ModelCard
from bot.models.retry import Patience
from bot.selection import wording
from bot.strategies.citing import Citing
from knowledge.errors import KnowledgeError

log = structlog.get_logger("bot.evaluation")

PURPOSE = "shadow"
LOOKED_BACK = timedelta(days=1)
"""Questions of longer ago are left: documents and audiences have changed since."""
SETTLED = timedelta(minutes=2)
"""Before, a question may still be under way."""
ONCE = Patience(tries=1)
"""A second try would cost more than is held for the first."""
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """An option that could have been taken as well; `most` US dollars is what one try costs at most."""

    way: Way
    card: ModelCard
    prompt: Prompt
    most: Decimal


class Shadowing:
    """Draws questions and has them answered. `audience` tells who would read an answer now."""

    def __init__(self, core: Core, audience: AudienceNow) -> None:
        self._core = core
        self._settings = core.settings.selection
        self._shadows = Shadows(core.engine)
        self._admission = Admission(core, audience)
        self._gate = Gate(ledger=core.ledger, prices=core.prices, clock=core.clock, patience=ONCE)

    async def run(self) -> int:
        """Takes each question that is drawn and was not taken yet, one after another; says how many were taken.

        Where a hard budget has no room it stops, and the next run goes on.
        """
        now, taken = self._core.clock(), 0
        await self._shadows.give_up_stale(now)
        share = self._settings.shadow_share
        for question_id in await self._shadows.fresh(now - LOOKED_BACK, now - SETTLED):
            if not is_drawn(question_id, share) or not await self._admission.is_answered(question_id):
                continue
            if await self._shadows.claim(question_id, share, self._core.clock()):
                try:
                    await self._take(question_id)
                except OverBudget as error:
                    # Nothing was asked, so it is not drawn yet; nor will the others find room now.
                    await self._shadows.release(question_id)
                    log.info("shadows_wait", why=str(error))
                    break
                taken += 1
        return taken

    async def _take(self, question_id: str) -> None:
        try:
            admitted = await self._admission.admit(question_id)
            evidence = await self._evidence(admitted)
            others = await self._others(admitted, evidence)
            drawn = others[place_drawn(question_id, len(others))]
            await self._hold(admitted, evidence, others, drawn)
        except Skipped as skipped:
            await self._end(question_id, SKIPPED, str(skipped))
            return
        except (SwitchboardError, KnowledgeError) as error:
            await self._end(question_id, FAILED, str(error))
            return
        await self._ask(admitted.question, drawn)

    async def _end(self, question_id: str, state: str, why: str) -> None:
        log.info("shadow_ended", question=question_id, state=state, reason=why)
        nothing = {"held": None, "judge_held": None}
        await self._shadows.change(question_id, self._core.clock(), ASKING, state=state, detail=why, **nothing)

    async def _evidence(self, admitted: Admitted) -> Evidence:
        # An answer that was saved as an example since would be copied from itself.
        return await self._core.assistant.evidence(
            wording.search_text(admitted.question),
            admitted.question.audience.scopes,
            leave_out=lambda example: said(example.answer) == said(admitted.answer),
        )

    async def _others(self, admitted: Admitted, evidence: Evidence) -> Sequence[Other]:
        """The options that could be taken now besides the one that was, in a fixed order. Raises Skipped."""
        question, chosen = admitted.question, admitted.receipt.choice.option
        cards = await self._cards(question.place.channel)
        if not cards:
            raise Skipped(admission.RULES)
        found: list[Other] = []
        unpriced = too_dear = 0
        for option in (await self._core.assistant.weighed(question, evidence, tuple(cards.values()))).options:
            way, card = Way(option.strategy, option.model), cards[option.model]
            if not option.available or way == Way(chosen.strategy, chosen.model):
                continue
            try:
                prompt = self._core.assistant.prompt(question, evidence, option.strategy, card)
            except UnusableQuestion:
                continue
            most = most_cost(self._core.prices, card, prompt, self._core.settings.answers.max_tokens)
            if most is None:
                unpriced += 1
            elif most > self._settings.shadow_budget:
                too_dear += 1
            else:
                found.append(Other(way=way, card=card, prompt=prompt, most=most))
        if not found:
            raise Skipped(admission.BUDGET if too_dear else admission.PRICE if unpriced else admission.NO_OTHER)
        return sorted(found, key=lambda other: other.way)

    async def _cards(self, channel: str) -> dict[str, ModelCard]:
        """The models that may be asked from a channel; where one alone is configured to answer, that one."""
        barred, default = await self._core.data_rules.barred(channel), self._core.settings.models.default
        only = None if default == "auto" else self._core.models.card(default).name
        usable = self._core.models.usable()
        return {card.name: card for card in usable if card.name not in barred and only in (None, card.name)}

    async def _hold(self, admitted: Admitted, evidence: Evidence, others: Sequence[Other], drawn: Other) -> None:
        """Holds what the answer and its judging cost at most. Raises Skipped where the week's budget has no room.

        There must be room for the dearest of the options, so that which one is drawn does not hang on what is left.
        """
        now, chosen = self._core.clock(), admitted.receipt.choice.option
        judging = await self._judging(admitted, evidence)
        week = Period.of("week", now, self._core.settings.report.zone)
        limit = self._settings.shadow_budget
        spent = await self._shadows.spent(week.since, week.until)
        if spent + max(other.most for other in others) + judging > limit:
            raise Skipped(admission.BUDGET)
        await self._shadows.change(
            admitted.question.id,
            now,
            ASKING,
            taken_strategy=chosen.strategy.value,
            taken_model=chosen.model,
            strategy=drawn.way.strategy.value,
            model=drawn.way.model,
            chance=1 / len(others),
            others=len(others),
            held=drawn.most,
            judge_held=judging or None,
        )
        # Another process may have held its own at the same moment: of two that do not fit together, one sees the other.
        if await self._shadows.spent(week.since, week.until) > limit:
            raise Skipped(admission.BUDGET)

    async def _judging(self, admitted: Admitted, evidence: Evidence) -> Decimal:
        """US dollars that judging an answer of full length costs at most; 0 where no model will judge."""
        card = await judge_card(self._core, admitted.question.place.channel)
        if card is None:
            return _ZERO
        longest = "word " * self._core.settings.answers.max_tokens
        prompt = comparing(admitted.question.text, admitted.answer, longest, evidence.passages)
        return most_cost(self._core.prices, card, prompt, TOKENS) or _ZERO

    async def _ask(self, question: Question, drawn: Other) -> None:
        tab, citing = Tab(), Citing(drawn.prompt)
        limit = self._core.settings.answers.max_tokens
        try:
            model = self._core.models.model(drawn.card.name)
            stream = self._gate.stream(
                nobodys(question), model, drawn.prompt, max_tokens=limit, tab=tab, purpose=PURPOSE
            )
            async with aclosing(stream) as pieces:
                shown = [citing.feed(piece) async for piece in pieces]
            text = storable("".join(shown) + citing.close()).strip()
            state, detail = (ANSWERED, "") if text else (FAILED, f"“{drawn.card.name}” answered with nothing.")
        except OverBudget:
            raise
        except ModelError as error:
            text, state, detail = "", FAILED, str(error)
        log.info("shadow_run", question=question.id, way=str(drawn.way), state=state)
        ended = {} if state == ANSWERED else {"judge_held": None}
        await self._shadows.change(
            question.id,
            self._core.clock(),
            ASKING,
            state=state,
            detail=detail,
            cost=tab.amount,
            answer=text or None,
            **ended,
        )


def said(answer: str) -> str:
    """The same for answers that say the same words, with their marks or saved without them."""
    return normalized(bare(answer))


def nobodys(question: Question) -> Question:
    """The question as the ledger keeps its shadow: no place's and no person's, and under an id of its own, so that
    neither the question's receipt nor its costs tell of it."""
    digest = hashlib.sha256(question.id.encode()).hexdigest()
    return replace(question, id=f"shadow-{digest[:24]}", asker="", place=replace(question.place, channel=""))


async def judge_card(core: Core, channel: str) -> ModelCard | None:
    """The model that judges answers to what was asked in a channel; None where none does, where it may not read what
    is said there, or where its price is unknown, so that no budget can hold it. Raises UnknownModel, or the ModelError
    that says why it cannot be called."""
    name = core.settings.selection.judge
    if not name:
        return None
    broken = core.models.breakers.broken(core.models.usable())
    # Whom nothing keeps from judging; the configured one where all are kept from it, so that its error is told.
    well = {card.name for card in core.models.usable()} - set(broken)
    names = [core.models.card(one).name for one in (name, *core.settings.models.chains.judge)]
    card = core.models.model(next((one for one in names if one in well), name)).card
    rates = card.rates.rates() if card.rates else None
    priced = core.prices.estimate(card.provider, card.model_id, 1, 1, rates=rates, free=card.free) is not None
    return card if priced and card.name not in await core.data_rules.barred(channel) else None
