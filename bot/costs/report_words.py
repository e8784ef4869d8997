"""The report in sentences, short enough for a Monday morning, and the whole of it as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal

from bot.costs.anomalies import Anomaly
from bot.costs.calls import QuestionCost, Total
from bot.costs.money import at_least, dollars, roughly, signed
from bot.costs.periods import Month, Span, Week
from bot.costs.report import WeeklyReport, count
from bot.costs.saving import Proposal
from bot.costs.split import Split
from bot.costs.summary import ahead as month_to_come
from bot.domain import PlaceKind
from bot.people.coverage_words import Written, lines

PURPOSES = {
    "answer": "answers",
    "draft": "drafts",
    "rewrite": "follow-ups made whole",
    "embedding": "embeddings",
    "evaluate": "evaluations",
    "judge": "judging",
    "shadow": "shadow runs",
    "transcribe": "transcriptions",
    "image": "images",
    "compare": "comparisons",
    "fine_tune": "fine-tuning",
}
_SMALL = Decimal("0.07")
"""Causes of less than this part of all that changed are one rest."""
_TOPICS = 3

Named = Callable[[str], str]
"""How a channel is written."""


def plainly(place: str) -> str:
    """A channel by its id."""
    return place


def name_of(span: Span, now: datetime | None = None) -> str:
    """What a week or month is called at a moment: "last week" where it is the last whole one, else by its dates."""
    kind = type(span)
    if now is None or kind.before(now, span.zone) == span:
        return f"last {span.noun}"
    if isinstance(span, Week):
        return f"the week of {span}"
    return str(span)


def chart_title(report: WeeklyReport) -> str:
    """What the chart shows, in at most 50 characters."""
    return f"Model {'costs' if report.costly else 'calls'}, {report.week}"


def measure(report: WeeklyReport, totals: Iterable[Total]) -> list[Decimal]:
    """What the chart shows of some totals: US dollars, or calls where nothing cost anything."""
    return [total.cost if report.costly else Decimal(total.calls) for total in totals]


def bars(report: WeeklyReport) -> list[tuple[str, Decimal, Decimal]]:
    """What the chart shows: a name, the sum and that of the week or month before. Days, or a month's sevens of days."""
    now, before = measure(report, report.by_day), measure(report, report.previous_by_day)
    if isinstance(report.week, Week):
        return [(f"{day:%a}", one, other) for day, one, other in zip(report.week.days, now, before, strict=True)]
    sevens: list[tuple[str, Decimal, Decimal]] = []
    for start in range(0, 31, 7):
        some = report.week.days[start : start + 7]
        if not some:
            break
        name = f"{some[0].day}–{some[-1].day}" if len(some) > 1 else str(some[0].day)
        one, other = (sum(values[start : start + 7], Decimal(0)) for values in (now, before))
        sevens.append((name, one, other))
    return sevens


def headline(report: WeeklyReport, name: str = "") -> str:
    """The one sentence that an admin reads on Monday. `name` is what the week is called today."""
    name = name or f"last {report.week.noun}"
    if report.empty:
        return f"No model was called {name} ({report.week}), so it cost nothing."
    total, answers = report.total, count(report.answers, "answer")
    if total.cost:
        return f"{_capital(name)} cost {at_least(total.cost, total.unknown)}{_compared(report)}, for {answers}."
    if total.unknown:
        return f"What {name}'s {answers} cost is unknown: {count(total.unknown, 'call')} had no known price."
    return f"{_capital(name)}'s {answers} cost nothing{_compared(report)}."


def why(report: WeeklyReport) -> str:
    """What made it cost more or less than the week before; "" where nothing did, or nobody knows."""
    if report.split is None or not report.split.change:
        return ""
    causes = _causes(report.split)
    whole = sum((abs(amount) for amount, _ in causes), Decimal(0))
    told = [(amount, cause) for amount, cause in causes if abs(amount) >= _SMALL * whole]
    rest = report.split.change - sum((amount for amount, _ in told), Decimal(0))
    # Less than half a cent or a hundredth of the change is not worth a word.
    if abs(rest) >= max(Decimal("0.005"), abs(report.split.change) / 100):
        told.append((rest, "all else"))
    parts = ", ".join(f"{signed(amount)} {cause}" for amount, cause in told)
    known = ", as far as prices are known" if report.total.unknown or report.previous.unknown else ""
    return f"{signed(report.split.change)} against the {report.week.noun} before{known}: {parts}."


def _causes(split: Split) -> list[tuple[Decimal, str]]:
    """Each cause with its US dollars, the largest first."""
    causes = [
        (split.volume, _volume(split)),
        (split.mix, _mix(split)),
        (split.length, _length(split)),
        (split.price, _price(split)),
        *((amount, PURPOSES.get(purpose, purpose)) for purpose, amount in split.others),
    ]
    return sorted(((amount, cause) for amount, cause in causes if amount), key=lambda each: -abs(each[0]))


def _volume(split: Split) -> str:
    more = "more" if split.volume > 0 else "fewer"
    fits = split.before and (split.answers > split.before) == (split.volume > 0)
    return f"{more} questions" + (f" ({split.answers:,} instead of {split.before:,})" if fits else "")


def _length(split: Split) -> str:
    longer = "longer" if split.length > 0 else "shorter"
    fits = split.size_before and (split.size > split.size_before) == (split.length > 0)
    sizes = f" ({split.size:,.0f} tokens each instead of {split.size_before:,.0f})" if fits else ""
    return f"{longer} answers{sizes}"


def _mix(split: Split) -> str:
    up = split.mix > 0
    most = max(split.models, key=lambda name: split.models[name].mix * (1 if up else -1), default="")
    if not most:
        return "other models"
    return f"{'more' if up else 'less'} of {most}"


def _price(split: Split) -> str:
    up = split.price > 0
    most = max(split.models, key=lambda name: split.models[name].price * (1 if up else -1), default="")
    return f"{'higher' if up else 'lower'} price" + (f" of {most}" if most else "")


def each_cost(report: WeeklyReport) -> str:
    """What an answer cost, and what one that somebody liked; "" where nothing did."""
    if not report.total.cost or not report.answers:
        return ""
    least = "at least " if report.total.unknown else ""
    liked = report.thumbs[0]
    told = f", {roughly(report.total.cost / liked)} for each 👍" if liked else ""
    return f"That is {least}{roughly(report.total.cost / report.answers)} an answer{told}."


def ahead(report: WeeklyReport) -> str:
    """What the month will come to; "" where nothing was spent."""
    found = report.forecast
    if found is not None and not found.left and isinstance(report.week, Month):
        return ""
    return month_to_come(found)


def stands_out(found: Anomaly, named: Named = plainly) -> str:
    """A day that stands out, and why."""
    where = f" in {named(found.place)}" if found.place else ""
    usual = f"where {roughly(found.usual)} is usual" if found.usual else "where nothing is usual"
    return f"{found.day:%A} cost {roughly(found.cost)}{where} {usual}: {likely_cause(found)}."


def likely_cause(found: Anomaly) -> str:
    """What did most."""
    causes = _causes(found.split)
    upward = [(amount, cause) for amount, cause in causes if amount > 0]
    if found.retries > found.split.change / 2:
        return f"{signed(found.retries)} second and later tries"
    if not upward:
        return "the cause is not clear"
    # The second where it did at least half as much as the first.
    told = " and ".join(f"{signed(amount)} {cause}" for amount, cause in upward[:2] if amount * 2 >= upward[0][0])
    return told if not found.model or found.model in told else f"{told}, mostly {found.model}"


def wasted(report: WeeklyReport) -> str:
    """What was paid for and helped nobody, and the retries; "" where there was none."""
    waste = report.waste
    kinds = (
        (waste.stopped, waste.stopped_cost, "stopped before the end"),
        (waste.nothing, waste.nothing_cost, "with nothing usable in it"),
        (waste.failed, waste.failed_cost, "failed"),
    )
    parts = [f"{number:,} {kind} ({roughly(cost)})" for number, cost, kind in kinds if number and cost]
    told = f"{roughly(waste.cost)} went to calls that helped nobody: {', '.join(parts)}." if parts else ""
    again = f"{count(waste.retries, 'second or later try')}".replace("trys", "tries")
    return f"{told} {again} cost {roughly(waste.retries_cost)}.".strip() if waste.retries_cost else told


def proposed(found: Proposal, named: Named = plainly) -> str:
    """A proposal: "#support to small: −$31.00 a month, quality −0.004 ± 0.009 on 40 questions"."""
    spread = max(found.high - found.gain, found.gain - found.low)
    quality = f"{found.gain:+.3f}".replace("-", "−")
    return (
        f"{named(found.channel)} from {found.model} to {found.other}: −{dollars(found.month)} a month, "
        f"quality {quality} ± {spread:.3f} on {count(found.questions, 'question')} ({found.source})"
    )


def unanswered(report: WeeklyReport, name: str = "", *, owner: Written = str, plain: Written = str) -> list[str]:
    """Lines on what found no good answer, three topics at most; none where there is none. `name` as for `headline`;
    `owner` and `plain`: how a person, and what people said, are written."""
    when, more = name or f"last {report.week.noun}", "`/switchboard coverage`"
    return lines(report.unanswered, when, most=_TOPICS, more=more, owner=owner, plain=plain)


def as_text(report: WeeklyReport, name: str = "") -> str:
    """The whole report as lines of plain text, strategies, channels and people by their ids; `name` as for
    `headline`."""
    told = [headline(report, name)]
    if report.empty:
        return "\n".join((*told, *unanswered(report, name), *report.said))
    told += [why(report), each_cost(report), ahead(report), *map(stands_out, report.anomalies)]
    told += [f"Proven saving: {proposed(each)}." for each in report.proposals]
    for title, totals in (
        ("By model", report.by_model),
        ("By strategy", report.by_strategy),
        ("By channel", report.by_channel),
        ("By purpose", report.by_purpose),
        ("By person", report.by_person),
    ):
        told.append(f"{title}: {', '.join(_part(total) for total in totals)}." if totals else "")
    if report.dearest:
        told.append(f"Dearest questions: {', '.join(_question(question) for question in report.dearest)}.")
    if report.failures:
        kinds = ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in report.failures)
        told.append(f"Failed calls: {kinds}.")
    told.append(wasted(report))
    if report.unknown:
        models = ", ".join(f"{model} ({count(number, 'call')})" for model, number in report.unknown)
        told.append(f"Price unknown: {models}.")
    up, down = report.thumbs
    told.append("" if report.channel else f"Thumbs: {up} up, {down} down.")
    return "\n".join(line for line in (*told, *unanswered(report, name), *report.said) if line)


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _compared(report: WeeklyReport) -> str:
    previous, before = report.previous, f"the {report.week.noun} before"
    if not previous.calls:
        return ""
    if report.total.unknown or previous.unknown:
        return f" ({before} {at_least(previous.cost, previous.unknown)})"
    change = report.change
    if change is None:
        return f", after a {report.week.noun} that cost nothing" if report.total.cost else f", like {before}"
    if not report.total.cost:
        return f" ({before} {dollars(previous.cost)})"
    if change >= 9:
        return f", {change + 1:,.0f} times as much as {before}"
    percent = f"{abs(change):.0%}"
    if percent == "0%":
        return f", {'' if change == 0 else 'about '}the same as {before}"
    return f", {percent} {'more' if change > 0 else 'less'} than {before}"


def _part(total: Total) -> str:
    return f"{total.key or 'none'} {at_least(total.cost, total.unknown)} ({count(total.calls, 'call')})"


def _question(question: QuestionCost) -> str:
    private = question.place_kind in (PlaceKind.DM, PlaceKind.GROUP_DM)
    place = "a direct message" if private else question.channel
    return f"{dollars(question.cost)} in {place} ({question.question_id})"
