"""The weekly report: what the models cost last week, as plain values and as text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from bot.costs.export import as_csv
from bot.costs.ledger import Ledger, QuestionCost, Total, dearest_first
from bot.costs.money import at_least, dollars
from bot.costs.periods import Week, midnight
from bot.domain import PlaceKind

__all__ = ["DIRECT_MESSAGES", "WeeklyReport", "as_csv", "as_text", "headline", "weekly_report"]

DIRECT_MESSAGES = "direct messages"
"""Stands for all of them in a sum by channel: who talks to the bot alone is nobody else's business."""

FeedbackCounts = Callable[[datetime, datetime], Awaitable[tuple[int, int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyReport:
    """Last week's calls. `previous` is the total of the week before, `by_day` and `previous_by_day` Monday to Sunday.

    `answers`: questions that a model answered. `failures`: (outcome, number of calls), the most frequent first.
    `thumbs`: up and down. In `by_channel` all direct messages are one. `choosing`: a sentence on who chooses how
    questions are answered, `shadows`: one on shadow runs; each "" where nobody said. `trials`: for each trial of a
    model its channel and a sentence.
    """

    week: Week
    total: Total
    previous: Total
    answers: int
    by_model: tuple[Total, ...]
    by_strategy: tuple[Total, ...]
    by_channel: tuple[Total, ...]
    by_day: tuple[Total, ...]
    previous_by_day: tuple[Total, ...]
    dearest: tuple[QuestionCost, ...]
    failures: tuple[tuple[str, int], ...]
    thumbs: tuple[int, int]
    choosing: str = ""
    shadows: str = ""
    trials: tuple[tuple[str, str], ...] = ()
    by_purpose: tuple[Total, ...] = ()

    @property
    def said(self) -> tuple[str, ...]:
        """The sentences on how questions are answered, also of a week without calls."""
        return tuple(sentence for sentence in (self.choosing, self.shadows) if sentence)

    @property
    def empty(self) -> bool:
        """No model was called, and no thumb was given."""
        return self.total.calls == 0 and self.thumbs == (0, 0)

    @property
    def change(self) -> Decimal | None:
        """By which part of the week before's cost this one differs: −0.12 is 12% less.

        None where the week before cost nothing, or where a price of either week is unknown.
        """
        if self.total.unknown or self.previous.unknown or not self.previous.cost:
            return None
        return self.total.cost / self.previous.cost - 1

    @property
    def costly(self) -> bool:
        """Whether either week is known to have cost something; a chart shows calls where not."""
        return bool(self.total.cost or self.previous.cost)

    @property
    def unknown(self) -> tuple[tuple[str, int], ...]:
        """(model, number of calls) of those whose price is unknown."""
        return tuple((total.key, total.unknown) for total in self.by_model if total.unknown)


async def weekly_report(
    ledger: Ledger,
    feedback_counts: FeedbackCounts,
    week: Week,
    choosing: str = "",
    shadows: str = "",
    trials: tuple[tuple[str, str], ...] = (),
) -> WeeklyReport:
    """Reads a week. `feedback_counts(since, until)` gives thumbs up and down; `choosing`, `shadows` and `trials` are
    told as they are."""
    since, until = week.since, week.until
    (total,) = await ledger.total(since, until)
    (previous,) = await ledger.total(week.previous.since, since)
    kinds = await ledger.place_kinds(since, until)
    return WeeklyReport(
        week=week,
        total=total,
        previous=previous,
        answers=await ledger.answers(since, until),
        by_model=tuple(await ledger.total(since, until, by="model")),
        by_strategy=tuple(await ledger.total(since, until, by="strategy")),
        by_channel=by_place(await ledger.total(since, until, by="channel"), kinds),
        by_day=await _by_day(ledger, week),
        previous_by_day=await _by_day(ledger, week.previous),
        dearest=tuple(await ledger.dearest(since, until)),
        failures=tuple((await ledger.failures(since, until)).items()),
        thumbs=await feedback_counts(since, until),
        choosing=choosing,
        shadows=shadows,
        trials=trials,
        by_purpose=tuple(await ledger.total(since, until, by="purpose")),
    )


def by_place(totals: Iterable[Total], kinds: dict[str, str]) -> tuple[Total, ...]:
    """Totals by channel with all direct messages as one. `kinds`: channel id → kind of place."""
    places: dict[str, Total] = {}
    for total in totals:
        private = kinds.get(total.key) in (PlaceKind.DM, PlaceKind.GROUP_DM)
        key = DIRECT_MESSAGES if private else total.key
        places[key] = places.get(key, Total(key=key)) + total
    return tuple(dearest_first(places.values()))


async def _by_day(ledger: Ledger, week: Week) -> tuple[Total, ...]:
    starts = [*(midnight(day, week.zone) for day in week.days), week.until]
    totals = [await ledger.total(since, until) for since, until in pairwise(starts)]
    return tuple(total for (total,) in totals)


def chart_title(report: WeeklyReport) -> str:
    """What the chart shows, in at most 50 characters."""
    return f"Model {'costs' if report.costly else 'calls'}, {report.week}"


def measure(report: WeeklyReport, totals: Iterable[Total]) -> list[Decimal]:
    """What the chart shows of some totals: US dollars, or calls where nothing cost anything."""
    return [total.cost if report.costly else Decimal(total.calls) for total in totals]


def headline(report: WeeklyReport, name: str = "last week") -> str:
    """The one sentence that an admin reads on Monday. `name` is what the week is called today."""
    if report.empty:
        return f"No model was called {name} ({report.week}), so it cost nothing."
    total, answers = report.total, count(report.answers, "answer")
    if total.cost:
        return f"{name.capitalize()} cost {at_least(total.cost, total.unknown)}{_compared(report)}, for {answers}."
    if total.unknown:
        return f"What {name}'s {answers} cost is unknown: {count(total.unknown, 'call')} had no known price."
    return f"{name.capitalize()}'s {answers} cost nothing{_compared(report)}."


def as_text(report: WeeklyReport, name: str = "last week") -> str:
    """The whole report as lines of plain text, strategies and channels by their ids; `name` as for `headline`."""
    lines = [headline(report, name)]
    if report.empty:
        return "\n".join((*lines, *report.said, *_trials(report)))
    for title, totals in (
        ("By model", report.by_model),
        ("By strategy", report.by_strategy),
        ("By channel", report.by_channel),
        ("By purpose", report.by_purpose),
    ):
        if not totals:
            continue
        lines.append(f"{title}: {', '.join(_part(total) for total in totals)}.")
    if report.dearest:
        lines.append(f"Dearest questions: {', '.join(_question(question) for question in report.dearest)}.")
    if report.failures:
        kinds = ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in report.failures)
        lines.append(f"Failed calls: {kinds}.")
    if report.unknown:
        models = ", ".join(f"{model} ({count(number, 'call')})" for model, number in report.unknown)
        lines.append(f"Price unknown: {models}.")
    up, down = report.thumbs
    lines.append(f"Thumbs: {up} up, {down} down.")
    return "\n".join((*lines, *report.said, *_trials(report)))


def _trials(report: WeeklyReport) -> list[str]:
    return [f"Trial in {channel}: {sentence}" for channel, sentence in report.trials]


def count(number: int, noun: str) -> str:
    """For example "1 answer", "2 answers", "no answers"."""
    return f"{f'{number:,}' if number else 'no'} {noun}{'' if number == 1 else 's'}"


def _compared(report: WeeklyReport) -> str:
    previous = report.previous
    if not previous.calls:
        return ""
    if report.total.unknown or previous.unknown:
        return f" (the week before {at_least(previous.cost, previous.unknown)})"
    change = report.change
    if change is None:
        return ", after a week that cost nothing" if report.total.cost else ", like the week before"
    if not report.total.cost:
        return f" (the week before {dollars(previous.cost)})"
    if change >= 9:
        return f", {change + 1:,.0f} times as much as the week before"
    percent = f"{abs(change):.0%}"
    if percent == "0%":
        return f", {'' if change == 0 else 'about '}the same as the week before"
    return f", {percent} {'more' if change > 0 else 'less'} than the week before"


def _part(total: Total) -> str:
    return f"{total.key or 'none'} {at_least(total.cost, total.unknown)} ({count(total.calls, 'call')})"


def _question(question: QuestionCost) -> str:
    private = question.place_kind in (PlaceKind.DM, PlaceKind.GROUP_DM)
    place = "a direct message" if private else question.channel
    return f"{dollars(question.cost)} in {place} ({question.question_id})"
