"""The top of a cost report, and the answer of /cost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from bot.costs.anomalies import Anomaly
from bot.costs.calls import GroupBy, Total
from bot.costs.money import at_least, dollars
from bot.costs.report import WeeklyReport, count
from bot.costs.report_words import (
    PURPOSES,
    ahead,
    bars,
    chart_title,
    each_cost,
    headline,
    proposed,
    stands_out,
    unanswered,
    wasted,
    why,
)
from bot.costs.summary import CostSummary, sentence
from bot.domain import StrategyName
from handlers.blocks import words
from handlers.blocks.parts import button, context, section
from handlers.markdown import escape, with_channels
from handlers.shapes import JSON

ROWS_SHOWN = 15

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
ACCEPT = "accept_saving"


Names = Mapping[str, str]
"""What persons are called, by their ids."""
_NOBODY: Names = {}


def report_blocks(report: WeeklyReport, name: str = "", late: str = "", names: Names = _NOBODY) -> list[JSON]:
    """The report with Slack's own chart. `name`: what its week is called today; `late`: why it comes late, or "";
    `names`: of those who may be asked."""
    return _report(report, _native_chart(report), name, late, names)


def report_blocks_with_image(
    report: WeeklyReport, file_id: str, name: str = "", late: str = "", names: Names = _NOBODY
) -> list[JSON]:
    """The same for a workspace that refuses native charts: the chart is an uploaded image."""
    image = {"type": "image", "slack_file": {"id": file_id}, "alt_text": _described(report)}
    return _report(report, image, name, late, names)


def cost_blocks(summary: CostSummary, ahead: str = "") -> list[JSON]:
    """The answer of /cost: a sentence and a table. `ahead`: what the month will come to."""
    blocks = [section(f"{sentence(summary)} {ahead}".strip())]
    if summary.parts:
        blocks.append(_table(summary.by, summary.parts, summary.total))
    if summary.total.unknown and summary.total.cost:
        blocks.append(context(f"{count(summary.total.unknown, 'call')} had no known price, so the true sum is higher."))
    return blocks


def _report(report: WeeklyReport, chart: JSON, name: str, late: str, names: Names) -> list[JSON]:
    notes = [context(late)] if late else []
    topics = _unanswered(report, name, names)
    if report.empty:
        said = [section(with_channels(sentence)) for sentence in report.said]
        return [section(escape(headline(report, name))), *topics, *said, *notes]
    blocks = [section(f"*{escape(headline(report, name))}*"), *notes]
    if cause := why(report):
        blocks.append(section(escape(cause)))
    blocks.append(chart)
    if told := " ".join(sentence for sentence in (each_cost(report), ahead(report)) if sentence):
        blocks.append(section(escape(told)))
    blocks += [section(f":mag: {_stands_out(found)}") for found in report.anomalies]
    blocks += topics
    blocks += _savings(report)
    blocks += _troubles(report)
    up, down = report.thumbs
    thumbs = [] if report.channel else [f":thumbsup: {up} · :thumbsdown: {down}"]
    blocks.append(context(" · ".join((*thumbs, str(report.week), "what it is made of is in the thread"))))
    return blocks


def _stands_out(found: Anomaly) -> str:
    told = escape(stands_out(found, lambda place: _MARK))
    return told.replace(_MARK, channel_name("channel", found.place))


_MARK = "\ue000"
"""Where a channel's link goes once the rest is escaped."""


def _unanswered(report: WeeklyReport, name: str, names: Names) -> list[JSON]:
    told = unanswered(report, name, owner=lambda person: escape(names.get(person, person)), plain=escape)
    return [section("\n".join((f"*{told[0]}*", *told[1:])))] if told else []


def _savings(report: WeeklyReport) -> list[JSON]:
    if not report.proposals:
        return []
    blocks = [section("*Savings that replays prove*")]
    for proposal in report.proposals:
        told = escape(proposed(proposal, lambda place: _MARK)).replace(_MARK, channel_name("channel", proposal.channel))
        value = json.dumps({"channel": proposal.channel, "model": proposal.other, "why": proposal.sentence})
        blocks.append({**section(f"• {told}"), "accessory": button("Accept", ACCEPT, value)})
    return blocks


def _native_chart(report: WeeklyReport) -> JSON:
    shown = bars(report)
    noun = report.week.noun

    def series(name: str, values: Iterable[Decimal]) -> JSON:
        points = zip((bar[0] for bar in shown), values, strict=True)
        return {"name": name, "data": [{"label": label, "value": _number(value)} for label, value in points]}

    before = [series(f"The {noun} before", (bar[2] for bar in shown))] if report.previous.calls else []
    return {
        "type": "data_visualization",
        "title": chart_title(report),
        "chart": {
            "type": "bar",
            "series": [*before, series(f"Last {noun}", (bar[1] for bar in shown))],
            "axis_config": {
                "categories": [bar[0] for bar in shown],
                "y_label": "US dollars" if report.costly else "Calls",
            },
        },
    }


def _number(value: Decimal) -> float | int:
    """For a chart, where the eye sees no more than a float holds."""
    return int(value) if value == value.to_integral_value() else float(value)


def _described(report: WeeklyReport) -> str:
    """The chart in words, for those who do not see it."""
    days = ", ".join(f"{name} {dollars(value) if report.costly else value}" for name, value, _ in bars(report))
    return f"{chart_title(report)}: {days}."


def _table(by: GroupBy, totals: Sequence[Total], whole: Total) -> JSON:
    rows = [[raw(title) for title in (by.capitalize(), "Calls", "Failed", "Tokens", "Cost", "Share")]]
    rows.extend(_row(by, total, whole) for total in at_most(totals, ROWS_SHOWN))
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
    return [channel_cell(by, total.key), *(raw(cell) for cell in cells)]


def at_most(totals: Sequence[Total], most: int) -> list[Total]:
    """The dearest, and the rest as one."""
    if len(totals) <= most:
        return list(totals)
    rest = Total(key=f"{len(totals) - most + 1} others")
    for total in totals[most - 1 :]:
        rest += total
    return [*totals[: most - 1], rest]


def _cost(total: Total) -> str:
    return at_least(total.cost, total.unknown)


def channel_cell(by: GroupBy, key: str) -> JSON:
    """A key as a cell of a table, a channel as its link."""
    if by == "channel" and _is_channel(key):
        channel = {"type": "channel", "channel_id": key}
        return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [channel]}]}
    return raw(worded(by, key))


def channel_name(by: GroupBy, key: str) -> str:
    """A key as mrkdwn, a channel as its link."""
    return f"<#{key}>" if by == "channel" and _is_channel(key) else escape(worded(by, key))


def worded(by: GroupBy, key: str) -> str:
    """A key in plain words."""
    if not key:
        return "outside channels" if by == "channel" else "everything else"
    if by == "strategy" and key in set(StrategyName):
        return words.STRATEGIES[StrategyName(key)]
    return PURPOSES.get(key, key) if by == "purpose" else key


def _is_channel(key: str) -> bool:
    return key[:1] in ("C", "G") and key.isalnum() and key.isupper()


def _troubles(report: WeeklyReport) -> list[JSON]:
    lines = []
    if report.failures:
        kinds = ", ".join(f"{number:,} {_FAILURES.get(kind, escape(kind))}" for kind, number in report.failures)
        failed = sum(number for _, number in report.failures)
        lines.append(f":warning: {count(failed, 'failed call')}: {kinds}. {escape(wasted(report))}".strip())
    elif told := wasted(report):
        lines.append(f":warning: {escape(told)}")
    if report.unknown:
        models = ", ".join(f"{escape(model)} ({count(number, 'call')})" for model, number in report.unknown)
        lines.append(
            f":grey_question: No price is known for {models}, so the true cost is higher. "
            "Give such a model its rates in its card, and the next report counts it."
        )
    return [section(line) for line in lines]


def raw(text: str) -> JSON:
    """A cell of a table."""
    return {"type": "raw_text", "text": text}
