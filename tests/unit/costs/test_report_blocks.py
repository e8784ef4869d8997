import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from week_reports import BERLIN, empty, question, report, total

from bot.costs.ledger import GroupBy, Total
from bot.costs.periods import Period
from bot.costs.report import WeeklyReport, headline
from bot.costs.summary import CostSummary
from deploy.workspace.limits import check_message_blocks
from handlers.blocks.report import cost_blocks, report_blocks, report_blocks_with_image

LINK = "https://x.slack.com/archives/C1/p1"


def summary(parts: tuple[Total, ...], by: GroupBy = "model") -> CostSummary:
    whole = Total(key="")
    for part in parts:
        whole += part
    period = Period.of("week", datetime(2026, 11, 18, tzinfo=UTC), BERLIN)
    return CostSummary(period=period, by=by, total=whole, parts=parts, answers=7)


def texts(blocks: list[dict[str, Any]]) -> str:
    return json.dumps(blocks, ensure_ascii=False)


def table(blocks: list[dict[str, Any]]) -> list[list[str]]:
    (found,) = [block for block in blocks if block["type"] == "table"]
    return [[cell.get("text", "") for cell in row] for row in found["rows"]]


def test_the_report_begins_with_its_headline_and_fits_slack() -> None:
    blocks = report_blocks(report(), {"q1": LINK})
    check_message_blocks(blocks)
    assert blocks[0]["text"]["text"] == f"*{headline(report())}*"
    assert table(blocks) == [
        ["Model", "Calls", "Failed", "Tokens", "Cost", "Share"],
        ["large", "200", "0", "0", "$3.18", "76%"],
        ["small", "100", "3", "0", "$1.00", "24%"],
    ]


def test_the_native_chart_sets_each_day_beside_the_week_before() -> None:
    (chart,) = [block for block in report_blocks(report(), {}) if block["type"] == "data_visualization"]
    assert chart["title"] == "Model costs, 9–15 November 2026"
    assert chart["chart"]["axis_config"]["categories"] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    before, now = chart["chart"]["series"]
    assert (now["name"], before["name"]) == ("Last week", "The week before")
    assert now["data"][0] == {"label": "Mon", "value": 0.1}
    assert before["data"][0] == {"label": "Mon", "value": 0.7}


def test_the_first_week_is_charted_alone() -> None:
    (chart,) = [
        block for block in report_blocks(report(previous=total(calls=0)), {}) if block["type"] == "data_visualization"
    ]
    assert [series["name"] for series in chart["chart"]["series"]] == ["Last week"]


def test_a_free_week_charts_calls() -> None:
    (chart,) = [
        block
        for block in report_blocks(report(total=total(), previous=total()), {})
        if block["type"] == "data_visualization"
    ]
    assert chart["title"].startswith("Model calls")
    assert chart["chart"]["series"][-1]["data"][6]["value"] == 7


def test_the_fallback_shows_the_uploaded_image_and_tells_it_in_words() -> None:
    blocks = report_blocks_with_image(report(), {}, "F1")
    check_message_blocks(blocks)
    assert not [block for block in blocks if block["type"] == "data_visualization"]
    (image,) = [block for block in blocks if block["type"] == "image"]
    assert image["slack_file"] == {"id": "F1"}
    assert "Monday $0.10" in image["alt_text"]


def test_the_dearest_questions_link_to_place_and_time_and_direct_messages_do_not() -> None:
    shown = texts(report_blocks(report(), {"q1": LINK, "q2": LINK}))
    assert f"1. $0.0312 in <#C1>, <{LINK}|Tue 10 Nov, 10:30> (small, 2 calls)" in shown
    assert "2. $0.0042 in a direct message, Tue 10 Nov, 10:30 (small, 2 calls)" in shown
    assert "D1" not in shown


def test_strategies_and_channels_are_named_for_people() -> None:
    shown = texts(report_blocks(report(), {}))
    assert "• knowledge search (RAG): $4.10, 290 calls" in shown
    assert "• everything else: $0.08, 10 calls" in shown
    assert "• <#C1>: $4.00, 200 calls" in shown
    assert "• direct messages: $0.18, 100 calls" in shown


def test_failures_unknown_prices_and_thumbs_are_told() -> None:
    week = report(by_model=(total("4.18", "large"), total("0", "<mine>", unknown=2)))
    shown = texts(report_blocks(week, {}))
    assert "3 failed calls: 2 rate limited, 1 timed out." in shown
    assert "No price is known for &lt;mine&gt; (2 calls)" in shown
    assert ":thumbsup: 41 · :thumbsdown: 6" in shown


def test_a_week_without_trouble_speaks_of_none() -> None:
    shown = texts(report_blocks(report(failures=(), dearest=()), {}))
    assert "failed calls" not in shown
    assert "No price" not in shown
    assert "Dearest" not in shown


@pytest.mark.parametrize("make", [report_blocks, lambda week, links: report_blocks_with_image(week, links, "F1")])
def test_an_empty_week_is_one_line(make: Any) -> None:
    (block,) = make(empty(), {})
    assert block["text"]["text"] == "No model was called last week (9–15 November 2026), so it cost nothing."


def test_a_workspace_of_many_models_and_channels_still_fits() -> None:
    many = tuple(total("0.01", f"C{number:09d}", unknown=1) for number in range(500))
    week = report(
        by_model=many, by_channel=many, dearest=tuple(question(f"q{n}", "0.1") for n in range(5)), failures=()
    )
    blocks = report_blocks(week, {})
    check_message_blocks(blocks)
    assert table(blocks)[-1][0] == "486 others"
    assert table(blocks)[-1][4] == "at least $4.86"


def test_cost_is_a_sentence_and_a_table() -> None:
    blocks = cost_blocks(summary((total("0.0042", "small", prompt_tokens=1200),)))
    check_message_blocks(blocks)
    assert blocks[0]["text"]["text"] == "This week cost $0.0042 so far, for 7 answers."
    assert table(blocks)[1] == ["small", "1", "0", "1,200", "$0.0042", "100%"]


def test_cost_by_channel_names_the_channel_as_slack_does() -> None:
    blocks = cost_blocks(summary((total("1", "C1"), total("1", "")), by="channel"))
    check_message_blocks(blocks)
    rows = blocks[1]["rows"]
    assert rows[1][0]["elements"][0]["elements"] == [{"type": "channel", "channel_id": "C1"}]
    assert rows[2][0]["text"] == "outside channels"


def test_cost_with_unknown_prices_says_that_there_is_more() -> None:
    shown = texts(cost_blocks(summary((total("1", "a"), total("0", "b", unknown=2)))))
    assert "This week cost at least $1.00 so far" in shown
    assert "2 calls had no known price, so the true sum is higher." in shown


def test_a_model_without_a_price_has_no_share() -> None:
    rows = table(cost_blocks(summary((total("1", "a"), total("0", "b", unknown=2), total("0", "free")))))
    assert [row[-2:] for row in rows[1:]] == [["$1.00", "100%"], ["unknown", "–"], ["$0", "0%"]]


def test_cost_of_nothing_is_one_sentence() -> None:
    (block,) = cost_blocks(summary(()))
    assert block["text"]["text"] == "This week no model was called, so it cost nothing."


def test_a_report_has_no_float_in_its_sums() -> None:
    week: WeeklyReport = report()
    assert isinstance(week.total.cost, Decimal)
    assert isinstance(week.change, Decimal)


def test_who_chooses_is_said_before_the_thumbs() -> None:
    blocks = report_blocks(report(choosing="Learning is used: +0.04 over always rag · <small>."), {})
    assert blocks[-2]["text"]["text"] == "Learning is used: +0.04 over always rag · &lt;small&gt;."
    assert "thumbsup" in str(blocks[-1])
    assert len(report_blocks(report(), {})) == len(blocks) - 1


def test_an_empty_week_says_who_chooses_and_what_shadow_runs_say_in_blocks_too() -> None:
    blocks = report_blocks(replace(empty(), choosing="<Learning> is used.", shadows="Shadow runs: 2 questions."), {})
    check_message_blocks(blocks)
    told = [block["text"]["text"] for block in blocks]
    assert told[1:] == ["&lt;Learning&gt; is used.", "Shadow runs: 2 questions."]


def test_shadow_runs_are_told_after_who_chooses_and_their_calls_have_a_name() -> None:
    shadowed = (total("4.15", "answer", calls=286), total("0.03", "shadow", calls=14))
    blocks = report_blocks(report(choosing="Learning is used.", shadows="Shadow runs: 14.", by_purpose=shadowed), {})
    check_message_blocks(blocks)
    assert [block["text"]["text"] for block in blocks[-3:-1]] == ["Learning is used.", "Shadow runs: 14."]
    assert "• shadow runs: $0.03, 14 calls" in texts(blocks)
