"""The figures that a plan rests on, from what was asked, evaluated, spent and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import fmean
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.prices import PriceBook
from bot.domain import PlaceKind, StrategyName
from bot.errors import RunNotFound
from bot.evaluation.concluding import worth_of
from bot.evaluation.overview import overview
from bot.evaluation.runs import LAST, Runs
from bot.models.cards import ModelCard
from bot.models.relevance import content_words
from bot.models.tokens import count_tokens
from bot.storage.cost_tables import ledger
from bot.storage.tables import feedback, questions
from bot.strategies.wording import MESSAGE_TOKENS
from bot.tuning.datasets import SHORT, Dataset, Datasets
from bot.tuning.plan import Baseline, Figures, Topic
from bot.tuning.report import training_price
from bot.tuning.row import prompted
from bot.tuning.splitting import topics
from knowledge.embedding.base import Embedder

LOOKED_BACK = timedelta(weeks=4)
MOST = 5_000
"""So many of the newest questions are looked at: their topics are found among each other."""
_WORDS = 3
_READS = frozenset({StrategyName.RAG})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question that was asked in public: what it cost in all, None where one call's price is unknown."""

    id: str
    text: str
    at: datetime
    disliked: bool
    unanswered: bool
    seconds: float | None
    cost: Decimal | None
    prompt: int | None
    answer: int | None


async def figures(
    engine: AsyncEngine,
    *,
    embedder: Embedder,
    datasets: Datasets,
    prices: PriceBook,
    now: datetime,
    base: ModelCard | None,
    run: str = LAST,
    epochs: int = 3,
    minutes: float | None = None,
    hourly: Decimal | None = None,
) -> Figures:
    """All that is known now. `run`: which evaluation; `base`: the card of what is to be tuned.

    Raises RunNotFound for an evaluation that there is not, unless the newest was asked for.
    """
    asked = await _asked(engine, now)
    golden, count, baselines = await _baselines(engine, run)
    data = next((one for one in await datasets.all() if one.withdrawn_at is None), None)
    answered = [one for one in asked if one.prompt is not None]
    prompt = fmean(one.prompt or 0 for one in answered) if answered else None
    answer = fmean(one.answer or 0 for one in answered) if answered else None
    short = _short_prompt(asked, base)
    rows, tokens = _rows(data)
    weeks = max((now - asked[0].at) / timedelta(weeks=1), 1.0) if asked else 0.0
    return Figures(
        topics=await _topics(asked, embedder, weeks),
        asked=len(asked),
        weeks=weeks,
        golden=golden,
        golden_questions=count,
        baselines=baselines,
        base=base,
        base_cost=_cost(base, prices, short, answer),
        dataset=data.id[:SHORT] if data else "",
        rows=rows,
        tokens=tokens,
        epochs=epochs,
        training=training_price(base, tokens) if base is not None and tokens is not None else None,
        prompt=prompt,
        answer=answer,
        short_prompt=short,
        minutes=minutes,
        hourly=hourly,
    )


async def _asked(engine: AsyncEngine, now: datetime) -> list[Asked]:
    """The questions of the last weeks that everybody could read, oldest first."""
    public = (PlaceKind.CHANNEL.value, PlaceKind.CONSOLE.value)
    wanted = (questions.c.place_kind.in_(public), questions.c.private.is_(False), questions.c.text != "")
    recent = questions.c.asked_at >= now - LOOKED_BACK
    query = sa.select(questions).where(*wanted, recent).order_by(questions.c.asked_at.desc()).limit(MOST)
    calls = sa.select(ledger).where(ledger.c.started_at >= now - LOOKED_BACK, ledger.c.question_id.is_not(None))
    thumbs = sa.select(feedback.c.question_id).where(feedback.c.value < 0)
    async with engine.connect() as connection:
        rows = list(await connection.execute(query))
        disliked = set((await connection.execute(thumbs)).scalars())
        spent: dict[str, list[Any]] = {}
        for call in await connection.execute(calls):
            spent.setdefault(call.question_id, []).append(call)
    return [_one(row, spent.get(row.id, []), row.id in disliked) for row in reversed(rows)]


def _one(row: Any, calls: Sequence[Any], disliked: bool) -> Asked:
    receipt = row.receipt or {}
    answers = [call for call in calls if call.purpose == "answer" and call.prompt_tokens is not None]
    known = bool(calls) and all(call.cost is not None for call in calls)
    return Asked(
        id=row.id,
        text=row.text,
        at=row.asked_at,
        disliked=disliked,
        unanswered=not row.answer,
        seconds=receipt.get("seconds"),
        cost=sum((call.cost for call in calls), Decimal(0)) if known else None,
        prompt=sum(call.prompt_tokens for call in answers) if answers else None,
        answer=sum(call.completion_tokens or 0 for call in answers) if answers else None,
    )


async def _topics(asked: Sequence[Asked], embedder: Embedder, weeks: float) -> list[Topic]:
    """The kinds of questions, those asked most first."""
    if not asked:
        return []
    members: dict[int, list[Asked]] = {}
    vectors = await embedder.embed([one.text for one in asked])
    for one, number in zip(asked, topics(vectors), strict=True):
        members.setdefault(number, []).append(one)
    found = [_topic(group, weeks) for group in members.values()]
    return sorted(found, key=lambda topic: (-topic.a_week, topic.words))


def _topic(group: Sequence[Asked], weeks: float) -> Topic:
    words = Counter(word for one in group for word in sorted(content_words(one.text)))
    costs = [one.cost for one in group]
    seconds = [one.seconds for one in group if one.seconds is not None]
    known = [cost for cost in costs if cost is not None]
    return Topic(
        words=tuple(word for word, _ in words.most_common(_WORDS)),
        a_week=len(group) / weeks,
        disliked=sum(one.disliked for one in group) / len(group),
        unanswered=sum(one.unanswered for one in group) / len(group),
        cost=sum(known, Decimal(0)) / len(known) if len(known) == len(costs) else None,
        seconds=fmean(seconds) if seconds else None,
    )


async def _baselines(engine: AsyncEngine, name: str) -> tuple[str, int, list[Baseline]]:
    runs = Runs(engine)
    try:
        run = await runs.find(name)
    except RunNotFound:
        if name != LAST:
            raise
        return "", 0, []
    seen = overview((await runs.load(run.id)).matrix, worth_of(run))
    found = []
    for one in seen.standings:
        if one.quality.mean is None:  # nothing of it was judged
            continue
        found.append(
            Baseline(
                name=str(one.way),
                reads=one.way.strategy in _READS,
                tuned=one.way.strategy is StrategyName.FINE_TUNED,
                quality=one.quality.mean,
                low=one.quality.low,
                high=one.quality.high,
                cost=None if one.cost.mean is None else Decimal(repr(round(one.cost.mean, 12))),
                seconds=one.seconds.mean,
            )
        )
    return run.name, run.questions, found


def _rows(data: Dataset | None) -> tuple[int | None, int | None]:
    """How many rows of chat there are, and the tokens of an epoch."""
    if data is None:
        return None, None
    return int(data.report["train"]) + int(data.report["validation"]), int(data.report["tokens"])


def _short_prompt(asked: Sequence[Asked], base: ModelCard | None) -> float | None:
    """Mean tokens of the prompt with which a tuned model would be asked the same."""
    if not asked:
        return None
    model = base.model_id if base else ""
    system = prompted("How?")[0]["content"]
    overhead = count_tokens(system, model).tokens + 2 * MESSAGE_TOKENS
    return overhead + fmean(count_tokens(one.text, model).tokens for one in asked)


def _cost(base: ModelCard | None, prices: PriceBook, prompt: float | None, answer: float | None) -> Decimal | None:
    """What an answer of the tuned model costs, at the prices of its base; None where they are not known."""
    if base is None or prompt is None or answer is None:
        return None
    rates = base.rates.rates() if base.rates else None
    return prices.estimate(base.provider, base.model_id, round(prompt), round(answer), rates=rates, free=base.free)
