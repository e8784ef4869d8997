"""One page for a run, as a single file: it needs no network and no script."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from bot.costs.money import dollars
from bot.evaluation import overview_words, page_ways
from bot.evaluation.compare import Comparison
from bot.evaluation.markup import Markup, element
from bot.evaluation.matrix import Matrix, Way
from bot.evaluation.overview import Overview
from bot.evaluation.page_selector import comparison_section, selector_section
from bot.evaluation.run import Run
from bot.evaluation.selector_report import SelectorReport
from bot.evaluation.wording import capital, count

_CSS = Path(__file__).with_name("page.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_GROUPS_NOTE = "Mean quality, darker is better. Few questions a group: a cell alone proves little."


def render(
    run: Run,
    matrix: Matrix,
    overview: Overview,
    *,
    selector: SelectorReport | None = None,
    comparison: Comparison | None = None,
) -> str:
    """HTML from a run, its matrix and what was reckoned from it. `comparison`: with an earlier run."""
    numbers = page_ways.numbered(overview)
    by_group = [element("p", _GROUPS_NOTE, class_="note"), page_ways.group_table(matrix, numbers)]
    sections = [
        _section("ways", "Quality against cost", _ways(overview, numbers, selector)),
        _section("selector", "Does choosing for each question pay?", selector_section(selector)) if selector else None,
        _section("groups", "By group", by_group),
        _section("alone", "Right alone", page_ways.alone(matrix, overview, numbers)),
        _compared(comparison),
        _section("run", "How it was measured", [_metadata(run), _reading()]),
    ]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"Evaluation: {run.name}"),
        element("style", Markup(_style())),
    )
    body = element("body", _header(run, overview, selector), element("main", sections))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


@cache
def _style() -> str:
    return _CSS.read_text(encoding="utf-8")


def _section(id: str, title: str, parts: list[Markup]) -> Markup:
    return element("section", element("h2", title, id=id), parts, aria_labelledby=id)


def _ways(overview: Overview, numbers: Mapping[Way, int], selector: SelectorReport | None) -> list[Markup]:
    return [page_ways.cost_picture(overview, numbers, selector), page_ways.ways_table(overview, numbers)]


def _compared(comparison: Comparison | None) -> Markup | None:
    if comparison is None:
        return None
    return _section("compared", f"Compared with “{comparison.earlier.name}”", comparison_section(comparison))


def _header(run: Run, overview: Overview, selector: SelectorReport | None) -> Markup:
    facts = [
        ("Questions", f"{overview.questions:,}", f"in {count(overview.groups, 'group')}"),
        ("Ways", f"{len(overview.standings):,}", _models(overview)),
        ("Spent", _spent(run), "on this run"),
    ]
    if selector is not None:
        facts.append(("Selector", _VERDICTS[selector.verdict], "against the best fixed way"))
    shown = [
        element("div", element("dt", what), element("dd", figure, element("small", beside)))
        for what, figure, beside in facts
    ]
    when = element("time", f"{run.started:%d %B %Y}".lstrip("0"), datetime=run.started.isoformat())
    unfinished = None
    if run.finished is None:
        unfinished = element(
            "p", "This run did not finish: what was not run is left out, and counted.", class_="warning"
        )
    return element(
        "header",
        element("p", "Evaluation · ", run.name, " · ", when, class_="eyebrow"),
        element("h1", capital(overview_words.headline(overview))),
        unfinished,
        element("ul", [element("li", sentence) for sentence in overview_words.details(overview)], class_="said"),
        element("dl", shown, class_="facts"),
    )


_VERDICTS = {
    "better": "pays",
    "worse": "costs more",
    "no difference": "no difference",
    "too few": "too early",
    "no choices": "not recorded",
}


def _models(overview: Overview) -> str:
    strategies = {standing.way.strategy for standing in overview.standings}
    models = {standing.way.model for standing in overview.standings}
    names = "strategy" if len(strategies) == 1 else "strategies"
    return f"{len(strategies)} {names}, {count(len(models), 'model')}"


def _spent(run: Run) -> str:
    if run.unpriced and not run.spent:
        return "unknown"
    return f"{'≥ ' if run.unpriced else ''}{dollars(run.spent)}"


def _metadata(run: Run) -> Markup:
    finished = f"{run.finished:%Y-%m-%d %H:%M %Z}" if run.finished else "not finished"
    budget = "none" if run.budget is None else dollars(run.budget)
    unpriced = f", {count(run.unpriced, 'call')} without a known price" if run.unpriced else ""
    facts = [
        ("Run", run.id),
        ("Started", f"{run.started:%Y-%m-%d %H:%M %Z}"),
        ("Finished", finished),
        ("Questions from", f"{run.source} ({run.questions:,}, digest {run.data})"),
        ("Index", run.index),
        ("Prompts", run.prompts),
        ("Scorers", ", ".join(run.scorers) or "none"),
        ("Judge", run.judge or "none"),
        ("Read by", ", ".join(run.audience)),
        ("Budget", f"{budget}, spent {dollars(run.spent)}{unpriced}"),
        *((f"Model {card}", asked) for card, asked in run.models.items()),
        *((setting.replace("_", " ").capitalize(), value) for setting, value in run.settings.items()),
    ]
    shown = [element("div", element("dt", what), element("dd", value)) for what, value in facts]
    return element("dl", shown, class_="metadata")


def _reading() -> Markup:
    lines = [
        "Quality runs from 0 to 1, as the scorers judged each answer; what a way cannot do counts 0.",
        "Worth is quality less what price and time are weighed at.",
        "Ranges hold the true value in 95% of such evaluations; they come from resampling groups of questions 10,000 "
        "times. Where several ways are compared at once, the ranges are wider, so that all hold together.",
        "Not distinguishable means that so many questions cannot tell two ways apart, not that they are the same.",
    ]
    return element(
        "div", element("h3", "How to read this page"), element("ul", [element("li", each) for each in lines])
    )
