"""What is told of shadow runs: a sentence for a week's report, and lines for who looks closer."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

from bot.config import Settings
from bot.core import Core
from bot.costs.money import dollars
from bot.costs.periods import Period, Week
from bot.evaluation.regret import regret, sentence, told_gain
from bot.evaluation.shadow_scores import JUDGE, REFERENCE, SUPPORT
from bot.evaluation.shadows import ANSWERED, ASKING, FAILED, JUDGING, LOST, SCORED, UNJUDGED, Shadows

LOOKED_AT = timedelta(days=90)
_STATES = {
    SCORED: "compared",
    ANSWERED: "to be compared tonight",
    ASKING: "under way",
    JUDGING: "being judged",
    UNJUDGED: "could not be compared",
    FAILED: "failed",
    LOST: "lost when the process ended",
}
_MEASURES = {
    JUDGE: "by a model",
    REFERENCE: "by an answer that people hold for right",
    SUPPORT: "by what stands in their documents",
}


async def week_of_shadows(core: Core, week: Week) -> str:
    """The sentence for a week; "" where nothing was drawn."""
    return sentence(regret(await Shadows(core.engine).drawn(week.since, week.until)))


async def shadow_lines(core: Core) -> list[str]:
    """How shadow runs are set, what this week's cost, and what the last 90 days' tell."""
    now, store = core.clock(), Shadows(core.engine)
    lines = [await _setting(core.settings, store, now)]
    drawn = await store.drawn(now - LOOKED_AT, now + timedelta(seconds=1))
    if not drawn:
        return lines
    found = regret(drawn)
    states = Counter(shadow.state for shadow in drawn)
    told = ", ".join(f"{states[state]:,} {name}" for state, name in _STATES.items() if states[state])
    lines.append(f"In 90 days {found.asked:,} asked, {dollars(found.cost)}{': ' if told else ''}{told}.")
    lines += [f"  not asked, {reason}: {number:,}" for reason, number in found.skipped.most_common()]
    problems = Counter(shadow.detail for shadow in drawn if shadow.state in (FAILED, UNJUDGED))
    lines += [f"  {detail}: {number:,}" for detail, number in problems.most_common(5)]
    if found.judged:
        by = ", ".join(f"{number:,} {_MEASURES.get(name, name)}" for name, number in found.measures.most_common())
        lines.append(f"Compared {by}: the choice taken was as good or better in {found.as_good} of {found.judged}.")
        lines.append(f"Estimated regret {told_gain(found.gain)} of quality; above 0 the other would have been better.")
        lines += [f"  {way}: {told_gain(gain)} on {gain.questions} questions" for way, gain in found.ways.items()]
    return lines


async def _setting(settings: Settings, store: Shadows, now: datetime) -> str:
    selection = settings.selection
    if not selection.shadow_share:
        return "Shadow runs are off (selection.shadow_share = 0)."
    week = Period.of("week", now, settings.report.zone)
    spent: Decimal = await store.spent(week.since, week.until)
    judge = f"“{selection.judge}” judges them" if selection.judge else "no model judges them (selection.judge)"
    return (
        f"Shadow runs: {100 * selection.shadow_share:g}% of the questions are also answered another way, never shown; "
        f"{dollars(spent)} of this week's {dollars(selection.shadow_budget)} is spent or held; {judge}."
    )
