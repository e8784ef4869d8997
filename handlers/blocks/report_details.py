"""What a report is made of, for its thread: one table of every sum, the dearest questions, and who chooses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo

from bot.costs.calls import GroupBy, QuestionCost, Total
from bot.costs.money import at_least, dollars, roughly
from bot.costs.report import WeeklyReport, count
from bot.domain import PlaceKind
from handlers.blocks.parts import context, section
from handlers.blocks.report import at_most, channel_cell, channel_name, raw, worded
from handlers.markdown import escape, with_channels
from handlers.shapes import JSON

PERSONS = 20
# With the head no more than the 100 rows that a table in Slack holds.
SHOWN: Mapping[str, int] = {"Model": 30, "Place": 30, "Way": 6, "Use": 12, "Who": PERSONS}
_TITLES = ("By", "What", "Cost", "Calls")  # a thread is narrow; the file has the rest


def detail_blocks(
    report: WeeklyReport, permalinks: Mapping[str, str], names: Mapping[str, str], *, data_table: bool
) -> list[JSON]:
    """The details. `permalinks`: question id → link, for those that may be linked; `names`: what persons are called;
    `data_table`: whether the table is one that people can sort, which older workspaces refuse."""
    rows = [[raw(title) for title in _TITLES]]
    for title, by, totals in _groups(report, names):
        rows += [[raw(title), *_cells(by, total)] for total in at_most(totals, SHOWN[title])]
    blocks: list[JSON] = []
    if len(rows) > 1:
        blocks.append(_sortable(rows, report) if data_table else _plain(rows))
    if report.dearest:
        questions = (
            f"{number}. {_question(question, permalinks, report.week.zone)}"
            for number, question in enumerate(report.dearest, 1)
        )
        blocks.append(section("\n".join(("*Dearest questions*", *questions))))
    blocks += [section(with_channels(sentence)) for sentence in report.said]
    blocks.append(context("The file below has every sum by day, without question texts and persons."))
    return blocks


def detail_text(report: WeeklyReport) -> str:
    """The same as plain lines, for a workspace that takes no blocks."""
    lines = []
    for title, by, totals in _groups(report, {}):
        told = ", ".join(
            f"{worded(by, total.key)} {at_least(total.cost, total.unknown)}" for total in at_most(totals, SHOWN[title])
        )
        lines.append(f"By {title.lower()}: {told}.")
    return "\n".join((*lines, *report.said)) or "There is nothing more to tell."


def _groups(report: WeeklyReport, names: Mapping[str, str]) -> Iterator[tuple[str, GroupBy, Sequence[Total]]]:
    yield "Model", "model", report.by_model
    yield "Place", "channel", report.by_channel
    yield "Way", "strategy", report.by_strategy
    yield "Use", "purpose", report.by_purpose
    yield "Who", "provider", [replace(total, key=names.get(total.key, total.key)) for total in report.by_person]


def _cells(by: GroupBy, total: Total) -> list[JSON]:
    small = total.cost < 1 and not total.unknown
    cost = roughly(total.cost) if small else at_least(total.cost, total.unknown)
    return [channel_cell(by, total.key), raw(cost), raw(f"{total.calls:,}")]


def _sortable(rows: list[list[JSON]], report: WeeklyReport) -> JSON:
    return {
        "type": "data_table",
        "caption": f"What the models cost, {report.week}",
        "page_size": 12,
        "row_header_column_index": 1,
        "rows": rows[:101],
    }


def _plain(rows: list[list[JSON]]) -> JSON:
    settings = [*[{"align": "left"}] * 2, *[{"align": "right"}] * 2]
    return {"type": "table", "column_settings": settings, "rows": rows[:100]}


def _question(question: QuestionCost, permalinks: Mapping[str, str], zone: tzinfo) -> str:
    when = f"{question.asked_at.astimezone(zone):%a %d %b, %H:%M}"
    private = question.place_kind in (PlaceKind.DM, PlaceKind.GROUP_DM)
    place = "a direct message" if private else channel_name("channel", question.channel)
    link = None if private else permalinks.get(question.question_id)
    models = ", ".join(escape(model) for model in question.models)
    asked = f"<{escape(link)}|{when}>" if link else when
    return f"{dollars(question.cost)} in {place}, {asked} ({models}, {count(question.calls, 'call')})"
