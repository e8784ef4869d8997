"""The weekly cost report and the answer of /cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from decimal import Decimal

from bot.costs.ledger import GroupBy, QuestionCost, Total
from bot.costs.money import at_least, dollars
from bot.costs.report import WeeklyReport, chart_title, count, headline, measure
from bot.costs.summary import CostSummary, sentence
from bot.domain import PlaceKind, StrategyName
from handlers.blocks import words
from handlers.blocks.parts import context, mrkdwn, section
from handlers.markdown import escape
from handlers.shapes import JSON

ROWS_SHOWN = 15
LINES_SHOWN = 8

_FAILURES = {
    "failed": "failed without a reason",
    "unauthorized": "refused because of the key",
    "not_found": "of a model the server does not know",
    "rate_limited": "rate limited",
    "unavailable": "while the server was unavailable",
    "timed_out": "timed out",
    "unusable": "answered with nothing usable",
    "context_too_long": "too long for the model",
    "lost": "cut off by a restart",
}
_PURPOSES = {
    "answer": "answers",
    "rewrite": "follow-ups made whole",
    "embedding": "embeddings",
    "evaluate": "evaluations",
    "judge": "judging",
    "shadow": "shadow runs",
}


def report_blocks(report: WeeklyReport, permalinks: Mapping[str, str]) -> list[JSON]:
    """The report with Slack's own chart. `permalinks`: question id → link, for those that may be linked."""
    return _report(report, permalinks, _native_chart(report))


def report_blocks_with_image(report: WeeklyReport, permalinks: Mapping[str, str], file_id: str) -> list[JSON]:
    """The same for a workspace that refuses native charts: the chart is an uploaded image."""
    image = {"type": "image", "slack_file": {"id": file_id}, "alt_text": _described(report)}
    return _report(report, permalinks, image)


def cost_blocks(summary: CostSummary) -> list[JSON]:
    """The answer of /cost: a sentence and a table."""
    blocks = [section(sentence(summary))]
    if summary.parts:
        blocks.append(_table(summary.by, summary.parts, summary.total))
    if summary.total.unknown and summary.total.cost:
        blocks.append(context(f"{count(summary.total.unknown, 'call')} had no known price, so the true sum is higher."))
    return blocks


def _report(report: WeeklyReport, permalinks: Mapping[str, str], chart: JSON) -> list[JSON]:
    said = [section(escape(sentence)) for sentence in report.said]
    said += [section(f"*Trial* in {_name('channel', place)}: {escape(sentence)}") for place, sentence in report.trials]
    if report.empty:
        return [section(headline(report)), *said]
    blocks = [section(f"*{escape(headline(report))}*"), chart, _table("model", report.by_model, report.total)]
    blocks.append(
        {
            "type": "section",
            "fields": [
                mrkdwn(_lines("By strategy", "strategy", report.by_strategy), 2000),
                mrkdwn(_lines("By channel", "channel", report.by_channel), 2000),
                *([mrkdwn(_lines("By purpose", "purpose", report.by_purpose), 2000)] if report.by_purpose else ()),
            ],
        }
    )
    if report.dearest:
        questions = (
            f"{number}. {_question(question, permalinks, report.week.zone)}"
            for number, question in enumerate(report.dearest, 1)
        )
        blocks.append(section("\n".join(("*Dearest questions*", *questions))))
    blocks.extend(_troubles(report))
    up, down = report.thumbs
    blocks.extend(said)
    blocks.append(context(f":thumbsup: {up} · :thumbsdown: {down} · {report.week}"))
    return blocks


def _native_chart(report: WeeklyReport) -> JSON:
    categories = [f"{day:%a}" for day in report.week.days]

    def series(name: str, totals: Iterable[Total]) -> JSON:
        points = zip(categories, measure(report, totals), strict=True)
        return {"name": name, "data": [{"label": label, "value": _number(value)} for label, value in points]}

    before = [series("The week before", report.previous_by_day)] if report.previous.calls else []
    return {
        "type": "data_visualization",
        "title": chart_title(report),
        "chart": {
            "type": "bar",
            "series": [*before, series("Last week", report.by_day)],
            "axis_config": {"categories": categories, "y_label": "US dollars" if report.costly else "Calls"},
        },
    }


def _number(value: Decimal) -> float | int:
    """For a chart, where the eye sees no more than a float holds."""
    return int(value) if value == value.to_integral_value() else float(value)


def _described(report: WeeklyReport) -> str:
    """The chart in words, for those who do not see it."""
    values = measure(report, report.by_day)
    days = ", ".join(
        f"{day:%A} {dollars(value) if report.costly else value}"
        for day, value in zip(report.week.days, values, strict=True)
    )
    return f"{chart_title(report)}: {days}."


def _table(by: GroupBy, totals: Sequence[Total], whole: Total) -> JSON:
    rows = [[_raw(title) for title in (by.capitalize(), "Calls", "Failed", "Tokens", "Cost", "Share")]]
    rows.extend(_row(by, total, whole) for total in _at_most(totals, ROWS_SHOWN))
    right = {"align": "right"}
    return {"type": "table", "column_settings": [{"align": "left"}, *[right] * 5], "rows": rows}


def _row(by: GroupBy, total: Total, whole: Total) -> list[JSON]:
    known = whole.cost and (total.cost or not total.unknown)
    share = f"{total.cost / whole.cost:.0%}" if known else "–"
    cells = (
        f"{total.calls:,}",
        f"{total.failures:,}",
        f"{total.prompt_tokens + total.completion_tokens:,}",
        _cost(total),
        share,
    )
    return [_name_cell(by, total.key), *(_raw(cell) for cell in cells)]


def _at_most(totals: Sequence[Total], most: int) -> list[Total]:
    """The dearest, and the rest as one."""
    if len(totals) <= most:
        return list(totals)
    rest = Total(key=f"{len(totals) - most + 1} others")
    for total in totals[most - 1 :]:
        rest += total
    return [*totals[: most - 1], rest]


def _lines(title: str, by: GroupBy, totals: Sequence[Total]) -> str:
    shown = _at_most(totals, LINES_SHOWN)
    return "\n".join(
        (f"*{title}*", *(f"• {_name(by, total.key)}: {_cost(total)}, {count(total.calls, 'call')}" for total in shown))
    )


def _cost(total: Total) -> str:
    return at_least(total.cost, total.unknown)


def _name_cell(by: GroupBy, key: str) -> JSON:
    if by == "channel" and _is_channel(key):
        channel = {"type": "channel", "channel_id": key}
        return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [channel]}]}
    return _raw(_worded(by, key))


def _name(by: GroupBy, key: str) -> str:
    return f"<#{key}>" if by == "channel" and _is_channel(key) else escape(_worded(by, key))


def _worded(by: GroupBy, key: str) -> str:
    if not key:
        return "outside channels" if by == "channel" else "everything else"
    if by == "strategy" and key in set(StrategyName):
        return words.STRATEGIES[StrategyName(key)]
    return _PURPOSES.get(key, key) if by == "purpose" else key


def _is_channel(key: str) -> bool:
    return key[:1] in ("C", "G") and key.isalnum() and key.isupper()


def _question(question: QuestionCost, permalinks: Mapping[str, str], zone: tzinfo) -> str:
    when = f"{question.asked_at.astimezone(zone):%a %d %b, %H:%M}"
    private = question.place_kind in (PlaceKind.DM, PlaceKind.GROUP_DM)
    place = "a direct message" if private else _name("channel", question.channel)
    link = None if private else permalinks.get(question.question_id)
    models = ", ".join(escape(model) for model in question.models)
    asked = f"<{escape(link)}|{when}>" if link else when
    return f"{dollars(question.cost)} in {place}, {asked} ({models}, {count(question.calls, 'call')})"


def _troubles(report: WeeklyReport) -> list[JSON]:
    lines = []
    if report.failures:
        kinds = ", ".join(f"{number:,} {_FAILURES.get(kind, escape(kind))}" for kind, number in report.failures)
        failed = sum(number for _, number in report.failures)
        lines.append(f":warning: {count(failed, 'failed call')}: {kinds}.")
    if report.unknown:
        models = ", ".join(f"{escape(model)} ({count(number, 'call')})" for model, number in report.unknown)
        lines.append(
            f":grey_question: No price is known for {models}, so the true cost is higher. "
            "Give such a model its rates in its card, and the next report counts it."
        )
    return [section(line) for line in lines]


def _raw(text: str) -> JSON:
    return {"type": "raw_text", "text": text}
