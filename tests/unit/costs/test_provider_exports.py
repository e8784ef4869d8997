"""Exports of usage and costs, as OpenAI and Anthropic write them, and plain ones."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.costs.provider_exports import ALL, Entry, read_export
from bot.errors import UnreadableExport

DAY = date(2026, 11, 18)
MIDNIGHT = 1_794_960_000  # 2026-11-18T00:00:00Z


def read(folder: Path, content: str | dict[str, Any] | list[Any]) -> list[Entry]:
    file = folder / "export"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_export(file)


def openai(*results: dict[str, Any], begin: int = MIDNIGHT, seconds: int = 86_400, **page: Any) -> dict[str, Any]:
    bucket = {"object": "bucket", "start_time": begin, "end_time": begin + seconds, "results": list(results)}
    return {"object": "page", "data": [bucket], "has_more": False, **page}


def anthropic(*results: dict[str, Any]) -> dict[str, Any]:
    days = {"starting_at": "2026-11-18T00:00:00Z", "ending_at": "2026-11-19T00:00:00Z"}
    return {"data": [{**days, "results": list(results)}], "has_more": False, "next_page": None}


USAGE = {
    "object": "organization.usage.completions.result",
    "input_tokens": 1000,
    "output_tokens": 500,
    "input_cached_tokens": 800,
    "num_model_requests": 5,
    "model": "gpt-5-mini-2025-08-07",
}


def test_openais_usage_by_its_api_counts_cached_tokens_once(tmp_path: Path) -> None:
    expected = Entry(model="gpt-5-mini-2025-08-07", day=DAY, input_tokens=1000, output_tokens=500)
    assert read(tmp_path, openai(USAGE)) == [expected]
    hour = openai(USAGE, begin=MIDNIGHT + 5 * 3600, seconds=3600)
    assert read(tmp_path, [openai(USAGE, has_more=True), hour]) == [expected, expected]


def test_openais_costs_by_its_api_are_those_of_all_models_together(tmp_path: Path) -> None:
    cost = {"object": "organization.costs.result", "amount": {"value": 0.06, "currency": "usd"}, "line_item": "x, y"}
    assert read(tmp_path, openai(cost)) == [Entry(model=ALL, day=DAY, cost=Decimal("0.06"))]


def test_openais_files(tmp_path: Path) -> None:
    usage = f"start_time,end_time,model,input_tokens,output_tokens,project_id\n{MIDNIGHT},{MIDNIGHT + 86400},m,7,2,p\n"
    assert read(tmp_path, usage) == [Entry(model="m", day=DAY, input_tokens=7, output_tokens=2)]
    costs = f"start_time,end_time,amount_value,amount_currency,line_item\n{MIDNIGHT},{MIDNIGHT + 86400},1.5,usd,m\n"
    assert read(tmp_path, costs) == [Entry(model=ALL, day=DAY, cost=Decimal("1.5"))]


def test_anthropics_usage_adds_what_was_read_from_and_written_to_its_cache(tmp_path: Path) -> None:
    usage = {
        "uncached_input_tokens": 1500,
        "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
        "cache_read_input_tokens": 200,
        "output_tokens": 500,
        "model": "claude-sonnet-4-5",
    }
    expected = Entry(model="claude-sonnet-4-5", day=DAY, input_tokens=3200, output_tokens=500)
    assert read(tmp_path, anthropic(usage)) == [expected]
    file = (
        "usage_date_utc,model_version,api_key,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,"
        "usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count\n"
        "2026-11-18,claude-sonnet-4-5,k,1500,500,1000,200,500,0\n"
    )
    assert read(tmp_path, file) == [expected]


def test_anthropics_costs_are_in_cents(tmp_path: Path) -> None:
    cost = {"currency": "USD", "amount": "123.45", "description": None, "model": None}
    assert read(tmp_path, anthropic(cost)) == [Entry(model=ALL, day=DAY, cost=Decimal("1.2345"))]


def test_a_plain_file_tells_what_it_knows(tmp_path: Path) -> None:
    text = "\ufeffmodel,day,input_tokens,output_tokens,cost,currency\nm,2026-11-18,7,,0.10,eur\n"
    expected = Entry(model="m", day=DAY, input_tokens=7, output_tokens=None, cost=Decimal("0.10"), currency="EUR")
    assert read(tmp_path, text) == [expected]


PLAIN = "model,day,input_tokens,cost,currency\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (PLAIN + "m,2026-11-18,-5,1,USD\n", "Line 2: input_tokens is -5, less than nothing"),
        (PLAIN + "m,2026-11-18,5,-1,USD\n", "Line 2: cost is -1, less than nothing"),
        (PLAIN + "m,2026-11-18,5,1,USD\nm,2026-11-18,5,1,EUR\n", "in EUR and USD, which cannot be added"),
        (PLAIN + "m,2026-11-18,many,1,USD\n", "Line 2: “many” is no number in input_tokens"),
        (PLAIN + "m,2026-11-18,0.5,1,USD\n", "“0.5” is no number of tokens"),
        (PLAIN + "m,18.11.2026,5,1,USD\n", "“18.11.2026” is no day. Write it as 2026-11-18"),
        (PLAIN + "m,2026-11-18T00:00:00+01:00,5,1,USD\n", "begins at 23:00 UTC, so its days are those of another time"),
        (PLAIN + ",2026-11-18,5,1,USD\n", "Line 2 names no model"),
        (PLAIN + "m,2026-11-18,5\n", "Line 2 has not as many fields"),
        (PLAIN, "holds no usage and no costs"),
        ("model,day,tokens,cost\nm,2026-11-18,5,1\n", "“tokens” is not known. A plain file has"),
        ("a,b\n1,2\n", "These columns are no export that is known: a, b"),
        ('{"data": 5}', "no answer of a usage or cost API"),
        ("{", "no JSON"),
        (openai(USAGE, begin=MIDNIGHT + 8 * 3600), "Entry 1 begins at 08:00 UTC"),
        (openai({**USAGE, "model": None}), "Entry 1 names no model. Export the usage grouped by model"),
        (openai(USAGE, has_more=True), "further pages"),
        (openai({"object": "x"}), "tells neither tokens nor an amount"),
        ({"data": [{"start_time": 0}]}, "Entry 1 has no `results`"),
    ],
)
def test_what_cannot_be_read_is_told_with_a_sentence(tmp_path: Path, content: Any, problem: str) -> None:
    with pytest.raises(UnreadableExport, match=problem):
        read(tmp_path, content)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableExport, match=r"gone\.csv cannot be read"):
        read_export(tmp_path / "gone.csv")
