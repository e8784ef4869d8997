"""The report on a week or a month: what the models cost, and why, as plain values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from bot.costs.anomalies import Anomaly, anomalies
from bot.costs.calls import QuestionCost, Total, dearest_first
from bot.costs.days import DIRECT_MESSAGES, Bounds, Cell, Day
from bot.costs.export import as_csv
from bot.costs.forecast import LOOKED_BACK, Forecast, forecast
from bot.costs.ledger import Ledger
from bot.costs.money import of_picodollars
from bot.costs.periods import Month, Span, midnight
from bot.costs.saving import Proposal
from bot.costs.split import RatesOf, Split, no_rates, split
from bot.costs.waste import Waste, waste
from bot.people.coverage import Topic

__all__ = ["DIRECT_MESSAGES", "Sought", "WeeklyReport", "as_csv", "count", "weekly_report"]

FeedbackCounts = Callable[[datetime, datetime], Awaitable[tuple[int, int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyReport:
    """The calls of a week (or month). `previous` is the total of the one before; `by_day` and `previous_by_day` hold
    their days in order.

    `answers`: questions that a model answered. `failures`: (outcome, number of calls), the most frequent first.
    `thumbs`: up and down. In `by_channel` all direct messages are one. `channel`: the one that it is about, "" for all.
    `split`: why it cost more or less than the one before, as far as prices are known; None after nothing. `by_person`
    is empty unless the workspace switched that on. `proposals`: savings that replays prove. `said`: further sentences,
    each of which is told as it is, also of a week without calls. `unanswered`: what found no good answer, by topic, the
    largest first. `cells`: what all of it was added up from, by day.
    """

    week: Span
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
    by_purpose: tuple[Total, ...] = ()
    by_person: tuple[Total, ...] = ()
    channel: str = ""
    split: Split | None = None
    forecast: Forecast | None = None
    anomalies: tuple[Anomaly, ...] = ()
    waste: Waste = field(default_factory=Waste)
    proposals: tuple[Proposal, ...] = ()
    said: tuple[str, ...] = ()
    unanswered: tuple[Topic, ...] = ()
    cells: tuple[Day, ...] = ()

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a report is to be about: one `channel` ("" for all), with `persons` or without, and the `rates` of today by
    which lengths are weighed. `now`: where the week may be under way still."""

    channel: str = ""
    now: datetime | None = None
    persons: bool = False
    rates: RatesOf = no_rates


async def weekly_report(
    ledger: Ledger,
    feedback_counts: FeedbackCounts,
    week: Span,
    *,
    said: Sequence[str] = (),
    proposals: Sequence[Proposal] = (),
    unanswered: Sequence[Topic] = (),
    sought: Sought | None = None,
) -> WeeklyReport:
    """Reads a week or a month. `feedback_counts(since, until)` gives thumbs up and down."""
    sought = sought or Sought()
    found = await _days(ledger, week, sought.channel)
    now, before = [found[day] for day in week.days], [found[day] for day in week.previous.days]
    previous = totalled(before)
    total = totalled(now)
    whole = not sought.channel
    return WeeklyReport(
        week=week,
        total=total,
        previous=previous,
        answers=sum(number for day in now for _, number in day.answers),
        by_model=added(now, lambda cell: cell.model),
        by_strategy=added(now, lambda cell: cell.strategy),
        by_channel=added(now, lambda cell: cell.place) if whole else (),
        by_purpose=added(now, lambda cell: cell.purpose),
        by_person=_by_person(now) if sought.persons and whole else (),
        by_day=tuple(totalled([day]) for day in now),
        previous_by_day=tuple(totalled([day]) for day in before),
        dearest=tuple(await ledger.dearest_of(week.since, week.until, _candidates(now))) if whole else (),
        failures=_failures(now),
        thumbs=await feedback_counts(week.since, week.until) if whole else (0, 0),
        channel=sought.channel,
        split=split(now, before, sought.rates) if previous.calls else None,
        forecast=_forecast(found, _last_over(week, sought.now), week),
        anomalies=anomalies(found, week.days, sought.rates),
        waste=waste(now),
        proposals=tuple(proposals),
        said=tuple(sentence for sentence in said if sentence),
        unanswered=tuple(unanswered),
        cells=tuple(now),
    )


async def _days(ledger: Ledger, week: Span, channel: str) -> dict[date, Day]:
    """The week, the one before, and as many days back as a forecast and a comparison look."""
    first = min(week.previous.days[0], week.days[0] - timedelta(days=LOOKED_BACK))
    first = min(first, week.days[0].replace(day=1))
    days = [first + timedelta(days=number) for number in range((week.days[-1] - first).days + 1)]
    bounds: list[Bounds] = [(midnight(day, week.zone), midnight(day + timedelta(days=1), week.zone)) for day in days]
    found = await ledger.days.read(bounds)
    return {day: each.within(channel) if channel else each for day, each in zip(days, found, strict=True)}


def _last_over(week: Span, now: datetime | None) -> date:
    """Its last day that is over."""
    last = week.days[-1]
    return last if now is None else min(last, now.astimezone(week.zone).date() - timedelta(days=1))


def _forecast(days: dict[date, Day], last: date, week: Span) -> Forecast:
    daily = [of_picodollars(days[day].cost) for day in sorted(days) if day <= last]
    return forecast(daily, last, Month.of(last, week.zone))


def totalled(days: Iterable[Day], key: str = "") -> Total:
    """All calls of some days as one."""
    return _as_total(key, [cell for day in days for cell in day.cells])


def added(days: Iterable[Day], key: Callable[[Cell], str]) -> tuple[Total, ...]:
    """The calls of some days by what `key` says of each, dearest first."""
    groups: dict[str, list[Cell]] = {}
    for day in days:
        for cell in day.cells:
            groups.setdefault(key(cell), []).append(cell)
    return tuple(dearest_first(_as_total(name, cells) for name, cells in groups.items()))


def _as_total(key: str, cells: Sequence[Cell]) -> Total:
    return Total(
        key=key,
        calls=sum(cell.calls for cell in cells),
        failures=sum(cell.calls for cell in cells if not cell.good),
        cost=of_picodollars(sum(cell.cost for cell in cells)),
        unknown=sum(cell.unknown for cell in cells),
        prompt_tokens=sum(cell.prompt_tokens for cell in cells),
        completion_tokens=sum(cell.completion_tokens for cell in cells),
    )


def _by_person(days: Iterable[Day]) -> tuple[Total, ...]:
    sums: dict[str, tuple[int, int, int]] = {}
    for day in days:
        for person, *counts in day.persons:
            calls, cost, unknown = sums.get(person, (0, 0, 0))
            sums[person] = (calls + counts[0], cost + counts[1], unknown + counts[2])
    return tuple(
        dearest_first(
            Total(key=person, calls=calls, cost=of_picodollars(cost), unknown=unknown)
            for person, (calls, cost, unknown) in sums.items()
        )
    )


def _failures(days: Iterable[Day]) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for day in days:
        for cell in day.cells:
            if not cell.good:
                found[cell.outcome] = found.get(cell.outcome, 0) + cell.calls
    return tuple(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def _candidates(days: Iterable[Day]) -> list[str]:
    return sorted({question for day in days for question, _ in day.dearest})


def count(number: int, noun: str) -> str:
    """For example "1 answer", "2 answers", "no answers"."""
    return f"{f'{number:,}' if number else 'no'} {noun}{'' if number == 1 else 's'}"
