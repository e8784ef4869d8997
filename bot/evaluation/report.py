"""Everything that is reckoned from a finished evaluation, at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.evaluation.compare import Comparison, compare
from bot.evaluation.flips import Flip
from bot.evaluation.matrix import Matrix
from bot.evaluation.overview import Overview, overview
from bot.evaluation.page import render
from bot.evaluation.run import Run
from bot.evaluation.selector_report import SelectorReport, selector_report
from bot.evaluation.summary import Summary, summary
from bot.evaluation.worth import Worth


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationReport:
    """A run with what it says. `selector` is None where it recorded no choices, `comparison` without another run."""

    run: Run
    matrix: Matrix
    overview: Overview
    selector: SelectorReport | None
    comparison: Comparison | None

    def page(self) -> str:
        """The HTML page."""
        return render(self.run, self.matrix, self.overview, selector=self.selector, comparison=self.comparison)

    def summary(self, where: str = "") -> Summary:
        """A few lines for a channel. `where`: the page's link or file name."""
        return summary(self.run, self.overview, selector=self.selector, comparison=self.comparison, where=where)


def evaluation_report(
    run: Run,
    matrix: Matrix,
    worth: Worth,
    *,
    earlier: tuple[Run, Matrix] | None = None,
    absent: Collection[str] = (),
    flips: Sequence[Flip] = (),
    decision_ms: Sequence[float] = (),
) -> EvaluationReport:
    """Reckons all of it; some seconds for 400 questions and 12 ways, so call it in a worker thread.

    `earlier`: the run to compare with. The rest is as for `selector_report`.
    """
    chosen = any(row.chosen is not None for row in matrix.rows)
    return EvaluationReport(
        run=run,
        matrix=matrix,
        overview=overview(matrix, worth),
        selector=selector_report(matrix, worth, absent=absent, flips=flips, decision_ms=decision_ms)
        if chosen
        else None,
        comparison=compare(earlier, (run, matrix)) if earlier else None,
    )
