"""What a run will be: which questions by which ways, and all that its answers depend on."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path

from bot.core import Core
from bot.domain import StrategyName
from bot.errors import UnusableGolden
from bot.evaluation.golden import GoldenSet
from bot.evaluation.matrix import Way
from bot.evaluation.run import Run
from bot.evaluation.runs import LAST
from bot.evaluation.scorers import JUDGE, SCORERS
from bot.evaluation.versions import estimates_version, prompts_version
from bot.models.cards import ModelCard
from bot.selection.data_rules import NO_CHANNEL
from bot.strategies import STRATEGIES

MOST_CALLS = 10_000
"""More calls than this want a word on what they may cost, or how many questions are enough."""
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a person asked for. `file` None: liked answers, or `from_team` the golden questions that people kept. Empty
    names stand for all there are."""

    file: Path | None
    from_team: bool = False
    models: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    scorers: tuple[str, ...] = ()
    judge: str | None = None
    budget: Decimal | None = None
    limit: int | None = None
    parallel: int = 4
    readers: tuple[str, ...] = ()
    name: str = ""
    fresh: bool = False

    def checked(self) -> Order:
        """The same with its names in their usual order. Raises UnusableGolden for one that nobody knows."""
        if len(self.name) > _LONGEST_NAME or self.name == LAST:
            raise UnusableGolden(f"No run can be called “{self.name[:40]}”. Choose a shorter --name, not “{LAST}”.")
        return replace(
            self,
            scorers=_chosen(self.scorers, SCORERS, "scorer"),
            strategies=_chosen(self.strategies, tuple(StrategyName), "strategy"),
        )


def bounded(golden: GoldenSet, ways: Sequence[Way], order: Order) -> GoldenSet:
    """The questions that are asked. Raises UnusableGolden where nobody said how far so many calls may go."""
    if order.limit is not None:
        return golden.limited(order.limit)
    count = len(golden.questions)
    if order.budget is None and count * len(ways) > MOST_CALLS:
        raise UnusableGolden(
            f"{count:,} questions by {len(ways)} ways are up to {count * len(ways):,} calls. Say what they may cost "
            "with --budget USD, or take a fair sample of the questions with --limit N."
        )
    return golden


async def cards_of(core: Core, names: Sequence[str]) -> Sequence[ModelCard]:
    """The models that are named; without names, the usable ones that the workspace's allow-list leaves.

    Raises UnknownModel, the ModelError that says why one cannot be called, or NotAllowed for one that is not on it.
    """
    if not names:
        barred = await core.data_rules.barred(NO_CHANNEL)
        return [card for card in core.models.usable() if card.name not in barred]
    return [await _allowed(core, name) for name in names]


async def _allowed(core: Core, name: str) -> ModelCard:
    card = core.models.model(name).card
    await core.data_rules.check(NO_CHANNEL, card)
    return card


async def planned(core: Core, order: Order, golden: GoldenSet, ways: Sequence[Way], scopes: frozenset[str]) -> Run:
    """A run that begins now. Raises UnknownModel, or what says why the judge cannot be called."""
    judge = (await _allowed(core, order.judge)).name if order.judge else None
    id, started = uuid.uuid4().hex[:8], core.clock()
    stem = order.file.stem if order.file else golden.source
    return Run(
        id=id,
        name=order.name or f"{stem}-{started.astimezone(core.settings.report.zone):%Y-%m-%d}-{id[:4]}",
        started=started,
        source=golden.source,
        data=golden.digest,
        questions=len(golden.questions),
        index=await core.knowledge.version(),
        models=_models(core, ways),
        prompts=prompts_version(STRATEGIES),
        scorers=(*order.scorers, JUDGE) if judge else order.scorers,
        judge=judge,
        audience=tuple(sorted(scopes)),
        settings=_settings(core, judge),
        budget=order.budget,
    )


def _models(core: Core, ways: Sequence[Way]) -> dict[str, str]:
    cards = [core.models.card(name) for name in dict.fromkeys(way.model for way in ways)]
    return {card.name: f"{card.provider}/{card.model_id}" for card in cards}


def _settings(core: Core, judge: str | None) -> dict[str, str]:
    settings = {
        "answers.max_tokens": str(core.settings.answers.max_tokens),
        "knowledge.passages": str(core.settings.knowledge.passages),
        "selection.value": core.settings.selection.value,
        "estimates": estimates_version(),
        "prices": core.prices.version,
    }
    if judge:
        card = core.models.card(judge)
        settings["judge"] = f"{card.provider}/{card.model_id}"
    return settings


async def changed(core: Core, run: Run, ways: Sequence[Way]) -> list[str]:
    """What a run was made with and is otherwise now, in words. Raises the ModelError of a model that is gone, or
    NotAllowed for one that an allow-list has come to leave out."""
    for name in (*dict.fromkeys(way.model for way in ways), *([run.judge] if run.judge else [])):
        await _allowed(core, name)  # raises what is missing to call it
    now = _settings(core, run.judge)
    pairs = (
        ("what is known", run.index, await core.knowledge.version()),
        ("the models", dict(run.models), _models(core, ways)),
        ("the prompts", run.prompts, prompts_version(STRATEGIES)),
        *((f"the setting {name}", run.settings.get(name), value) for name, value in now.items()),
    )
    return [what for what, before, after in pairs if before != after]


def _chosen(names: Sequence[str], known: Sequence[str], what: str) -> tuple[str, ...]:
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise UnusableGolden(f"There is no {what} “{name}”.{hint} There are: {', '.join(known)}.")
    return tuple(name for name in known if name in names) if names else tuple(known)
