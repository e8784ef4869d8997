"""Runs an evaluation: every golden question by every way, in parallel, under a budget, kept as it comes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from bot.assistant import Assistant
from bot.domain import Audience, Evidence, Prompt, StrategyName
from bot.errors import ModelError, OverBudget, UnusableQuestion
from bot.evaluation.answers import Answers, ModelAnswer, answer_key
from bot.evaluation.asking import Asked, ask
from bot.evaluation.budget import Budget
from bot.evaluation.golden import Golden, asked
from bot.evaluation.judge import POSTPONED, TOKENS, Nonsense, judgement, judging
from bot.evaluation.matrix import Cell, Way
from bot.evaluation.run import Run
from bot.evaluation.runs import NOT_JUDGED, Kept, Runs
from bot.evaluation.scorers import JUDGE, Given, Scorers, quality
from bot.models.cards import ModelCard
from bot.models.registry import Models
from bot.selection.estimates import is_offline
from bot.selection.options import obstacle
from bot.strategies.citing import Citing

log = structlog.get_logger("bot.evaluation")

NOT_POSSIBLE, NOT_RUN = "not possible", "not run"
DONE = frozenset({"answered", "nothing_found", NOT_POSSIBLE})
"""Outcomes that another start leaves as they are; failed calls and what was not run are done then."""

ASKED_OTHERWISE = 100
"""So many questions are searched for in other words too, to see how often the choice changes."""

_OUT_OF_MONEY = "The budget has no room for it."
_FOR_GOOD = frozenset({"unauthorized", "not_found"})
_MOST_FAILURES = 5
"""A model that fails so often in a row is not asked any more."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: questions done of all."""

    done: int
    total: int


class Evaluation:
    """One run. `parallel`: how many questions are under way at once, each with one call at most. `documents`: the names
    of all documents that the run's audience may read."""

    def __init__(
        self,
        *,
        run: Run,
        ways: Sequence[Way],
        runs: Runs,
        assistant: Assistant,
        models: Models,
        answers: Answers,
        scorers: Scorers,
        budget: Budget,
        answer_tokens: int,
        parallel: int,
        clock: Callable[[], datetime],
        documents: Collection[str] = (),
    ) -> None:
        self._run = run
        self._ways = tuple(ways)
        self._runs = runs
        self._assistant = assistant
        self._models = models
        self._answers = answers
        self._scorers = scorers
        self._budget = budget
        self._answer_tokens = answer_tokens
        self._parallel = parallel
        self._clock = clock
        self._documents = documents
        self._cards = {name: models.card(name) for name in dict.fromkeys(way.model for way in ways)}
        self._audience = Audience(frozenset(run.audience))
        self._down: dict[str, ModelError] = {}
        self._failures: Counter[str] = Counter()
        self.refused: OverBudget | None = None
        """What a hard budget said of the last call that it had no room for; None where all had room."""

    async def run(self, golden: Sequence[Golden], progress: Callable[[Progress], None]) -> Run:
        """Does what is not done yet of these questions, and keeps it; gives the run as it then stands.

        A run in which all is done is finished. What the budget left over stays to be done by another start.
        """
        outcomes = await self._runs.outcomes(self._run.id)
        flips = frozenset(one.id for one in golden[:ASKED_OTHERWISE])
        left = {one.id: [way for way in self._ways if outcomes.get((one.id, way)) not in DONE] for one in golden}
        waiting = [one for one in golden if left[one.id]]
        done = len(golden) - len(waiting)
        progress(Progress(done, len(golden)))

        async def work(queue: Iterator[Golden]) -> None:
            nonlocal done
            for one in queue:
                await self._question(one, left[one.id], otherwise=one.id in flips)
                done += 1
                progress(Progress(done, len(golden)))

        queue = iter(waiting)
        # What every choice needs is read once, so that the time of a choice is that of choosing.
        await self._assistant.weighed(asked("Is anybody there?"), Evidence(), tuple(self._cards.values()))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._parallel):
                    group.create_task(work(queue))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        finally:
            # Also where it is stopped: what was spent until then is known.
            run = await asyncio.shield(self._settled())
        return run

    async def _settled(self) -> Run:
        outcomes = await self._runs.outcomes(self._run.id)
        left_over = {NOT_RUN, NOT_JUDGED} & set(outcomes.values())
        whole = len(outcomes) == self._run.questions * len(self._ways) and not left_over
        finished = self._clock() if whole else None
        return await self._runs.finish(self._run.id, finished=finished, budget=self._budget.limit)

    async def _question(self, golden: Golden, ways: Sequence[Way], *, otherwise: bool) -> None:
        asked = await ask(
            self._assistant,
            golden,
            self._audience,
            tuple(self._cards.values()),
            self._ways,
            documents=self._documents,
            otherwise=otherwise,
        )
        await self._runs.keep_weighed(self._run.id, golden.id, asked.weighed)
        for way in ways:
            kept = await self._cell(asked, way)
            await self._runs.keep(self._run.id, golden.id, way, kept)

    async def _cell(self, asked: Asked, way: Way) -> Kept:
        card = self._cards[way.model]
        if reason := obstacle(card, way.strategy, asked.evidence, pinned=False):
            return _nothing(NOT_POSSIBLE, reason)
        try:
            prompt = self._assistant.prompt(asked.question, asked.evidence, way.strategy, card)
        except UnusableQuestion as error:
            return _nothing(NOT_POSSIBLE, str(error))
        if down := self._down.get(card.name):
            return _nothing(NOT_RUN, f"Not asked any more: {down}")
        try:
            answer = await self._asked(asked, card, prompt, self._answer_tokens, "evaluate")
        except OverBudget as error:
            self.refused = error
            return _nothing(NOT_RUN, str(error))
        except ModelError as error:
            self._note_failure(card, error)
            return _nothing(error.kind, str(error))
        self._failures[card.name] = 0
        if answer is None:
            return _nothing(NOT_RUN, _OUT_OF_MONEY)
        return await self._scored(asked, way, card, prompt, answer)

    async def _asked(
        self, asked: Asked, card: ModelCard, prompt: Prompt, max_tokens: int, purpose: str
    ) -> ModelAnswer | None:
        # The ledger's rows of a run are told by its id, those of an answer by its key.
        key = answer_key(card, prompt, max_tokens)
        question = replace(asked.question, id=f"{self._run.id}-{key[:24]}")
        model = self._models.model(card.name)
        return await self._answers.ask(question, model, prompt, max_tokens=max_tokens, purpose=purpose)

    def _note_failure(self, card: ModelCard, error: ModelError) -> None:
        self._failures[card.name] += 1
        log.warning("evaluation_call_failed", run=self._run.id, model=card.name, kind=error.kind)
        if error.kind in _FOR_GOOD or self._failures[card.name] >= _MOST_FAILURES:
            self._down[card.name] = error

    async def _scored(self, asked: Asked, way: Way, card: ModelCard, prompt: Prompt, answer: ModelAnswer) -> Kept:
        citing = Citing(prompt)
        text = (citing.feed(answer.text) + citing.close()).strip()
        given = Given(text=text, cited=citing.cited, passages=prompt.passages)
        scores = await self._scorers.scores(asked.golden, given)
        detail, judged = "", False
        if self._run.judge is not None and (judging_prompt := judging(asked.golden, text, way.strategy)):
            judged = True
            score, detail = await self._judged(asked, judging_prompt)
            scores |= {} if score is None else {JUDGE: score}
        nothing = way.strategy is StrategyName.RAG and is_offline(card) and not citing.cited
        cell = Cell(
            quality=quality(scores, judged=judged),
            scores=scores,
            cost=answer.cost,
            seconds=answer.seconds,
            outcome="nothing_found" if nothing else "answered",
            answer=text,
        )
        return Kept(cell, detail)

    async def _judged(self, asked: Asked, prompt: Prompt) -> tuple[float | None, str]:
        """The judge's score and its reason; None and what went wrong where there is no judgement."""
        assert self._run.judge is not None
        card = self._models.card(self._run.judge)
        if down := self._down.get(card.name):
            return None, f"{POSTPONED}the judge is not asked any more. {down}"
        try:
            said = await self._asked(asked, card, prompt, TOKENS, "judge")
        except OverBudget as error:
            self.refused = error
            return None, f"{POSTPONED}{error}"
        except ModelError as error:
            self._note_failure(card, error)
            return None, f"{POSTPONED}{error}"
        if said is None:
            return None, f"{POSTPONED}the budget has no room for it."
        found = judgement(said.text)
        return (None, found.sentence) if isinstance(found, Nonsense) else (found.score, found.reason)


def _nothing(outcome: str, detail: str) -> Kept:
    return Kept(Cell(quality=None, outcome=outcome), detail)
