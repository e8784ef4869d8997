import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from week_reports import BERLIN, empty, question, report, total

from bot.costs.calls import GroupBy, Total
from bot.costs.periods import Month, Period
from bot.costs.report import WeeklyReport
from bot.costs.report_words import headline
from bot.costs.saving import Proposal
from bot.costs.summary import CostSummary
from bot.costs.waste import Waste
from bot.people.coverage import Topic
from deploy.workspace.limits import check_message_blocks
from handlers.blocks.report import cost_blocks, report_blocks, report_blocks_with_image
from handlers.blocks.report_details import detail_blocks

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
    (found,) = [block for block in blocks if block["type"] in ("table", "data_table")]
    return [[cell.get("text", "") for cell in row] for row in found["rows"]]


def details(week: WeeklyReport, links: dict[str, str] | None = None, **more: Any) -> list[dict[str, Any]]:
    found = detail_blocks(week, links or {}, more.pop("names", {}), **({"data_table": True} | more))
    check_message_blocks(found)
    return found


def test_the_report_begins_with_its_headline_and_is_short() -> None:
    blocks = report_blocks(report())
    check_message_blocks(blocks)
    assert blocks[0]["text"]["text"] == f"*{headline(report())}*"
    assert len(blocks) <= 6
    assert "what it is made of is in the thread" in texts(blocks)


def test_the_details_are_one_table_of_every_sum_that_people_can_sort() -> None:
    blocks = details(report())
    assert blocks[0]["type"] == "data_table"
    assert table(blocks) == [
        ["By", "What", "Cost", "Calls"],
        ["Model", "large", "$3.18", "200"],
        ["Model", "small", "$1.00", "100"],
        ["Place", "", "$4.00", "200"],
        ["Place", "direct messages", "$0.18", "100"],
        ["Way", "knowledge search (RAG)", "$4.10", "290"],
        ["Way", "everything else", "$0.08", "10"],
    ]
    (channel,) = blocks[0]["rows"][3][1]["elements"][0]["elements"]
    assert channel == {"type": "channel", "channel_id": "C1"}
    assert table(details(report(), data_table=False)) == table(blocks)
    assert details(report(), data_table=False)[0]["type"] == "table"


def test_persons_are_named_where_they_are_counted_and_by_their_names() -> None:
    assert "Who" not in texts(details(report()))
    rows = table(details(report(by_person=(total("4", "U1"), total("0.18", "U2"))), names={"U1": "Maya"}))
    assert [row[:2] for row in rows[-2:]] == [["Who", "Maya"], ["Who", "U2"]]


def test_the_native_chart_sets_each_day_beside_the_week_before() -> None:
    (chart,) = [block for block in report_blocks(report()) if block["type"] == "data_visualization"]
    assert chart["title"] == "Model costs, 9–15 November 2026"
    assert chart["chart"]["axis_config"]["categories"] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    before, now = chart["chart"]["series"]
    assert (now["name"], before["name"]) == ("Last week", "The week before")
    assert now["data"][0] == {"label": "Mon", "value": 0.1}
    assert before["data"][0] == {"label": "Mon", "value": 0.7}


def test_a_months_chart_has_a_bar_for_each_seven_days_and_fits_slack() -> None:
    november = Month(date(2026, 11, 1), BERLIN)
    now = tuple(total("1") for _ in november.days)
    before = tuple(total("2") for _ in november.previous.days)
    blocks = report_blocks(report(week=november, by_day=now, previous_by_day=before))
    check_message_blocks(blocks)
    (chart,) = [block["chart"] for block in blocks if block["type"] == "data_visualization"]
    assert chart["axis_config"]["categories"] == ["1–7", "8–14", "15–21", "22–28", "29–30"]
    assert [point["value"] for point in chart["series"][1]["data"]] == [7, 7, 7, 7, 2]
    assert chart["series"][0]["data"][4]["value"] == 6
    assert blocks[0]["text"]["text"].startswith("*Last month cost $4.18")


def test_the_first_week_is_charted_alone() -> None:
    (chart,) = [
        block for block in report_blocks(report(previous=total(calls=0))) if block["type"] == "data_visualization"
    ]
    assert [series["name"] for series in chart["chart"]["series"]] == ["Last week"]


def test_a_free_week_charts_calls() -> None:
    (chart,) = [
        block
        for block in report_blocks(report(total=total(), previous=total()))
        if block["type"] == "data_visualization"
    ]
    assert chart["title"].startswith("Model calls")
    assert chart["chart"]["series"][-1]["data"][6]["value"] == 7


def test_the_fallback_shows_the_uploaded_image_and_tells_it_in_words() -> None:
    blocks = report_blocks_with_image(report(), "F1")
    check_message_blocks(blocks)
    assert not [block for block in blocks if block["type"] == "data_visualization"]
    (image,) = [block for block in blocks if block["type"] == "image"]
    assert image["slack_file"] == {"id": "F1"}
    assert "Mon $0.10" in image["alt_text"]


def test_the_dearest_questions_link_to_place_and_time_and_direct_messages_do_not() -> None:
    shown = texts(details(report(), {"q1": LINK, "q2": LINK}))
    assert f"1. $0.0312 in <#C1>, <{LINK}|Tue 10 Nov, 10:30> (small, 2 calls)" in shown
    assert "2. $0.0042 in a direct message, Tue 10 Nov, 10:30 (small, 2 calls)" in shown
    assert "D1" not in shown


def test_failures_waste_unknown_prices_and_thumbs_are_told() -> None:
    waste = Waste(stopped=2, stopped_cost=Decimal("0.3"), failed=1, retries=2, retries_cost=Decimal("0.1"))
    week = report(by_model=(total("4.18", "large"), total("0", "<mine>", unknown=2)), waste=waste)
    shown = texts(report_blocks(week))
    assert "3 failed calls: 2 rate limited, 1 timed out." in shown
    assert "No price is known for &lt;mine&gt; (2 calls)" in shown
    assert ":thumbsup: 41 · :thumbsdown: 6" in shown
    told = (
        "$0.30 went to calls that helped nobody: 2 stopped before the end ($0.30). 2 second or later tries cost $0.10."
    )
    assert told in shown


def test_a_week_without_trouble_speaks_of_none() -> None:
    shown = texts(report_blocks(report(failures=()))) + texts(details(report(dearest=())))
    for word in ("failed calls", "No price", "Dearest", "helped nobody", "Savings", ":mag:", "no good answer"):
        assert word not in shown


@pytest.mark.parametrize("make", [report_blocks, lambda week: report_blocks_with_image(week, "F1")])
def test_an_empty_week_is_one_line(make: Any) -> None:
    (block,) = make(empty())
    assert block["text"]["text"] == "No model was called last week (9–15 November 2026), so it cost nothing."


def test_a_report_that_comes_late_says_so_and_which_week_it_is() -> None:
    blocks = report_blocks(report(), "the week of 9–15 November 2026", "This report was due on Monday.")
    assert blocks[0]["text"]["text"].startswith("*The week of 9–15 November 2026 cost $4.18")
    assert blocks[1]["elements"][0]["text"] == "This report was due on Monday."


def test_a_workspace_of_many_models_and_channels_still_fits() -> None:
    many = tuple(total("0.01", f"C{number:09d}", unknown=1) for number in range(500))
    week = report(
        by_model=many,
        by_channel=many,
        by_purpose=many,
        by_person=many,
        dearest=tuple(question(f"q{n}", "0.1") for n in range(5)),
        failures=(),
    )
    check_message_blocks(report_blocks(week))
    rows = table(details(week))
    assert rows[30][1] == "471 others"
    assert rows[30][2] == "at least $4.71"
    assert table(details(week, data_table=False)) == rows


def test_a_saving_has_a_button_that_names_the_channel_and_the_model() -> None:
    proposal = Proposal(
        channel="C1", model="large", other="<small>", month=Decimal("31"), gain=-0.004, low=-0.013, high=0.005,
        questions=40, source="shadow runs",
    )  # fmt: skip
    blocks = report_blocks(report(proposals=(proposal,)))
    check_message_blocks(blocks)
    (found,) = [block for block in blocks if "accessory" in block]
    told = "• <#C1> from large to &lt;small&gt;: −$31.00 a month, quality −0.004 ± 0.009 on 40 questions (shadow runs)"
    assert found["text"]["text"] == told
    value = json.loads(found["accessory"]["value"])
    assert (value["channel"], value["model"]) == ("C1", "<small>")
    assert "saving of about $31.00 a month" in value["why"]


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


def test_further_sentences_are_told_in_the_thread_and_in_an_empty_week_at_once() -> None:
    sentences = ("Learning is used: +0.04 over always rag · <small>.", "Shadow runs: 14.")
    blocks = details(report(said=sentences))
    assert [block["text"]["text"] for block in blocks[-3:-1]] == [
        "Learning is used: +0.04 over always rag · &lt;small&gt;.",
        "Shadow runs: 14.",
    ]
    alone = report_blocks(replace(empty(), said=sentences))
    check_message_blocks(alone)
    assert alone[1]["text"]["text"] == blocks[-3]["text"]["text"]


def test_what_found_no_good_answer_is_one_short_section_with_names_that_ring_nobody() -> None:
    long = Topic(name="vpn, certificate", count=5, before=2, example="<!here> & " * 50, owner="U0SAM")
    week = report(unanswered=(long,) * 5)
    for blocks in (
        report_blocks(week, names={"U0SAM": "Sam <Lee>"}),
        report_blocks_with_image(week, "F1", names={"U0SAM": "Sam <Lee>"}),
        report_blocks(replace(empty(), unanswered=week.unanswered), names={"U0SAM": "Sam <Lee>"}),
    ):
        check_message_blocks(blocks)
        (found,) = [block["text"]["text"] for block in blocks if "no good answer" in texts([block])]
        head, *topics, rest = found.split("\n")
        assert head == "*25 questions of last week found no good answer.*"
        assert [line.endswith("…” · ask Sam &lt;Lee&gt;") for line in topics] == [True] * 3
        assert "&lt;!here&gt; &amp; " in topics[0]
        assert rest == "• and 2 more topics (10 questions): `/switchboard coverage`"


def test_purposes_have_names_for_people() -> None:
    shadowed = (total("4.15", "answer", calls=286), total("0.03", "shadow", calls=14))
    rows = table(details(report(by_purpose=shadowed)))
    assert rows[-1] == ["Use", "shadow runs", "$0.03", "14"]
