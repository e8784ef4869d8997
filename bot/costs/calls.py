"""A model call before it goes out and after it was settled, and what calls cost together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from bot.costs.budgets import Spender

GroupBy = Literal["model", "strategy", "channel", "provider", "purpose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A model call that is about to go out. `purpose`: "answer", "draft" (an answer that is shown only where its model
    was sure of it), "rewrite", "embedding", "evaluate", "judge", "shadow", "transcribe", "image", "compare" or
    "fine_tune". `reserved`: the most US dollars that it may cost, None where nobody knows."""

    question_id: str | None
    purpose: str
    attempt: int
    provider: str
    model: str
    strategy: str | None
    channel: str | None
    asker: str | None
    started_at: datetime
    workspace: str | None = None
    reserved: Decimal | None = None

    @property
    def spender(self) -> Spender:
        """Whose budgets it is on."""
        return Spender(channel=self.channel, person=self.asker, purpose=self.purpose)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What a group of calls cost together. `key` is "" for calls that have none (embedding has no strategy).

    `cost`: exact US dollars of the calls whose price is known. `unknown`: how many others there are that may have
    cost something.
    """

    key: str
    calls: int = 0
    failures: int = 0
    cost: Decimal = Decimal(0)
    unknown: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Total) -> Total:
        """Both together, under the first one's key."""
        return Total(
            key=self.key,
            calls=self.calls + other.calls,
            failures=self.failures + other.failures,
            cost=self.cost + other.cost,
            unknown=self.unknown + other.unknown,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A call as it is shown and exported. What it took and cost is None while it is under way."""

    id: int
    question_id: str | None
    purpose: str
    attempt: int
    provider: str
    model: str
    strategy: str | None
    channel: str | None
    place_kind: str | None
    started_at: datetime
    seconds: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    estimated: bool
    cost: Decimal | None
    price_version: str | None
    outcome: str
    cache_written_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    input_image_tokens: int | None = None
    output_image_tokens: int | None = None
    audio_ms: int | None = None
    images: int | None = None
    served: str | None = None
    request_id: str | None = None
    note: str | None = None
    reserved: Decimal | None = None
    first_cost: Decimal | None = None
    first_price_version: str | None = None
    repriced_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionCost:
    """What the calls for one question cost whose price is known, and where it was asked; never its text."""

    question_id: str
    channel: str
    place_kind: str
    asked_at: datetime
    answer_ts: str | None
    cost: Decimal
    calls: int
    models: tuple[str, ...]


def dearest_first(totals: Iterable[Total]) -> list[Total]:
    """By cost, then by number of calls, then by name."""
    return sorted(totals, key=lambda total: (-total.cost, -total.calls, total.key))
