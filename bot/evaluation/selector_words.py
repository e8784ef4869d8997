"""The selector's report in sentences."""

from __future__ import annotations

from bot.evaluation.calibration import Calibration
from bot.evaluation.selector_report import SelectorReport
from bot.evaluation.statistics import LEVEL
from bot.evaluation.wording import capital, count, gain, gain_between, listed, money, name, percent, score
from bot.learning.bound import LEAST_GROUPS

NO_DIFFERENCE = "No difference worth routing for"


def verdict(report: SelectorReport) -> str:
    """Whether choosing for each question pays, in one sentence."""
    fixed, found = _fixed(report), report.gain
    if report.verdict == "no choices":
        return "The selector's choices were not recorded in this run, so nothing can be said of them."
    if found.mean is None:
        return "What came of the selector's choices is not known, so nothing can be said of them."
    if report.verdict == "too few":
        return (
            f"{capital(count(found.questions, 'question'))} in {count(report.groups, 'group')} cannot tell whether "
            f"choosing pays: it takes {LEAST_GROUPS} groups at least."
        )
    if report.verdict == "better":
        return (
            f"Choosing for each question pays: its answers are worth {abs(found.mean):.3f} more than those of the best "
            f"fixed choice, {fixed} ({gain_between(found)})."
        )
    if report.verdict == "worse":
        return (
            f"Choosing for each question costs more than it brings: its answers are worth {abs(found.mean):.3f} less "
            f"than those of the best fixed choice, {fixed} ({gain_between(found)})."
        )
    return (
        f"{NO_DIFFERENCE}: {count(found.questions, 'question')} do not show that choosing beats the best fixed "
        f"choice, {fixed} ({gain(found.mean)}, {gain_between(found)})."
    )


def details(report: SelectorReport) -> tuple[str, ...]:
    """What lies behind the verdict, one sentence a figure; what is not known is left out or said to be unknown."""
    if report.verdict == "no choices" or report.gain.mean is None:
        return ()
    said = [*_bound(report), *gap(report), *_equal_cost(report), *_calibration(report), *_risk(report)]
    return tuple(said + _false_rag(report) + _flips(report) + _latency(report) + _cautions(report))


def gap(report: SelectorReport) -> list[str]:
    """How much there is to gain at all, and how much of it the selector does; nothing where that cannot be told."""
    if report.verdict in ("no choices", "too few") or report.gain.mean is None:
        return []
    closed, whole = report.gap_closed, report.gap.mean
    if closed is None or closed.mean is None or whole is None:
        return ["Even knowing every result beforehand would not beat the best fixed choice here."]
    if closed.low is None or closed.high is None:
        return []
    part = percent(closed.mean) if closed.mean > 0 else "nothing"
    return [
        f"Knowing every result beforehand would gain {whole:.3f}; the selector closes {part} of that gap "
        f"({LEVEL:.0%} range {percent(closed.low)} to {percent(closed.high)})."
    ]


def _fixed(report: SelectorReport) -> str:
    names = [name(way) for way in report.best_fixed]
    if len(names) <= 1:
        return names[0] if names else "unknown"
    return f"mostly {names[0]}"


def _bound(report: SelectorReport) -> list[str]:
    if report.lower_bound is None:
        return []
    said = [f"With {LEVEL:.0%} certainty the gain is not below {gain(report.lower_bound)}."]
    if report.verdict == "no difference" and report.needed and (report.gain.mean or 0.0) > 0:
        said.append(f"About {report.needed:,} questions would be needed to show a gain of this size.")
    return said


def _equal_cost(report: SelectorReport) -> list[str]:
    found = report.equal_cost
    if found is None or not found.gain.known:
        return []
    mix = name(found.cheaper)
    if found.share:
        mix = f"{name(found.dearer)} for {percent(found.share)} of questions and {name(found.cheaper)} for the rest"
    reached = f"Its mean price, {money(found.cost)} an answer, would also buy quality {score(found.mix_quality)}"
    return [f"{reached} with {mix}; the selector reaches {score(found.quality)} ({gain_between(found.gain)})."]


def _calibration(report: SelectorReport) -> list[str]:
    said = []
    for found, whose in ((report.calibration, "every way"), (report.calibration_taken, "the way taken")):
        if found is not None:
            said.append(_calibrated(found, whose))
    return said


def _calibrated(found: Calibration, whose: str) -> str:
    error = f"Expected quality of {whose} is off by {found.error:.3f} on average"
    estimates = count(found.estimates, "estimate")
    if found.debiased == 0:
        return f"{error}, no more than chance with {estimates}."
    return f"{error}, by {found.debiased:.3f} without what chance adds with {estimates}."


def _risk(report: SelectorReport) -> list[str]:
    risk = report.risk
    if risk is None or len(risk.curve) < 2:
        return []
    surest = next(wrong for covered, wrong in risk.curve if covered >= 0.5)
    return [
        f"Among the half of questions that it was surest of, {percent(surest)} of the quality was missed; among all, "
        f"{percent(risk.curve[-1][1])}."
    ]


def _false_rag(report: SelectorReport) -> list[str]:
    found = report.false_rag
    if found is None or found.mean is None:
        return []
    others = report.sent_to_rag.mean if report.sent_to_rag else None
    beside = "" if others is None else f" (of all others {percent(others)})"
    return [
        f"Of {count(found.questions, 'question')} whose document was removed, {percent(found.mean)} were still sent "
        f"to the documents{beside}."
    ]


def _flips(report: SelectorReport) -> list[str]:
    found = [f"{percent(flip.share.mean)} ({flip.kind})" for flip in report.flips if flip.share.mean is not None]
    return [f"Asked otherwise, the choice changes for {listed(found)} of questions."] if found else []


def _latency(report: SelectorReport) -> list[str]:
    if report.latency is None:
        return []
    return [
        f"A decision takes {report.latency.p50:.1f} ms (median), {report.latency.p95:.1f} ms for the slowest twentieth."
    ]


def _cautions(report: SelectorReport) -> list[str]:
    said = []
    if not report.held_out:
        said.append("All questions are of one group, so the best fixed choice was made on the very questions.")
    if report.choices < report.questions:
        missing = count(report.questions - report.choices, "question")
        said.append(f"Left out: {missing} without a choice, or whose result is unknown.")
    if report.unpriced:
        names = listed([name(way) for way in report.unpriced])
        said.append(f"Price unknown, so weighed as the dearest of the same strategy: {names}.")
    return said
