"""A run in a few lines, and as a message."""

from __future__ import annotations

from decimal import Decimal

import pytest
from matrices import RAG, WORTH, ZERO, plain, run, simulated

from bot.evaluation.compare import compare
from bot.evaluation.matrix import Way
from bot.evaluation.overview import overview
from bot.evaluation.selector_report import selector_report
from bot.evaluation.summary import MOST_LINES, Summary, summary
from handlers.blocks.evaluation import evaluation_blocks


@pytest.fixture(scope="module")
def whole() -> Summary:
    matrix = simulated(200, 8, unpriced=(3,))
    before = simulated(200, 8, seed=2)
    return summary(
        run(),
        overview(matrix, WORTH),
        selector=selector_report(matrix, WORTH),
        comparison=compare((run(name="October", index="1"), before), (run(), matrix)),
        where="https://files.example/evaluation.html",
    )


def test_a_summary_is_twelve_lines_at_most(whole: Summary) -> None:
    lines = whole.text.splitlines()
    assert len(lines) <= MOST_LINES
    assert lines[0].startswith("Evaluation “golden questions of November”: Knowledge search (RAG) with")
    assert lines[-1] == "Everything: https://files.example/evaluation.html"


def test_a_summary_says_what_the_selector_gained_and_what_it_cost(whole: Summary) -> None:
    assert "its answers are worth" in whole.text
    assert "95% range" in whole.text
    assert whole.measured == "200 questions in 24 groups × 8 ways. It cost $3.12."


@pytest.mark.parametrize(
    ("spent", "unpriced", "said"),
    [
        ("0", 0, "It cost $0."),
        ("0.5", 3, "It cost at least $0.50: 3 calls had no known price."),
        ("0", 1, "It cost an unknown sum: 1 call had no known price."),
    ],
)
def test_an_unknown_cost_is_not_called_nothing(spent: str, unpriced: int, said: str) -> None:
    found = overview(plain([[1.0]], (Way(ZERO, "small"),)), WORTH)
    assert summary(run(spent=Decimal(spent), unpriced=unpriced), found).measured.endswith(said)


def test_a_run_that_was_killed_says_so_first() -> None:
    found = overview(plain([[1.0]], (Way(ZERO, "small"),)), WORTH)
    assert summary(run(finished=None), found).lines[0].startswith("The run did not finish")


def test_the_message_has_a_headline_a_list_and_a_link(whole: Summary) -> None:
    head, headline, lines, foot = evaluation_blocks(whole)
    assert head["text"]["text"] == whole.title
    assert headline["text"]["text"] == f"*{whole.headline}*"
    assert lines["text"]["text"].splitlines() == [f"• {line}" for line in whole.lines]
    assert foot["elements"][1]["text"] == "<https://files.example/evaluation.html|The whole evaluation>"


def test_names_from_outside_are_only_shown_in_the_message() -> None:
    way, other = Way(RAG, "<!channel>"), Way(ZERO, "a&b")
    found = overview(plain([[1.0, 0.0]] * 20, (way, other)), WORTH)
    blocks = str(evaluation_blocks(summary(run(name="<@U1>"), found, where="report|<x>.html")))
    assert "<!channel>" not in blocks
    assert "&lt;!channel&gt;" in blocks
    assert "The whole evaluation: report|&lt;x&gt;.html" in blocks


def test_a_summary_without_anything_beside_it_is_short() -> None:
    found = overview(plain([], ()), WORTH)
    assert [block["type"] for block in evaluation_blocks(summary(run(), found))] == [
        "header", "section", "section", "context",
    ]  # fmt: skip
