"""The ledger as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, tzinfo
from decimal import Decimal

from bot.costs.calls import Row
from bot.costs.days import Day
from bot.costs.money import of_picodollars
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
SUM_COLUMNS = (
    "day",
    "model",
    "provider",
    "channel",
    "strategy",
    "purpose",
    "outcome",
    "calls",
    "prompt_tokens",
    "completion_tokens",
    "cost_usd",
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


def sums_as_csv(days: Iterable[Day], zone: tzinfo) -> str:
    """The same form for sums: a line for each day and each model, provider, channel, strategy, purpose and outcome."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(SUM_COLUMNS)
    for day in days:
        date = day.since.astimezone(zone).date()
        for cell in sorted(day.cells, key=lambda cell: (-cell.cost, cell.model, cell.place, cell.outcome)):
            values = (
                str(date),
                cell.model,
                cell.provider,
                cell.place,
                cell.strategy,
                cell.purpose,
                cell.outcome,
                cell.calls,
                cell.prompt_tokens,
                cell.completion_tokens,
                of_picodollars(cell.cost) if cell.priced else None,
            )
            writer.writerow([_cell(value) for value in values])
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
