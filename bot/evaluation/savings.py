"""What choosing saved, and which other model would save more without a loss that matters: by answers that are kept.

Nothing here calls a model: both come from shadow runs and from the last evaluation, where two ways answered the same
question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import sqlalchemy as sa

from bot.core import Core
from bot.costs.days import DIRECT_MESSAGES, Cell, days_between
from bot.costs.money import of_picodollars, roughly
from bot.costs.periods import Span
from bot.costs.saving import Proposal
from bot.costs.split import ANSWERING
from bot.domain import StrategyName
from bot.evaluation.golden import words
from bot.evaluation.matrix import Matrix, Way
from bot.evaluation.runs import Runs
from bot.evaluation.shadow_report import LOOKED_AT
from bot.evaluation.shadows import ANSWERED, JUDGING, SCORED, UNJUDGED, Shadow, Shadows
from bot.evaluation.statistics import Interval, interval, ratio, shared
from bot.storage.cost_tables import ledger
from bot.storage.tables import questions

FEWEST = 20
"""Questions that both models have to have answered before anything is proposed."""
MARGIN = 0.05
"""The loss of quality (of 1) that matters: the range of a proposal may not reach it."""
LEAST = Decimal(1)
"""US dollars a month that are worth a proposal."""
MOST = 3
_DOMINANT = 0.8
_PAST, _MONTH = 28, 30
_CHUNK = 500
_ANSWERED = (ANSWERED, JUDGING, SCORED, UNJUDGED)

Family = Callable[[Way], bool]


@dataclass(frozen=True, slots=True)
class Pair:
    """One question that two ways answered. US dollars are None where unknown, qualities (0 to 1) where not judged."""

    channel: str
    group: tuple[str, ...]
    taken: Way
    other: Way
    weight: float
    taken_cost: Decimal | None
    other_cost: Decimal | None
    taken_quality: float | None = None
    other_quality: float | None = None

    @property
    def saved(self) -> float | None:
        """US dollars by which the way taken was cheaper."""
        if self.taken_cost is None or self.other_cost is None:
            return None
        return float(self.other_cost - self.taken_cost)


async def saved_by_choosing(core: Core, span: Span) -> str:
    """What the selector saved in a week or month against always the dearest model and always RAG, with 95% ranges; ""
    where nothing was drawn to tell it by.

    The mean difference on questions that a way of the other kind answered as well, weighted as the regret is, times the
    answers of the span that were not of that kind themselves.
    """
    pairs = await _pairs(core, span)
    if not pairs:
        return ""
    dearest = _dearest(pairs)
    cells = await _cells(core, span)
    against: list[tuple[str, Family]] = [("always RAG", lambda way: way.strategy == StrategyName.RAG)]
    if dearest:
        against.insert(0, (f"always {dearest}", lambda way: way.model == dearest))
    told = [_told(name, _saved(pairs, cells, family)) for name, family in against]
    known = [each for each in told if each]
    if not known:
        return (
            "What choosing saved against always the dearest model or always RAG is not known yet: too few shadow runs."
        )
    return f"Choosing {', and '.join(known)}."


def _told(name: str, found: Interval) -> str:
    if found.mean is None or found.low is None or found.high is None:
        return ""
    low, high = sorted((abs(found.low), abs(found.high)))
    runs = f"by {found.questions} shadow runs"
    if found.low < 0 < found.high:
        return f"cost no more and no less than {name} beyond chance, {runs}"
    did = "saved about" if found.mean > 0 else "cost about"
    amounts = (
        f"{roughly(Decimal(repr(abs(found.mean))))} ({roughly(Decimal(repr(low)))} to {roughly(Decimal(repr(high)))})"
    )
    return f"{did} {amounts} {'against' if found.mean > 0 else 'more than'} {name}, {runs}"


def _dearest(pairs: Sequence[Pair]) -> str:
    """The model whose answers cost most on average; "" where there is but one."""
    costs: dict[str, list[float]] = {}
    for pair in pairs:
        for way, cost in ((pair.taken, pair.taken_cost), (pair.other, pair.other_cost)):
            if cost is not None:
                costs.setdefault(way.model, []).append(float(cost))
    means = {model: sum(each) / len(each) for model, each in costs.items()}
    return max(means, key=lambda model: means[model]) if len(means) > 1 else ""


def _saved(pairs: Sequence[Pair], cells: Sequence[Cell], family: Family) -> Interval:
    compared = [pair for pair in pairs if family(pair.other) and not family(pair.taken) and pair.saved is not None]
    each = ratio(
        [pair.weight * (pair.saved or 0.0) for pair in compared],
        [pair.weight for pair in compared],
        [pair.group for pair in compared],
    )
    if each.by == "question" or each.low is None or each.high is None or each.mean is None:
        return Interval(mean=None, questions=each.questions)
    answers = sum(
        cell.calls
        for cell in cells
        if cell.purpose == "answer" and cell.good and cell.strategy and not family(_way(cell))
    )
    return Interval(
        mean=each.mean * answers, low=each.low * answers, high=each.high * answers, questions=each.questions
    )


def _way(cell: Cell) -> Way:
    return Way(StrategyName(cell.strategy), cell.model)


async def proposals(core: Core, span: Span) -> tuple[Proposal, ...]:
    """Up to three channels that another model would answer for less, the largest saving first.

    Taken are the pairs of the channel's own shadow runs with the same strategy, or else the last evaluation's
    questions. One is proposed where there are at least 20 questions, the range of the difference of quality does not
    reach a loss of 0.05, the other model was cheaper with its range below the same cost, and it saves a dollar a month
    or more. The ranges hold for all comparisons together (Bonferroni).
    """
    pairs = await _pairs(core, span)
    golden = await _golden(core)
    tried: list[tuple[_Channel, str, str, Sequence[Pair]]] = []
    for channel in await _channels(core, span):
        barred = await core.data_rules.barred(channel.id)
        for card in core.models.usable():
            if card.name not in barred and card.name != channel.model:
                own = [pair for pair in pairs if _fits(pair, channel, card.name)]
                kept = own if len(own) >= FEWEST else golden_pairs(golden, channel.strategy, channel.model, card.name)
                if len(kept) >= FEWEST:
                    source = "shadow runs" if kept is own else "the last evaluation"
                    tried.append((channel, card.name, source, kept))
    level = shared(0.95, len(tried))
    found = [_proposal(channel, other, source, kept, level) for channel, other, source, kept in tried]
    best: dict[str, Proposal] = {}
    for proposal in sorted((each for each in found if each), key=lambda each: -each.month):
        best.setdefault(proposal.channel, proposal)
    return tuple(best.values())[:MOST]


def _fits(pair: Pair, channel: _Channel, other: str) -> bool:
    return (
        pair.channel == channel.id
        and pair.taken.model == channel.model
        and pair.other.model == other
        and pair.taken.strategy == pair.other.strategy
        and pair.taken_quality is not None
        and pair.saved is not None
    )


@dataclass(frozen=True, slots=True)
class _Channel:
    """A channel that one model mostly answers. US dollars and calls are those of the last 28 days; `others` those of
    the models that answer the rest."""

    id: str
    model: str
    strategy: StrategyName
    cost: Decimal
    others: int
    others_cost: Decimal


async def _channels(core: Core, span: Span) -> list[_Channel]:
    past = days_between(span.until - timedelta(days=_PAST), span.until, span.zone)
    by_place: dict[str, list[Cell]] = {}
    for day in await core.ledger.days.read(past[-_PAST:]):
        for cell in day.cells:
            if cell.purpose in ANSWERING and cell.good and cell.place not in ("", DIRECT_MESSAGES):
                by_place.setdefault(cell.place, []).append(cell)
    return [found for place, cells in by_place.items() if (found := _channel(place, cells))]


def _channel(place: str, cells: Sequence[Cell]) -> _Channel | None:
    answers = [cell for cell in cells if cell.strategy and cell.purpose == "answer"]
    calls = _summed(answers, lambda cell: cell.model)
    model = max(calls, key=lambda name: calls[name], default="")
    if not model or calls[model] < _DOMINANT * sum(calls.values()):
        return None
    mine = [cell for cell in answers if cell.model == model]
    strategies = _summed(mine, lambda cell: cell.strategy)
    rest = [cell for cell in answers if cell.model != model]
    return _Channel(
        id=place,
        model=model,
        strategy=StrategyName(max(strategies, key=lambda name: strategies[name])),
        cost=of_picodollars(sum(cell.cost for cell in mine)),
        others=sum(cell.calls for cell in rest),
        others_cost=of_picodollars(sum(cell.cost for cell in rest)),
    )


def _summed(cells: Iterable[Cell], key: Callable[[Cell], str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for cell in cells:
        found[key(cell)] = found.get(key(cell), 0) + cell.calls
    return found


def _proposal(channel: _Channel, other: str, source: str, pairs: Sequence[Pair], level: float) -> Proposal | None:
    groups = [pair.group for pair in pairs]
    gain = interval([(pair.other_quality or 0) - (pair.taken_quality or 0) for pair in pairs], groups, level=level)
    costs = [(float(pair.other_cost or 0), float(pair.taken_cost or 0)) for pair in pairs]
    share = ratio([cost for cost, _ in costs], [cost for _, cost in costs], groups, level=level)
    if gain.mean is None or gain.low is None or gain.high is None or share.mean is None or share.high is None:
        return None
    if gain.by == "question" or gain.low < -MARGIN or share.high >= 1:
        return None
    saved = float(channel.cost) * (1 - share.mean)
    # What other models answer there now would be answered by this one too, which may cost more.
    saved -= max(channel.others * sum(cost for cost, _ in costs) / len(costs) - float(channel.others_cost), 0.0)
    month = Decimal(f"{saved * _MONTH / _PAST:.2f}")
    if month < LEAST:
        return None
    return Proposal(
        channel=channel.id,
        model=channel.model,
        other=other,
        month=month,
        gain=gain.mean,
        low=gain.low,
        high=gain.high,
        questions=gain.questions,
        source=source,
    )


async def _golden(core: Core) -> Matrix | None:
    """What the last finished evaluation was reckoned from."""
    runs = Runs(core.engine)
    last = next((run for run in await runs.all() if run.finished is not None), None)
    return (await runs.load(last.id)).matrix if last else None


def golden_pairs(matrix: Matrix | None, strategy: StrategyName, model: str, other: str) -> list[Pair]:
    """The questions of an evaluation that both models answered by a strategy, with known quality and cost."""
    if matrix is None:
        return []
    taken, instead = Way(strategy, model), Way(strategy, other)
    found = []
    for row in matrix.rows:
        first, second = matrix.cells.get((row.id, taken)), matrix.cells.get((row.id, instead))
        if first is None or second is None or None in (first.quality, second.quality, first.cost, second.cost):
            continue
        group = (row.group,) if row.group else (row.id,)
        costs, qualities = (first.cost, second.cost), (first.quality, second.quality)
        found.append(Pair("", group, taken, instead, 1.0, *costs, *qualities))
    return found


async def _cells(core: Core, span: Span) -> list[Cell]:
    days = await core.ledger.days.read(days_between(span.since, span.until, span.zone))
    return [cell for day in days for cell in day.cells]


async def _pairs(core: Core, span: Span) -> list[Pair]:
    """The questions of the last 90 days that two ways answered."""
    drawn = await Shadows(core.engine).drawn(span.until - LOOKED_AT, span.until)
    asked = [each for each in drawn if each.asked and each.taken and each.other and each.state in _ANSWERED]
    ids = [shadow.question_id for shadow in asked]
    places, costs = await _places(core, ids), await _costs(core, ids)
    return [_pair(shadow, places.get(shadow.question_id, ""), costs) for shadow in asked]


def _pair(shadow: Shadow, channel: str, costs: Mapping[str, Decimal | None]) -> Pair:
    assert shadow.taken is not None
    assert shadow.other is not None
    assert shadow.chance is not None
    assert shadow.others is not None
    scored = shadow.state == SCORED
    return Pair(
        channel=channel,
        group=tuple(words(shadow.text)) or (shadow.question_id,),
        taken=shadow.taken,
        other=shadow.other,
        weight=1 / shadow.others / shadow.chance / shadow.share,
        taken_cost=costs.get(shadow.question_id),
        other_cost=shadow.cost,
        taken_quality=shadow.taken_quality if scored else None,
        other_quality=shadow.other_quality if scored else None,
    )


async def _places(core: Core, ids: Sequence[str]) -> dict[str, str]:
    """The channel of each question; none for direct messages."""
    found: dict[str, str] = {}
    kinds = ("channel", "private_channel")
    async with core.engine.connect() as connection:
        for start in range(0, len(ids), _CHUNK):
            some = questions.c.id.in_(ids[start : start + _CHUNK])
            query = sa.select(questions.c.id, questions.c.channel).where(some, questions.c.place_kind.in_(kinds))
            found |= {row.id: row.channel for row in await connection.execute(query)}
    return found


async def _costs(core: Core, ids: Sequence[str]) -> dict[str, Decimal | None]:
    """What answering each question cost; None where a price is unknown."""
    found: dict[str, Decimal | None] = {}
    async with core.engine.connect() as connection:
        for start in range(0, len(ids), _CHUNK):
            query = sa.select(ledger.c.question_id, ledger.c.cost).where(
                ledger.c.question_id.in_(ids[start : start + _CHUNK]), ledger.c.purpose.in_(("answer", "draft"))
            )
            for row in await connection.execute(query):
                known = found.get(row.question_id, Decimal(0))
                found[row.question_id] = None if known is None or row.cost is None else known + row.cost
    return found
