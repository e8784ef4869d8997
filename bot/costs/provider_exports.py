"""What providers say that they counted: their exports of usage and of costs, as one kind of entry."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from bot.errors import UnreadableExport

ALL = ""
"""Stands for all models together: exports of costs do not name them reliably."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a provider counted of a model on a day (UTC). None is what the export does not tell.

    `cost` in `currency`, as the export has it.
    """

    model: str
    day: date
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None
    currency: str = "USD"


def read_export(file: Path) -> list[Entry]:
    """Every entry of an export; its form is known by its columns or fields.

    Raises UnreadableExport with a sentence that says what is wrong, where, and what is read.
    """
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableExport(f"{file} cannot be read: {error}.") from error
    entries = list(_of_json(text) if text.lstrip()[:1] in {"{", "["} else _of_csv(text))
    if not entries:
        raise UnreadableExport(f"{file} holds no usage and no costs.")
    currencies = sorted({entry.currency for entry in entries if entry.cost is not None})
    if len(currencies) > 1:
        raise UnreadableExport(
            f"The export is in {' and '.join(currencies)}, which cannot be added. Export each currency by itself."
        )
    return entries


# CSV: the form is known by the columns that it needs; further ones are a provider's own and are passed over.

_Fields = Mapping[str, str]


def _of_csv(text: str) -> Iterator[Entry]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = tuple(name.strip() for name in reader.fieldnames or ())
    reader.fieldnames = columns
    read = _form(columns)
    for number, row in enumerate(reader, 2):
        where = f"Line {number}"
        if None in row or None in row.values():
            raise UnreadableExport(f"{where} has not as many fields as the first line has columns.")
        yield read(row, where)


def _form(columns: tuple[str, ...]) -> Callable[[_Fields, str], Entry]:
    there = set(columns)
    for needed, read in _FORMS:
        if needed <= there:
            return read
    if {"model", "day"} <= there and there & {"input_tokens", "output_tokens", "cost"}:
        if unknown := sorted(there - _PLAIN):
            raise UnreadableExport(
                f"The column “{unknown[0]}” is not known. A plain file has {', '.join(sorted(_PLAIN))}."
            )
        return _plain
    raise UnreadableExport(
        f"These columns are no export that is known: {', '.join(columns)[:200]}. Read are the usage and cost exports "
        "of OpenAI, the usage of Anthropic, and a plain CSV with model, day, input_tokens, output_tokens and cost."
    )


def _plain(row: _Fields, where: str) -> Entry:
    return Entry(
        model=_name(row["model"], where),
        day=_day(row["day"], where),
        input_tokens=_count(row.get("input_tokens"), where, "input_tokens"),
        output_tokens=_count(row.get("output_tokens"), where, "output_tokens"),
        cost=_amount(row.get("cost"), where),
        currency=_currency(row.get("currency")),
    )


def _openai_usage_row(row: _Fields, where: str) -> Entry:
    return Entry(
        model=_name(row["model"], where),
        day=_bucket(row["start_time"], row.get("end_time"), where),
        input_tokens=_count(row["input_tokens"], where, "input_tokens"),
        output_tokens=_count(row["output_tokens"], where, "output_tokens"),
    )


def _openai_cost_row(row: _Fields, where: str) -> Entry:
    return Entry(
        model=ALL,
        day=_bucket(row["start_time"], row.get("end_time"), where),
        cost=_amount(row["amount_value"], where),
        currency=_currency(row["amount_currency"]),
    )


def _anthropic_usage_row(row: _Fields, where: str) -> Entry:
    asked = [name for name in row if name.startswith("usage_input_tokens_")]
    return Entry(
        model=_name(row["model_version"], where),
        day=_day(row["usage_date_utc"], where),
        input_tokens=sum(_count(row[name], where, name) or 0 for name in asked),
        output_tokens=_count(row["usage_output_tokens"], where, "usage_output_tokens"),
    )


_PLAIN = {"model", "day", "input_tokens", "output_tokens", "cost", "currency"}
_FORMS: tuple[tuple[set[str], Callable[[_Fields, str], Entry]], ...] = (
    ({"usage_date_utc", "model_version", "usage_input_tokens_no_cache", "usage_output_tokens"}, _anthropic_usage_row),
    ({"start_time", "amount_value", "amount_currency"}, _openai_cost_row),
    ({"start_time", "model", "input_tokens", "output_tokens"}, _openai_usage_row),
)


# JSON: one page of an API's answer, or a list of them.


def _of_json(text: str) -> Iterator[Entry]:
    try:
        read = json.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise UnreadableExport(f"The file is no JSON: {error}.") from error
    pages = read if isinstance(read, list) else [read]
    for page in pages:
        if not isinstance(page, dict) or not isinstance(page.get("data"), list):
            raise UnreadableExport(
                "The file is no answer of a usage or cost API: those of OpenAI and Anthropic hold their days in `data`."
            )
    if pages and pages[-1].get("has_more"):
        raise UnreadableExport(
            "There are further pages (`has_more`), so that this is not all. Fetch them too and put all pages in a list."
        )
    for page in pages:
        for number, bucket in enumerate(page["data"], 1):
            where = f"Entry {number}"
            for result in _listed(bucket, where):
                yield _result(bucket, result, where)


def _listed(bucket: Any, where: str) -> list[dict[str, Any]]:
    results = bucket.get("results") if isinstance(bucket, dict) else None
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise UnreadableExport(f"{where} has no `results`.")
    return results


def _result(bucket: Mapping[str, Any], result: Mapping[str, Any], where: str) -> Entry:
    begin = bucket.get("start_time", bucket.get("starting_at"))
    day = _bucket(begin, bucket.get("end_time", bucket.get("ending_at")), where)
    amount = result.get("amount")
    if isinstance(amount, Mapping):  # OpenAI's costs
        return Entry(
            model=ALL, day=day, cost=_amount(amount.get("value"), where), currency=_currency(amount.get("currency"))
        )
    if amount is not None:  # Anthropic's, in cents
        cents = _amount(amount, where)
        return Entry(model=ALL, day=day, cost=cents and cents / 100, currency=_currency(result.get("currency")))
    if "uncached_input_tokens" in result:
        return _anthropic_usage(result, day, where)
    if "input_tokens" in result:
        return Entry(
            model=_name(result.get("model"), where),
            day=day,
            input_tokens=_count(result["input_tokens"], where, "input_tokens"),
            output_tokens=_count(result.get("output_tokens", 0), where, "output_tokens"),
        )
    raise UnreadableExport(f"{where} tells neither tokens nor an amount.")


def _anthropic_usage(result: Mapping[str, Any], day: date, where: str) -> Entry:
    written = result.get("cache_creation") or {}
    asked = {**written, **{name: result.get(name, 0) for name in ("uncached_input_tokens", "cache_read_input_tokens")}}
    return Entry(
        model=_name(result.get("model"), where),
        day=day,
        input_tokens=sum(_count(value, where, name) or 0 for name, value in asked.items()),
        output_tokens=_count(result.get("output_tokens", 0), where, "output_tokens"),
    )


# Single values.


def _name(value: object, where: str) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise UnreadableExport(f"{where} names no model. Export the usage grouped by model.")


def _count(value: object, where: str, what: str) -> int | None:
    if value is None or value == "":
        return None
    number = _number(value, where, what)
    if number != number.to_integral_value():
        raise UnreadableExport(f"{where}: “{value}” is no number of tokens in {what}.")
    return int(number)


def _amount(value: object, where: str) -> Decimal | None:
    return None if value is None or value == "" else _number(value, where, "cost")


def _number(value: object, where: str, what: str) -> Decimal:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise UnreadableExport(f"{where}: “{value}” is no number in {what}.")
    if number < 0:
        raise UnreadableExport(
            f"{where}: {what} is {value}, less than nothing. Take credits and refunds out of the file."
        )
    return number


def _currency(value: object) -> str:
    return str(value).strip().upper() if value else "USD"


def _day(value: str, where: str) -> date:
    text = value.strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        return _bucket(text, None, where)


def _bucket(begin: object, end: object, where: str) -> date:
    """The day that a bucket begins on. One of whole days has to begin at midnight UTC, as the ledger's days do."""
    first = _moment(begin, where)
    whole = end is None or end == "" or (_moment(end, where) - first) % _DAY == timedelta(0)
    if whole and first != first.replace(hour=0, minute=0, second=0, microsecond=0):
        raise UnreadableExport(
            f"{where} begins at {first:%H:%M} UTC, so its days are those of another time zone. Export it in UTC."
        )
    return first.date()


def _moment(value: object, where: str) -> datetime:
    text = str(value).strip()
    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise UnreadableExport(f"{where}: “{value}” is no day. Write it as 2026-11-18.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
