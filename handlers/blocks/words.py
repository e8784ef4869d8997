"""How strategies, money, time and tokens are worded for people."""

from __future__ import annotations

from datetime import datetime

from bot.domain import StrategyName
from bot.selection.figures import money as money
from bot.selection.figures import seconds as seconds
from bot.selection.figures import tokens as tokens

STRATEGIES = {
    StrategyName.ZERO_SHOT: "plain prompting",
    StrategyName.FEW_SHOT: "few-shot examples",
    StrategyName.RAG: "knowledge search (RAG)",
    StrategyName.FINE_TUNED: "fine-tuned model",
}
_SPANS = ((365, "year"), (30, "month"), (7, "week"), (1, "day"))


def age(moment: datetime, now: datetime) -> str:
    """How long ago, in whole days and larger: "today", "yesterday", "3 days ago", "2 months ago"."""
    days = (now - moment).days
    if days < 1:
        return "today"
    if days == 1:
        return "yesterday"
    length, unit = next((length, unit) for length, unit in _SPANS if days >= length)
    count = days // length
    return f"{count} {unit}{'s' if count > 1 else ''} ago"


def since(moment: datetime, now: datetime) -> str:
    """How long ago, in minutes and hours on the same day: "just now", "5 min ago", "3 h ago", "yesterday"."""
    minutes = int((now - moment).total_seconds()) // 60
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 1440 else age(moment, now)


def until(moment: datetime, now: datetime) -> str:
    """How soon: "within a minute", "in 27 min", "in 5 h", "in 3 days"."""
    minutes = -(-int((moment - now).total_seconds()) // 60)
    if minutes <= 1:
        return "within a minute"
    if minutes < 120:
        return f"in {minutes} min"
    return f"in {minutes // 60} h" if minutes < 2880 else f"in {minutes // 1440} days"


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 document", "1,204 documents"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
