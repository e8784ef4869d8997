"""The ledger as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC
from decimal import Decimal

from bot.costs.ledger import Row
from bot.domain import PlaceKind

COLUMNS = (
    "started_at",
    "question_id",
    "purpose",
    "attempt",
    "provider",
    "model",
    "strategy",
    "channel",
    "seconds",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "tokens_estimated",
    "cost_usd",
    "price_version",
    "outcome",
    "first_cost_usd",
    "first_price_version",
    "repriced_at",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_csv(rows: Iterable[Row]) -> str:
    """RFC 4180: a header, then a line for every call, times in UTC. An unknown cost is empty, a free call 0.

    It tells neither what was asked nor who asked, and direct messages have no channel. Text that a spreadsheet
    would take for a formula is led by an apostrophe. Of a call that was priced again, both costs are there.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in _values(row)] for row in rows)
    return file.getvalue()


def _values(row: Row) -> tuple[object, ...]:
    private = row.place_kind in (PlaceKind.DM, PlaceKind.GROUP_DM)
    return (
        row.started_at.astimezone(UTC).isoformat(timespec="seconds"),
        row.question_id,
        row.purpose,
        row.attempt,
        row.provider,
        row.model,
        row.strategy,
        "direct message" if private else row.channel,
        row.seconds,
        row.prompt_tokens,
        row.completion_tokens,
        row.cached_tokens,
        row.reasoning_tokens,
        "yes" if row.estimated else "no",
        row.cost,
        row.price_version,
        row.outcome,
        row.first_cost,
        row.first_price_version,
        row.repriced_at.astimezone(UTC).isoformat(timespec="seconds") if row.repriced_at else None,
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
