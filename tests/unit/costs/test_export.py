import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from ledger_days import cell, day

from bot.costs.calls import Row
from bot.costs.export import COLUMNS, SUM_COLUMNS, as_csv, sums_as_csv

ROW = Row(
    id=1,
    question_id="q1",
    purpose="answer",
    attempt=1,
    provider="openai",
    model="small",
    strategy="rag",
    channel="C1",
    place_kind="channel",
    started_at=datetime(2026, 11, 9, 8, tzinfo=UTC),
    seconds=1.25,
    prompt_tokens=10,
    completion_tokens=2,
    cached_tokens=0,
    reasoning_tokens=0,
    estimated=False,
    cost=Decimal("1E-7"),
    price_version="override",
    outcome="answered",
)


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_has_every_column_and_its_exact_cost() -> None:
    (line,) = read(as_csv([ROW]))
    assert tuple(line) == COLUMNS
    assert line["started_at"] == "2026-11-09T08:00:00+00:00"
    assert line["cost_usd"] == "0.0000001"
    assert (line["channel"], line["tokens_estimated"]) == ("C1", "no")


def test_an_unknown_cost_is_empty_and_a_free_one_is_zero() -> None:
    unknown, free = read(as_csv([replace(ROW, cost=None), replace(ROW, cost=Decimal(0))]))
    assert (unknown["cost_usd"], free["cost_usd"]) == ("", "0")


def test_a_call_that_was_priced_again_has_both_costs_and_when() -> None:
    again = replace(
        ROW, first_cost=Decimal("0.2"), first_price_version="old", repriced_at=datetime(2026, 11, 20, tzinfo=UTC)
    )
    line, never = read(as_csv([again, ROW]))
    assert (line["cost_usd"], line["first_cost_usd"], line["first_price_version"]) == ("0.0000001", "0.2", "old")
    assert line["repriced_at"] == "2026-11-20T00:00:00+00:00"
    assert (never["first_cost_usd"], never["repriced_at"]) == ("", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_spreadsheet_runs_no_formula_from_it(start: str) -> None:
    evil = f'{start}HYPERLINK("http://x","y")'
    (line,) = read(as_csv([replace(ROW, model=evil)]))
    assert line["model"] == f"'{evil}"


def test_lines_end_and_quotes_double_as_rfc_4180_has_it() -> None:
    text = as_csv([replace(ROW, model='a "b", c\nd')])
    assert '"a ""b"", c\nd"' in text
    assert text.endswith("\r\n")
    assert text.startswith("started_at,")
    assert read(text)[0]["model"] == 'a "b", c\nd'


@pytest.mark.parametrize("kind", ["dm", "group_dm"])
def test_direct_messages_are_not_named(kind: str) -> None:
    text = as_csv([replace(ROW, channel="D777", place_kind=kind)])
    assert "D777" not in text
    assert read(text)[0]["channel"] == "direct message"


def test_sums_have_a_line_for_each_day_and_kind_of_call_and_no_formula() -> None:
    cells = (
        cell("=small", 2, 15 * 10**8, tokens=(30, 4, 0)),
        cell("large", 1, 0, priced=False, place="direct messages", outcome="timed_out"),
    )
    lines = list(csv.reader(io.StringIO(sums_as_csv([day(*cells)], UTC))))
    assert lines == [
        list(SUM_COLUMNS),
        ["2026-11-09", "'=small", "house", "C1", "rag", "answer", "answered", "2", "30", "4", "0.0015"],
        ["2026-11-09", "large", "house", "direct messages", "rag", "answer", "timed_out", "1", "1000", "200", ""],
    ]
