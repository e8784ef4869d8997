"""The parts of the page that show the ways: the picture, a table of all, a table per group, who is right alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bot.domain import StrategyName
from bot.evaluation.markup import Markup, element
from bot.evaluation.matrix import Matrix, Row, Way
from bot.evaluation.overview import Overview, Standing
from bot.evaluation.picture import Mark, picture, symbol
from bot.evaluation.scales import Scale, quality_scale
from bot.evaluation.selector_report import SelectorReport
from bot.evaluation.small_charts import range_line
from bot.evaluation.statistics import Interval
from bot.evaluation.wording import between, capital, count, gain, money, name, score, seconds, strategy
from bot.evaluation.worth import RIGHT

GROUPS_SHOWN = 40
QUESTIONS_SHOWN = 10

_SHORT = {
    StrategyName.ZERO_SHOT: "plain",
    StrategyName.FEW_SHOT: "few-shot",
    StrategyName.RAG: "RAG",
    StrategyName.FINE_TUNED: "fine-tuned",
}
_PLACES = {
    "best": "best value",
    "level": "not distinguishable",
    "behind": "behind",
    "unknown": "not compared",
}


def numbered(overview: Overview) -> dict[Way, int]:
    """Each way's number on the page: the one that is worth most is 1; what cannot be weighed comes last."""
    worth = sorted(
        overview.standings,
        key=lambda each: (each.way != overview.best, each.utility.mean is None, -(each.utility.mean or 0.0)),
    )
    return {standing.way: number for number, standing in enumerate(worth, 1)}


def cost_picture(overview: Overview, numbers: Mapping[Way, int], selector: SelectorReport | None) -> Markup:
    """The picture for wide and for narrow windows, and what its shapes mean."""
    marks = [_mark(standing, numbers[standing.way]) for standing in overview.standings]
    chosen = next((policy for policy in selector.policies if policy.kind == "selector"), None) if selector else None
    if chosen is not None and chosen.quality.mean is not None and chosen.cost.mean is not None:
        told = f"The selector: quality {score(chosen.quality.mean)}, {money(chosen.cost.mean)} an answer"
        marks.append(
            Mark(label="selector", told=told, quality=chosen.quality, cost=chosen.cost, strategy=None, named=True)
        )
    said = _described(overview, numbers)
    drawn = [
        picture(marks, width=1040, height=470, described=said, class_="wide"),
        picture(marks, width=345, height=400, described=said, class_="narrow"),
    ]
    kinds = list(dict.fromkeys(standing.way.strategy for standing in overview.standings))
    return element("figure", drawn, _legend(kinds, selector=len(marks) > len(overview.standings)))


def ways_table(overview: Overview, numbers: Mapping[Way, int]) -> Markup:
    """All ways, the best value first."""
    heads = ("№", "Way", "Quality", "", "US$ an answer", "Seconds", "Worth", "Against the best value")
    ends = [end for each in overview.standings for end in (each.quality.low, each.quality.high, each.quality.mean)]
    scale = quality_scale([end for end in ends if end is not None], 0, 1)
    rows = [_way_row(overview.of(way), number, scale) for way, number in numbers.items()]
    return table("Every way, the best value first", heads, rows, class_="ways")


def group_table(matrix: Matrix, numbers: Mapping[Way, int]) -> Markup:
    """Mean quality of each way in each group; long lists are folded."""
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(matrix.rows):
        groups.setdefault(row.group, []).append(place)
    quality = matrix.quality()
    columns = [(matrix.ways.index(way), way, number) for way, number in numbers.items()]
    heads = ["Group", "Questions", *(_way_head(way, number) for _, way, number in columns)]
    rows = [
        element(
            "tr",
            element("th", group or "no group", scope="row"),
            element("td", len(places), class_="number"),
            [_shade(quality[places, column]) for column, _, _ in columns],
        )
        for group, places in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    shown = table("Quality by group", heads, rows[:GROUPS_SHOWN], class_="groups")
    if len(rows) <= GROUPS_SHOWN:
        return shown
    rest = table("Quality by group, the smaller groups", heads, rows[GROUPS_SHOWN:], class_="groups")
    more = element("details", element("summary", f"{count(len(rows) - GROUPS_SHOWN, 'smaller group')}"), rest)
    return Markup(shown + more)


def alone(matrix: Matrix, overview: Overview, numbers: Mapping[Way, int]) -> list[Markup]:
    """The questions that one way alone gets right."""
    said = (
        f"Right is a quality of {RIGHT:g} or more. Of the {count(overview.judged, 'question')} that every way was "
        f"judged on, all ways get {overview.all_right:,} right and none gets {overview.none_right:,}."
    )
    rows = {row.id: row for row in matrix.rows}
    parts = [
        _alone(way, number, [rows[id] for id in overview.alone[way]], matrix)
        for way, number in numbers.items()
        if overview.alone[way]
    ]
    if not parts:
        parts = [element("p", "No question is answered by one way alone.")]
    return [element("p", said), *parts]


def table(
    caption: str, heads: Sequence[str | Markup], rows: Sequence[Markup], *, class_: str = "", quiet: bool = True
) -> Markup:
    """A table that scrolls on its own where it is wider than the window."""
    shown = element(
        "table",
        element("caption", caption, class_="unseen" if quiet else None),
        element("thead", element("tr", [_head(head) for head in heads])),
        element("tbody", list(rows)),
        class_=class_ or None,
    )
    return element("div", shown, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _head(head: str | Markup) -> Markup:
    if isinstance(head, Markup):
        return head
    return element("th", head, scope="col") if head else element("td", class_="drawn")


def _mark(standing: Standing, number: int) -> Mark:
    way = standing.way
    told = (
        f"{number}. {name(way)}: quality {score(standing.quality.mean)} ({between(standing.quality)}), "
        f"{money(standing.cost.mean)} an answer"
    )
    return Mark(
        label=f"{number} {_SHORT[way.strategy]} · {way.model}",
        told=told,
        quality=standing.quality,
        cost=standing.cost,
        strategy=way.strategy,
        on_frontier=standing.on_frontier,
        named=standing.on_frontier or standing.place == "best",
    )


def _described(overview: Overview, numbers: Mapping[Way, int]) -> str:
    frontier = [standing for standing in overview.standings if standing.on_frontier]
    points = "; ".join(
        f"{name(each.way)}, quality {score(each.quality.mean)} for {money(each.cost.mean)}"
        for each in sorted(frontier, key=lambda each: each.cost.mean or 0.0)
    )
    return (
        f"Quality against US dollars an answer for {count(len(numbers), 'way')}. On the frontier: {points or 'none'}."
    )


def _legend(kinds: Sequence[StrategyName], *, selector: bool) -> Markup:
    def entry(kind: StrategyName | None, text: str) -> Markup:
        drawn = element("svg", symbol(kind, 9, 9, 6), viewBox="0 0 18 18", width=18, height=18, aria_hidden="true")
        return element("li", drawn, text)

    entries = [entry(kind, strategy(Way(kind, ""))) for kind in kinds]
    if selector:
        entries.append(entry(None, "the selector"))
    stroke = element("line", x1=0, y1=9, x2=26, y2=9, class_="frontier")
    line = element("svg", stroke, viewBox="0 0 26 18", width=26, height=18, aria_hidden="true")
    entries.append(element("li", line, "frontier: nothing is as good for less"))
    note = element("p", "Strokes are 95% ranges. Numbers are those of the table below.", class_="note")
    return element("figcaption", element("ul", entries, class_="legend"), note)


def _way_row(standing: Standing, number: int, scale: Scale) -> Markup:
    way = standing.way
    drawn = element("svg", symbol(way.strategy, 9, 9, 6), viewBox="0 0 18 18", width=18, height=18, aria_hidden="true")
    frontier = element("span", "frontier", class_="tag") if standing.on_frontier else None
    return element(
        "tr",
        element("td", number, class_="number"),
        element(
            "th",
            element("div", drawn, element("span", strategy(way), element("small", way.model)), frontier),
            scope="row",
        ),
        element("td", score(standing.quality.mean), element("small", between(standing.quality)), class_="number"),
        element("td", range_line(standing.quality, scale.least, scale.most), class_="drawn"),
        element("td", money(standing.cost.mean), _partly(standing.cost), class_="number"),
        element("td", seconds(standing.seconds.mean).removesuffix(" s"), class_="number"),
        element("td", score(standing.utility.mean), class_="number"),
        element("td", _against(standing)),
        class_=standing.place,
    )


def _partly(cost: Interval) -> Markup | None:
    """How much of a mean price rests on known prices."""
    if cost.mean is None or not cost.left_out:
        return None
    return element("small", f"known for {cost.questions:,} of {cost.questions + cost.left_out:,}")


def _against(standing: Standing) -> list[str | Markup]:
    words: list[str | Markup] = [_PLACES[standing.place]]
    if standing.behind is not None and standing.behind.mean is not None:
        span = ""
        if standing.behind.low is not None and standing.behind.high is not None:
            span = f" ({gain(-standing.behind.high)} to {gain(-standing.behind.low)})"
        words.append(element("small", f"{gain(-standing.behind.mean)}{span}"))
    elif standing.place == "unknown":
        words.append(element("small", "too few judged" if standing.utility.mean is not None else _why(standing)))
    return words


def _why(standing: Standing) -> str:
    return "no price known" if standing.quality.mean is not None else "nothing was judged"


def _way_head(way: Way, number: int) -> Markup:
    return element(
        "th", element("b", number), element("span", strategy(way)), element("small", way.model), scope="col",
        title=name(way),
    )  # fmt: skip


def _shade(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Markup:
    known = values[~np.isnan(values)]
    if not len(known):
        return element("td", "–", element("span", "not judged", class_="unseen"), class_="number")
    mean = float(known.mean())
    return element("td", f"{mean:.2f}", class_="number shade", style=f"--share: {mean:.2f}")


def _alone(way: Way, number: int, rows: Sequence[Row], matrix: Matrix) -> Markup:
    entries = []
    for row in rows[:QUESTIONS_SHOWN]:
        cell = matrix.cells.get((row.id, way))
        answer = element("small", _short(cell.answer, 200)) if cell and cell.answer else None
        entries.append(element("li", _short(row.text, 300), answer))
    rest = len(rows) - QUESTIONS_SHOWN
    more = element("p", f"and {rest:,} more", class_="note") if rest > 0 else None
    head = f"{number}. {capital(name(way))}: {count(len(rows), 'question')}"
    return element("details", element("summary", head), element("ul", entries), more)


def _short(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
