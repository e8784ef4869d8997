"""The part of the page that says whether choosing for each question pays, and the one that compares two runs."""

from __future__ import annotations

from collections.abc import Sequence

from bot.evaluation import compare, selector_words
from bot.evaluation.compare import Comparison, WayChange
from bot.evaluation.flips import Flip, Flipped
from bot.evaluation.markup import Markup, element
from bot.evaluation.matrix import Way
from bot.evaluation.page_ways import table
from bot.evaluation.selector_report import Policy, SelectorReport
from bot.evaluation.small_charts import calibration_chart, range_line, risk_chart
from bot.evaluation.statistics import Interval
from bot.evaluation.wording import capital, gain, money, name, percent, score, seconds

_KINDS = {
    "selector": "the selector",
    "best fixed": "the best fixed way",
    "same mix": "at random, the same mix",
    "nearest store": "the nearest store",
    "oracle": "knowing every result beforehand",
    "fixed": "",
}
_NOTES = {
    "best fixed": "chosen on other groups of questions",
    "same mix": "each way as often as the selector took it",
    "nearest store": "the strategy whose material lies nearest",
    "oracle": "the most that any choice could reach, luck included",
}


def selector_section(report: SelectorReport) -> list[Markup]:
    """The verdict, the figures behind it, and what it was held against."""
    said = element("ul", [element("li", sentence) for sentence in selector_words.details(report)], class_="said")
    parts = [element("p", selector_words.verdict(report), class_="verdict")]
    if report.verdict == "no choices" or report.gain.mean is None:
        return parts
    return [*parts, _policies(report), said, *_charts(report), *_flips(report.flips)]


def comparison_section(comparison: Comparison) -> list[Markup]:
    """What changed since an earlier run, and what it did to each way."""
    sentences = element("ul", [element("li", each) for each in compare.sentences(comparison)], class_="said")
    parts = [sentences]
    if comparison.changes:
        rows = [
            element(
                "tr", element("th", change.what, scope="row"), element("td", change.before), element("td", change.after)
            )
            for change in comparison.changes
        ]
        parts.append(table("What changed", ("What", "Before", "Now"), rows, class_="changes", quiet=False))
    if comparison.ways and comparison.questions:
        least, most = _ends([change.quality for change in comparison.ways])
        rows = [_way_change(change, least, most) for change in comparison.ways]
        heads = ("Way", "Quality", "", "US$ an answer", "Seconds", "Verdict")
        parts.append(table("What became of each way", heads, rows, class_="changes", quiet=False))
    return parts


def _policies(report: SelectorReport) -> Markup:
    gains = [policy.gain for policy in report.policies if policy.gain is not None]
    least, most = _ends(gains)
    heads = ("Way of choosing", "Quality", "US$ an answer", "Seconds", "Worth", "The selector gains", "")
    ways = [policy for policy in report.policies if policy.kind == "fixed"]
    ways.sort(key=lambda policy: -(policy.utility.mean or 0.0))
    rows = [_policy(policy, least, most) for policy in report.policies if policy.kind != "fixed"]
    shown = table("The selector beside other ways of choosing", heads, rows, class_="policies")
    fixed = table(
        "The selector beside each fixed way", heads, [_policy(way, least, most) for way in ways], class_="policies"
    )
    folded = element("details", element("summary", f"Beside each fixed way ({len(ways)})"), fixed)
    return Markup(shown + folded)


def _policy(policy: Policy, least: float, most: float) -> Markup:
    title = capital(name(policy.way) if policy.way else _KINDS[policy.kind])
    note = _NOTES.get(policy.kind)
    gained: list[Markup | str | None] = ["–"]
    if policy.gain is not None and policy.gain.mean is not None:
        gained = [gain(policy.gain.mean), _span(policy.gain)]
    return element(
        "tr",
        element("th", element("span", title, element("small", note) if note else None), scope="row"),
        element("td", score(policy.quality.mean), class_="number"),
        element("td", money(policy.cost.mean), class_="number"),
        element("td", seconds(policy.seconds.mean).removesuffix(" s"), class_="number"),
        element("td", score(policy.utility.mean), class_="number"),
        element("td", gained, class_="number"),
        element("td", range_line(policy.gain, least, most, zero=True) if policy.gain else None, class_="drawn"),
        class_=policy.kind.replace(" ", "-"),
    )


def _charts(report: SelectorReport) -> list[Markup]:
    drawn = []
    if report.calibration is not None:
        drawn.append(_figure("Can its expectations be believed?", calibration_chart(report.calibration), _CALIBRATION))
    if report.risk is not None and len(report.risk.curve) > 1:
        drawn.append(_figure("Is it right where it is sure?", risk_chart(report.risk), _RISK))
    return [element("div", drawn, class_="pair")] if drawn else []


_CALIBRATION = "Every estimate of every way. On the dashed line, what was expected came."
_RISK = "Dashed: what is missed when the surest questions are no better than the others."


def _figure(title: str, drawn: Markup, note: str) -> Markup:
    return element("figure", element("h3", title), drawn, element("figcaption", note, class_="note"))


def _flips(flips: Sequence[Flip]) -> list[Markup]:
    shown = [flip for flip in flips if flip.share.mean is not None]
    if not shown:
        return []
    heads = ("Asked with", "Choice changes", "", "For example")
    rows = [
        element(
            "tr",
            element("th", flip.kind, scope="row"),
            element("td", percent(flip.share.mean), class_="number"),
            element("td", range_line(flip.share, 0, 1), class_="drawn"),
            element("td", [_flipped(example) for example in flip.examples[:1]] or "–"),
        )
        for flip in shown
    ]
    return [element("h3", "Does it choose the same when asked otherwise?"), table("Flips", heads, rows, class_="flips")]


def _flipped(example: Flipped) -> list[Markup | str]:
    return [f"“{example.text}”", element("small", f"{_taken(example.before)} → {_taken(example.after)}")]


def _taken(way: Way | None) -> str:
    return name(way) if way else "nothing"


def _way_change(change: WayChange, least: float, most: float) -> Markup:
    return element(
        "tr",
        element("th", element("span", name(change.way)), scope="row"),
        element("td", _change(change.quality), _span(change.quality), class_="number"),
        element("td", range_line(change.quality, least, most, zero=True), class_="drawn"),
        element("td", _money_change(change.cost), class_="number"),
        element("td", _change(change.seconds, 2), class_="number"),
        element("td", compare.verdict_sentence(change)),
        class_=change.verdict.replace(" ", "-"),
    )


def _change(found: Interval, digits: int = 3) -> str:
    return "unknown" if found.mean is None else gain(found.mean, digits)


def _money_change(found: Interval) -> str:
    if found.mean is None:
        return "unknown"
    sign = "" if found.mean == 0 else "+" if found.mean > 0 else "−"
    return f"{sign}{money(abs(found.mean))}"


def _span(found: Interval) -> Markup | None:
    if found.low is None or found.high is None:
        return None
    return element("small", f"{gain(found.low)} to {gain(found.high)}")


def _ends(found: Sequence[Interval]) -> tuple[float, float]:
    """The least and the most of all ranges, with 0 between them."""
    ends = [end for each in found for end in (each.low, each.mean, each.high) if end is not None]
    least, most = min([0.0, *ends]), max([0.0, *ends])
    edge = 0.04 * (most - least) or 0.01
    return least - edge, most + edge
