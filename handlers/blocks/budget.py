"""How budgets stand, for the answer of `/cost budget`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from bot.costs.budget import Budget, Standing, day
from bot.costs.budget_orders import kind, lasts, used
from handlers.blocks.parts import context, section
from handlers.markdown import escape, shorten
from handlers.shapes import JSON

SHOWN = 15
"""Budgets in one message: each takes two of Slack's fifty blocks."""
_STEPS = 10
_REASON = 300


def budget_blocks(standings: Sequence[Standing], now: datetime, zone: tzinfo) -> list[JSON]:
    """One section a budget, the fullest first, each with who set it and why."""
    blocks: list[JSON] = []
    fullest = sorted(standings, key=lambda standing: -standing.share)
    for standing in fullest[:SHOWN]:
        title = f"*{whose(standing.budget)}* · {kind(standing.budget)}"
        blocks.append(section(f"{title}\n{_bar(standing)} {used(standing)}\n{lasts(standing, now, zone)}"))
        blocks.append(context(set_by(standing.budget, zone)))
    if more := len(fullest) - SHOWN:
        blocks += [context(f"and {more} more, which are less used")] if more > 0 else []
    return blocks


def whose(budget: Budget) -> str:
    """Whom it is for, as mrkdwn: a channel and a person as links, which call nobody in what one person alone reads."""
    match budget.scope:
        case "workspace":
            return "The whole workspace"
        case "channel":
            return f"<#{escape(budget.key)}>"
        case "person":
            return f"<@{escape(budget.key)}>"
        case _:
            return f"Purpose “{escape(budget.key)}”"


def set_by(budget: Budget, zone: tzinfo) -> str:
    """Who set it, when and why."""
    who = f"<@{escape(budget.set_by)}>" if budget.set_by[:1] in ("U", "W") else escape(budget.set_by)
    why = f": {escape(shorten(' '.join(budget.reason.split()), _REASON))}" if budget.reason else ", without a reason"
    return f"Set by {who} on {day(budget.set_at, zone)}{why}"


def _bar(standing: Standing) -> str:
    full = min(int(standing.share * _STEPS), _STEPS)
    return "▰" * full + "▱" * (_STEPS - full)
