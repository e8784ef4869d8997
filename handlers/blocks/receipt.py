"""The receipt as a modal: what was considered, what was chosen and why, and what it cost."""

from __future__ import annotations

from datetime import datetime

from bot.domain import Option, Pin, Price, Receipt
from handlers.blocks import words
from handlers.blocks.answer import sources
from handlers.blocks.parts import context, modal, mrkdwn, section
from handlers.markdown import escape
from handlers.shapes import JSON

OPTIONS_SHOWN = 8
_OUTCOMES = {
    "answered": "answered",
    "nothing_found": "nothing was found to answer from",
    "stopped": "stopped by a person",
}


def receipt_modal(receipt: Receipt, now: datetime) -> JSON:
    """The modal behind "Why this answer?"."""
    choice = receipt.choice
    taken = f"*{escape(choice.option.model)}* with {words.STRATEGIES[choice.option.strategy]}"
    reasons = "\n".join(f"• {escape(reason)}" for reason in choice.reasons)
    blocks = [section(f"{taken}\n{reasons}"), _real(receipt)]
    if choice.pins:
        pins = "; ".join(_pin(pin) for pin in choice.pins)
        blocks.append(section(f"*Fixed by a person:* {pins}"))
    options = sorted(choice.options, key=lambda option: (not option.available, -option.utility))
    if options:
        blocks += [{"type": "divider"}, section("*What was considered*, best first")]
        blocks += [context(_option(option, option == choice.option)) for option in options[:OPTIONS_SHOWN]]
        if len(options) > OPTIONS_SHOWN:
            blocks.append(context(f"and {len(options) - OPTIONS_SHOWN} more"))
    if receipt.citations:
        blocks += [{"type": "divider"}, section("*Sources*"), *sources(receipt.citations, now)]
    blocks.append(context(f"Reference {receipt.question_id}"))
    return modal("Why this answer", blocks)


def _real(receipt: Receipt) -> JSON:
    outcome = _OUTCOMES.get(receipt.outcome, f"failed: {receipt.outcome.replace('_', ' ')}")
    fields = {
        "Outcome": escape(outcome),
        "Cost": _cost(receipt.price),
        "Time": words.seconds(receipt.seconds),
        "Tokens": words.tokens(receipt.usage),
    }
    return {"type": "section", "fields": [mrkdwn(f"*{name}*\n{value}", 2000) for name, value in fields.items()]}


def _cost(price: Price) -> str:
    """The sum, and the price list that it was reckoned with where there was something to reckon."""
    by = f" (prices: {escape(price.version)})" if price.amount and price.version else ""
    return f"{words.money(price.amount)}{by}"


def _pin(pin: Pin) -> str:
    strategy = words.STRATEGIES[pin.strategy] if pin.strategy else None
    what = " and ".join(escape(part) for part in (pin.model, strategy) if part)
    return f"{what} for this {pin.scope}"


def _option(option: Option, taken: bool) -> str:
    name = f"{'→ ' if taken else ''}*{escape(option.model)}* · {words.STRATEGIES[option.strategy]}"
    if not option.available:
        return f"{name} · not possible: {escape(option.reason)}"
    estimate = f"quality {option.quality:.2f} · {words.money(option.cost)} · {words.seconds(option.latency)}"
    return f"{name} · {estimate}{f' · {escape(option.reason)}' if option.reason else ''}"
