"""What a run says in a few lines, for those who will not open the page."""

from __future__ import annotations

from dataclasses import dataclass

from bot.costs.money import dollars
from bot.evaluation import compare, overview_words, selector_words
from bot.evaluation.compare import Comparison
from bot.evaluation.overview import Overview
from bot.evaluation.run import Run
from bot.evaluation.selector_report import SelectorReport
from bot.evaluation.wording import count

MOST_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`headline`: what is the best value. `lines`: plain sentences. `measured`: of how much, and what it cost.

    `where`: the page's link, or its file's name; "" where there is none.
    """

    title: str
    headline: str
    lines: tuple[str, ...]
    measured: str
    where: str = ""

    @property
    def text(self) -> str:
        """All of it as plain text of at most twelve lines."""
        lines = [f"{self.title}: {self.headline}", *self.lines, self.measured]
        return "\n".join([*lines, *([f"Everything: {self.where}"] if self.where else [])])


def summary(
    run: Run,
    overview: Overview,
    *,
    selector: SelectorReport | None = None,
    comparison: Comparison | None = None,
    where: str = "",
) -> Summary:
    """The lines that matter most: best value, whether choosing pays, what changed since the run before."""
    lines = list(overview_words.details(overview))
    if selector is not None:
        lines += [selector_words.verdict(selector), *selector_words.gap(selector)]
    if comparison is not None:
        lines += compare.sentences(comparison)
    if run.finished is None:
        lines.insert(0, "The run did not finish: what was not run is left out.")
    others = 3  # title, what was measured, where
    shown = lines if len(lines) <= MOST_LINES - others else [*lines[: MOST_LINES - others - 1], "More is on the page."]
    return Summary(
        title=f"Evaluation “{run.name}”",
        headline=overview_words.headline(overview),
        lines=tuple(shown),
        measured=_measured(run, overview),
        where=where,
    )


def _measured(run: Run, overview: Overview) -> str:
    ways = count(len(overview.standings), "way")
    cost = f"It cost {dollars(run.spent)}"
    if run.unpriced:
        known = f"at least {dollars(run.spent)}" if run.spent else "an unknown sum"
        cost = f"It cost {known}: {count(run.unpriced, 'call')} had no known price"
    return f"{count(overview.questions, 'question')} in {count(overview.groups, 'group')} × {ways}. {cost}."
