"""Which ways answer a question side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.assistant import Assistant
from bot.domain import Choice, Evidence, Option, Question, StrategyName
from bot.errors import UnusableQuestion
from bot.models.cards import ModelCard
from bot.models.registry import Models
from bot.selection import wording
from bot.selection.data_rules import DataRules

FEWEST, MOST, USUAL = 2, 4, 3
"""Ways that are compared: at least, at most, and where nobody names any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants compared: names of models, strategies, or what is left empty."""

    models: tuple[str, ...] = ()
    strategies: tuple[StrategyName, ...] = ()


class Comparing:
    """Finds the evidence once, and the ways that answer from it."""

    def __init__(self, assistant: Assistant, models: Models, data_rules: DataRules) -> None:
        self._assistant = assistant
        self._models = models
        self._rules = data_rules

    async def ways(self, question: Question, wanted: Wanted) -> tuple[Evidence, tuple[Option, ...]]:
        """The evidence that all of them get, and two to four options.

        Of models that are named, each answers in the way that is best for it; of strategies, each with the best model
        for it; where both are, each with each. Where nothing is named, the three best models are compared, or the
        strategies of the only one. Raises UnusableQuestion, UnknownModel, NotAllowed or the ModelError that says why a
        named model cannot be called.
        """
        cards = await self._cards(question, wanted.models)
        evidence = await self._assistant.evidence(wording.search_text(question), question.audience.scopes)
        choice = await self._assistant.weighed(question, evidence, cards)
        found = _chosen(choice, [card.name for card in cards] if wanted.models else [], wanted.strategies)
        if len(found) < FEWEST:
            raise UnusableQuestion(_too_few(found, wanted))
        if len(found) > MOST:
            raise UnusableQuestion(
                f"That would be {len(found)} answers; I compare {MOST} at most. Name fewer models or strategies."
            )
        return evidence, found

    async def _cards(self, question: Question, names: Sequence[str]) -> list[ModelCard]:
        channel = question.place.channel
        if names:
            cards = [self._models.model(name).card for name in dict.fromkeys(names)]
            for card in cards:
                await self._rules.check(channel, card)
            return cards
        barred = await self._rules.barred(channel)
        return [card for card in self._models.usable() if card.name not in barred]


def _chosen(choice: Choice, models: Sequence[str], strategies: Sequence[StrategyName]) -> tuple[Option, ...]:
    # The best option first; what a guard keeps out may still be asked for by name.
    options = sorted(choice.options, key=lambda option: (not option.available, -option.utility))
    able = [option for option in options if option.available]
    if strategies:
        of_models = [[option for option in options if option.model == name] for name in models] or [able or options]
        named = [
            next((o for o in some if o.strategy is strategy), None) for some in of_models for strategy in strategies
        ]
        return tuple(option for option in named if option is not None)
    if models:
        best = [next((option for option in options if option.model == name), None) for name in models]
        return tuple(option for option in best if option is not None)
    first = {option.model: option for option in reversed(able)}
    if len(first) >= FEWEST:
        return tuple(option for option in able if first[option.model] is option)[:USUAL]
    return tuple(able)[:USUAL]


def _too_few(found: Sequence[Option], wanted: Wanted) -> str:
    there = f"“{found[0].model}” is the only one" if found else "there is none"
    if wanted.models or wanted.strategies:
        return f"There is nothing to compare: of what you named, {there} that can answer this. Name at least two."
    return (
        f"There is nothing to compare: {there} that can answer this here. `/model list` shows which models a key would "
        "add, and `strategies:rag,zero_shot` compares ways of one model."
    )
