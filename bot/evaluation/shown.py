"""An evaluation as a table for the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.table import Table

from bot.evaluation import overview_words, selector_words
from bot.evaluation.matrix import Cell, plain
from bot.evaluation.overview import Place, Standing
from bot.evaluation.report import EvaluationReport
from bot.evaluation.runner import NOT_POSSIBLE, NOT_RUN
from bot.evaluation.runs import Record
from bot.evaluation.selector_report import Policy
from bot.evaluation.wording import money

_ANSWERED = frozenset({"answered", "nothing_found"})
SELECTOR = "the selector's choice"
VALUES: Mapping[Place | None, str] = {
    "best": "best value",
    "level": "cannot be told apart",
    "behind": "",
    "unknown": "not compared",
    None: "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One way over all questions, or what the selector would have chosen.

    `quality` (0 to 1) is a mean with its 95% range over `judged` questions, what is not possible as 0. `cost`: US
    dollars an answer, None where the price of one is unknown. `place`: how it compares with the best, None for the
    selector. `not_run` counts what was not begun and `failed` calls that ended in an error.
    """

    name: str
    quality: float | None
    low: float | None
    high: float | None
    judged: int
    answered: int
    cost: float | None
    seconds: float | None
    place: Place | None
    not_possible: int
    not_run: int
    failed: int
    unjudged: int


def lines(report: EvaluationReport) -> list[Line]:
    """One for each way, in their order, and one for what the selector would have chosen, where it was looked at."""
    matrix = report.matrix
    found = [
        _line(str(each.way), each, each.place, [matrix.cells.get((row.id, each.way)) for row in matrix.rows])
        for each in report.overview.standings
    ]
    if report.selector is not None:
        chosen = [matrix.cells.get((row.id, row.chosen)) for row in matrix.rows if row.chosen]
        found.append(_line(SELECTOR, report.selector.policies[0], None, chosen))
    return found


def _line(name: str, figures: Standing | Policy, place: Place | None, cells: Sequence[Cell | None]) -> Line:
    there = [cell for cell in cells if cell is not None and cell.outcome != NOT_RUN]
    answered = [cell for cell in there if cell.outcome in _ANSWERED]
    not_possible = sum(cell.outcome == NOT_POSSIBLE for cell in there)
    known = bool(answered) and all(cell.cost is not None for cell in answered)
    return Line(
        name=name,
        quality=figures.quality.mean,
        low=figures.quality.low,
        high=figures.quality.high,
        judged=figures.quality.questions,
        answered=len(answered),
        cost=figures.cost.mean if known else None,
        seconds=figures.seconds.mean if answered else None,
        place=place,
        not_possible=not_possible,
        not_run=len(cells) - len(there),
        failed=len(there) - len(answered) - not_possible,
        unjudged=sum(cell.quality is None for cell in answered),
    )


def table(rows: Iterable[Line]) -> Table:
    """For the terminal. Columns in which all is 0 are left out."""
    rows = list(rows)
    counts = {
        "not possible": [row.not_possible for row in rows],
        "not run": [row.not_run for row in rows],
        "failed": [row.failed for row in rows],
        "not judged": [row.unjudged for row in rows],
    }
    counts = {title: values for title, values in counts.items() if any(values)}
    shown = Table(box=None, pad_edge=False)
    shown.add_column("way", overflow="fold")
    for title in ("quality", "95% range", "n", "$ an answer", "seconds"):
        shown.add_column(title, justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    for title in counts:
        shown.add_column(title, justify="right", no_wrap=True)
    for place, row in enumerate(rows):
        others = (str(values[place]) for values in counts.values())
        cost = money(row.cost) if row.answered else "–"
        seconds = "–" if row.seconds is None else f"{row.seconds:.2f}"
        value = VALUES[row.place]
        shown.add_row(row.name, _number(row.quality), _range(row), str(row.judged), cost, seconds, value, *others)
    return shown


def _number(quality: float | None) -> str:
    return "–" if quality is None else f"{quality:.3f}"


def _range(row: Line) -> str:
    return "–" if row.low is None or row.high is None else f"{row.low:.3f}–{row.high:.3f}"


def said(report: EvaluationReport) -> list[str]:
    """What the run says, in a few sentences: the best value, and whether choosing pays."""
    found = [overview_words.headline(report.overview), *overview_words.details(report.overview)]
    if report.selector is not None:
        found += [selector_words.verdict(report.selector), *selector_words.gap(report.selector)]
    return found


def remarks(record: Record) -> Iterator[str]:
    """What a reader of the table has to know, as sentences."""
    yield (
        "Quality is a mean from 0 to 1 with the range that holds the true one; what is not possible counts as 0. Costs "
        "and seconds are means."
    )
    if record.left_out:
        yield (
            f"{_counted(record.left_out, 'reviewed example')} passed over: they are the golden question itself, and "
            "its answer would have been told."
        )
    named = [(row.chosen, one.strategy) for row, one in zip(record.matrix.rows, record.golden, strict=True)]
    judged = [(chosen.strategy, wanted) for chosen, wanted in named if chosen and wanted]
    if judged:
        right = sum(chosen is wanted for chosen, wanted in judged)
        yield f"The selector takes the strategy that the question names {right} of {len(judged)} times."
    if record.run.unpriced:
        yield (
            f"{_counted(record.run.unpriced, 'call')} of no known price, which no budget can hold. A model's card may "
            "state its `rates`."
        )


def troubles(record: Record, most: int = 5) -> list[tuple[str, int]]:
    """Why there are failed calls and answers without judgement, with how often, the most frequent first."""
    counts: dict[str, int] = {}
    for place, detail in record.details.items():
        cell = record.matrix.cells[place]
        if cell.outcome != NOT_POSSIBLE and cell.quality is None:
            counts[detail] = counts.get(detail, 0) + 1
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:most]


def as_json(record: Record, report: EvaluationReport) -> dict[str, object]:
    """The whole run: what it was made with, each way's summary, the selector's report, how it compares with the run
    before, and each question with what each way made of it."""
    cells = record.matrix.cells
    return {
        "run": asdict(record.run) | {"models": dict(record.run.models), "settings": dict(record.run.settings)},
        "ways": [asdict(line) for line in lines(report)],
        "best": str(report.overview.best) if report.overview.best else None,
        "selector": report.selector.as_dict() if report.selector else None,
        "comparison": plain(report.comparison),
        "examples_left_out": record.left_out,
        "questions": [
            {
                "id": row.id,
                "question": row.text,
                "group": row.group,
                "expected": {
                    "answers": golden.answers,
                    "sources": golden.sources,
                    "rubric": golden.rubric,
                    "strategy": golden.strategy,
                },
                "features": dict(row.features),
                "chosen": str(row.chosen) if row.chosen else None,
                "expected_quality": {str(way): quality for way, quality in row.expected.items()},
                "answers": {
                    str(way): asdict(cells[row.id, way]) | {"detail": record.details.get((row.id, way), "")}
                    for way in record.matrix.ways
                    if (row.id, way) in cells
                },
            }
            for row, golden in zip(record.matrix.rows, record.golden, strict=True)
        ],
    }


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun} was" if number == 1 else f"{number} {noun}s were"
