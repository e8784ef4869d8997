"""The report of a week or a month with all that is said in it: the same for the schedule, the command line and the
start."""

from __future__ import annotations

from bot.core import Core
from bot.costs.periods import Span, Week
from bot.costs.report import Sought, WeeklyReport, weekly_report
from bot.costs.split import RatesOf
from bot.domain import Rates
from bot.errors import SwitchboardError
from bot.evaluation.savings import proposals, saved_by_choosing
from bot.evaluation.shadow_report import week_of_shadows
from bot.evaluation.trial_report import trials_of
from bot.learning.feedback import by_reason


async def report_of(
    core: Core, span: Span, channel: str = "", *, scopes: frozenset[str] | None = frozenset()
) -> WeeklyReport:
    """Reads a week or a month, of one channel where it is named. `scopes`: what all may read who will read the report,
    None for whoever has the machine: without words that not all of them may read."""
    sought = Sought(channel=channel, now=core.clock(), persons=core.settings.report.persons, rates=_rates(core))
    counts = core.feedback.counts
    if channel:
        return await weekly_report(core.ledger, counts, span, sought=sought)
    said = [
        (await core.learning.standing()).sentence,
        await week_of_shadows(core, span) if isinstance(span, Week) else "",
        await saved_by_choosing(core, span),
        by_reason(await core.feedback.reasons(span.since, span.until)),
        *(f"Trial in <#{place}>: {told}" for place, told in await trials_of(core, span)),
    ]
    unanswered = await core.coverage.topics(span.until, scopes) if isinstance(span, Week) else []
    savings = await proposals(core, span)
    return await weekly_report(
        core.ledger, counts, span, said=said, proposals=savings, unanswered=unanswered, sought=sought
    )


def _rates(core: Core) -> RatesOf:
    known: dict[tuple[str, str], Rates | None] = {}

    def rates(provider: str, model: str) -> Rates | None:
        if (provider, model) not in known:
            try:
                card = core.models.card(model)
            except SwitchboardError:  # its card is gone
                known[provider, model] = None
            else:
                own = card.rates.rates() if card.rates else None
                known[provider, model] = core.prices.rates(card.provider, card.model_id, rates=own, free=card.free)
        return known[provider, model]

    return rates
