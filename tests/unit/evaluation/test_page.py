"""The page as markup: nothing slips through unescaped, nothing unknown is drawn as zero."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from matrices import FEW, RAG, WORTH, ZERO, plain, run, simulated

from bot.evaluation.compare import compare
from bot.evaluation.markup import Markup, element, joined
from bot.evaluation.matrix import Matrix, Way
from bot.evaluation.overview import overview
from bot.evaluation.page import render
from bot.evaluation.scales import cost_scale, cost_ticks, quality_scale, quality_ticks
from bot.evaluation.selector_report import selector_report
from bot.evaluation.worth import Worth

A, B, C = Way(ZERO, "small"), Way(RAG, "large"), Way(FEW, "small")
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
FREE = Worth(cost_weight=0.0, latency_weight=0.0)


class Reader(HTMLParser):
    """Collects tags and checks that each is closed where it must be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(matrix: Matrix, worth: Worth = WORTH, **changes: object) -> str:
    return render(run(**changes), matrix, overview(matrix, worth), selector=selector_report(matrix, worth))


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


def test_an_element_escapes_its_text_and_its_attributes() -> None:
    made = element("p", "a < b & c", element("b", 'x"'), None, [1, "é"], title='"<&', data_x=1.005)
    assert made == '<p title="&quot;&lt;&amp;" data-x="1">a &lt; b &amp; c<b>x&quot;</b>1é</p>'
    assert isinstance(joined(["<", Markup("<br>")]), Markup)
    assert joined(["<", Markup("<br>")]) == "&lt;<br>"


def test_nothing_from_outside_becomes_markup() -> None:
    matrix = simulated(40, 2)
    way = Way(RAG, EVIL)
    rows = tuple(replace(row, text=EVIL, group=EVIL, chosen=way, expected={}) for row in matrix.rows)
    old = matrix.ways[1]
    cells = {
        (id, way if w == old else w): replace(cell, answer=EVIL, quality=float(w == old))
        for (id, w), cell in matrix.cells.items()
    }
    evil = Matrix(rows, (matrix.ways[0], way), cells)
    before, after = run(name=EVIL, index=EVIL), run(name=EVIL, source=EVIL, models={EVIL: EVIL}, settings={EVIL: EVIL})
    html = render(
        after, evil, overview(evil, WORTH), selector=selector_report(evil, WORTH),
        comparison=compare((before, evil), (after, evil)),
    )  # fmt: skip
    tags = read(html).tags
    assert html.count("&lt;script&gt;") > 10
    assert not {"script", "img", "iframe", "link"} & {tag for tag, _ in tags}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]


def test_the_page_needs_nothing_from_elsewhere() -> None:
    html = page(simulated(60, 4))
    assert not re.search(r"""(?:src|href)=|url\(|@import|https?://""", html)
    (policy,) = [found for tag, found in read(html).tags if tag == "meta" and "http-equiv" in found]
    assert (policy["content"] or "").startswith("default-src 'none';")


def test_tables_name_their_rows_and_columns() -> None:
    tags = read(page(simulated(60, 4))).tags
    tables = sum(tag == "table" for tag, _ in tags)
    assert tables >= 4
    assert sum(tag == "caption" for tag, _ in tags) == tables
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in tags if tag == "th")
    drawn = [attributes for tag, attributes in tags if tag == "svg"]
    assert all(svg.get("aria-hidden") == "true" or svg.get("aria-label") for svg in drawn)


def test_every_way_is_a_mark_with_a_title() -> None:
    html = page(simulated(60, 4))
    wide = html.split('class="picture wide"')[1].split("</svg>")[0]
    titles = re.findall(r"<title>(.*?)</title>", wide)
    assert sum("an answer" in title for title in titles) == 5  # four ways and the selector
    assert any(title.startswith("The selector: quality") for title in titles)


def test_an_unknown_price_stands_in_its_own_lane_and_a_free_one_on_the_axis() -> None:
    table = [[0.5, 0.9, 0.7], [0.6, 0.8, 0.7]] * 10
    html = page(plain(table, (A, B, C), costs=("0", "0.02", None)))
    wide = html.split('class="picture wide"')[1].split("</svg>")[0]
    assert "price unknown" in wide
    assert "knowledge search (RAG) with large: quality 0.85" in wide
    assert "few-shot examples with small: quality 0.70 (0.70 to 0.70), unknown an answer" in wide
    assert "price unknown" not in page(plain(table, (A, B, C), costs=("0", "0.02", "0.01")))


@pytest.mark.parametrize("costs", [("0", "0", "0"), (None, None, None), ("0.0000001", "3", "0"), ("0.01", None, "0")])
@pytest.mark.parametrize("questions", [0, 1, 3, 40])
def test_a_page_is_made_whatever_is_missing(questions: int, costs: tuple[str | None, ...]) -> None:
    matrix = plain([[0.5, None, 1.0]] * questions, (A, B, C), costs=costs, chosen=[A] * questions)
    html = page(matrix, finished=None, budget=None, judge=None, scorers=())
    read(html)
    assert "nan" not in html.split("</style>")[1].replace("finance", "")
    assert "This run did not finish" in html


def test_a_page_without_a_way_or_a_selector_is_made() -> None:
    matrix = Matrix((), (), {})
    read(render(run(), matrix, overview(matrix, WORTH)))


def test_long_lists_of_groups_are_folded_and_none_is_lost() -> None:
    matrix = plain([[1.0]] * 90, (A,), groups=[f"topic {n}" for n in range(90)])
    html = page(matrix)
    assert "<summary>50 smaller groups</summary>" in html
    assert all(f">topic {n}</th>" in html for n in range(90))


def test_what_is_unpriced_is_not_called_free() -> None:
    html = page(simulated(20, 2), spent=Decimal(0), unpriced=4)
    assert "<dt>Spent</dt><dd>unknown" in html


def test_costs_over_decades_are_drawn_on_a_logarithmic_scale() -> None:
    log = cost_scale([0.0, 0.0002, 0.04], 100, 900)
    assert log.log
    assert log.at(0.04) - log.at(0.004) == pytest.approx(log.at(0.004) - log.at(0.0004))
    assert 100 < log.at(0.0002) < log.at(0.04) < 900
    even = cost_scale([0.001, 0.004], 100, 900)
    assert not even.log
    assert even.at(0) == 100


def test_ticks_are_round_and_do_not_touch() -> None:
    for costs in ([0.0002, 0.04], [0.001, 0.004], [1e-7, 3.0], [0.00123], [5.0, 7.0]):
        scale = cost_scale(costs, 60, 330)
        ticks = cost_ticks(scale, 58)
        places = [scale.at(value) for value, _ in ticks]
        assert len(ticks) >= 2
        assert all(b - a >= 58 for a, b in pairwise(places))
        assert all(text.startswith("$") for _, text in ticks)


def test_the_quality_axis_holds_all_values_and_three_tenths_at_least() -> None:
    scale = quality_scale([0.52, 0.55], 400, 0)
    assert scale.least <= 0.5
    assert scale.most >= 0.6
    assert scale.most - scale.least == pytest.approx(0.3)
    full = quality_scale([0.0, 1.0], 400, 0)
    assert [text for _, text in quality_ticks(full)] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert quality_scale([1.0], 0, 1).most == 1.0
