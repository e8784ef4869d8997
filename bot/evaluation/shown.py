"""An evaluation as a table for the terminal and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from statistics import fmean, median, stdev

from rich.table import Table

from bot.costs.money import dollars
from bot.evaluation.matrix import Cell, Matrix
from bot.evaluation.runner import NOT_POSSIBLE, NOT_RUN
from bot.evaluation.runs import Record

_ANSWERED = frozenset({"answered", "nothing_found"})
_EXACTLY = Context(prec=12, rounding=ROUND_HALF_EVEN)
SELECTOR = "the selector's choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One way over all questions.

    `quality`: mean (0 to 1) over `judged` questions, what is not possible as 0; `error`: its standard error, None below
    two. `cost`: US dollars an answer, None where a price is unknown or nothing was answered. `seconds`: median of the
    answers. `not_run` counts what was not begun and `failed` calls that ended in an error.
    """

    name: str
    quality: float | None
    error: float | None
    judged: int
    answered: int
    cost: Decimal | None
    seconds: float | None
    not_possible: int
    not_run: int
    failed: int
    unjudged: int


def summaries(matrix: Matrix) -> list[Summary]:
    """One for each way, in their order, and one for what the selector would have chosen, where it was looked at."""
    found = [_summary(str(way), [matrix.cells.get((row.id, way)) for row in matrix.rows]) for way in matrix.ways]
    chosen = [matrix.cells.get((row.id, row.chosen)) for row in matrix.rows if row.chosen]
    return [*found, _summary(SELECTOR, chosen)] if chosen else found


def _summary(name: str, cells: Sequence[Cell | None]) -> Summary:
    there = [cell for cell in cells if cell is not None and cell.outcome != NOT_RUN]
    answered = [cell for cell in there if cell.outcome in _ANSWERED]
    not_possible = sum(cell.outcome == NOT_POSSIBLE for cell in there)
    qualities = [cell.quality for cell in answered if cell.quality is not None] + [0.0] * not_possible
    costs = [cell.cost for cell in answered if cell.cost is not None]
    known = bool(costs) and len(costs) == len(answered)
    return Summary(
        name=name,
        quality=fmean(qualities) if qualities else None,
        error=stdev(qualities) / math.sqrt(len(qualities)) if len(qualities) > 1 else None,
        judged=len(qualities),
        answered=len(answered),
        cost=_EXACTLY.divide(sum(costs, Decimal(0)), Decimal(len(costs))) if known else None,
        seconds=median(cell.seconds for cell in answered) if answered else None,
        not_possible=not_possible,
        not_run=len(cells) - len(there),
        failed=len(there) - len(answered) - not_possible,
        unjudged=sum(cell.quality is None for cell in answered),
    )


def table(rows: Iterable[Summary]) -> Table:
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
    for title in ("quality", "n", "$ an answer", "seconds", *counts):
        shown.add_column(title, justify="right", no_wrap=True)
    for place, row in enumerate(rows):
        others = (str(values[place]) for values in counts.values())
        cost = "unknown" if row.cost is None else dollars(row.cost)
        seconds = "–" if row.seconds is None else f"{row.seconds:.2f}"
        shown.add_row(row.name, _quality(row), str(row.judged), cost if row.answered else "–", seconds, *others)
    return shown


def _quality(row: Summary) -> str:
    if row.quality is None:
        return "–"
    return f"{row.quality:.3f}" if row.error is None else f"{row.quality:.3f} ± {row.error:.3f}"


def remarks(record: Record) -> Iterator[str]:
    """What a reader of the table has to know, as sentences."""
    yield (
        "Quality is a mean from 0 to 1, ± its standard error; what is not possible counts as 0. Seconds are the median."
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


def as_json(record: Record) -> dict[str, object]:
    """The whole run: what it was made with, each way's summary, each question with what each way made of it."""
    cells = record.matrix.cells
    return {
        "run": asdict(record.run) | {"models": dict(record.run.models), "settings": dict(record.run.settings)},
        "ways": [asdict(summary) for summary in summaries(record.matrix)],
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
