"""The figures of a receipt as people read them: estimates with their ranges, evidence, weights and versions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from decimal import Context, Decimal

from bot.costs.money import dollars
from bot.domain import Choice, Option, Usage, Versions
from bot.selection.features import WORDS
from bot.selection.value import Value

FEATURES_SHOWN = 6
_ROUNDED = Context(prec=2)
_POLICIES: Mapping[str, str] = {
    "estimates": "by its estimates",
    "learned": "by what was learned from feedback",
    "best fixed": "as the best fixed choice",
    "draft": "by how sure a draft was of itself",
    "trial": "in a trial of this channel",
    "person": "because a person fixed it",
    "fallback": "in place of another model",
}


def quality(option: Option) -> str:
    """Estimated quality (0 to 1) with its range: "0.71 (0.62–0.79)"."""
    shown = f"{option.quality:.2f}"
    if option.quality_range is None:
        return shown
    low, high = option.quality_range
    return f"{shown} ({low:.2f}–{high:.2f})"


def cost(option: Option) -> str:
    """Estimated price with its range: "$0.0004 ($0.0003–$0.0006)"; one that is not known says so."""
    if option.cost is None:
        return "price unknown"
    if option.cost_range is None or option.cost_range[1] == 0:
        return money(_ROUNDED.plus(option.cost))
    low, high = (dollars(_ROUNDED.plus(end)) for end in option.cost_range)
    return f"{money(_ROUNDED.plus(option.cost))} ({low}–{high})"


def latency(option: Option) -> str:
    """Estimated seconds with their range: "2.1 s (1.4–3.0 s)"."""
    if option.latency_range is None:
        return seconds(option.latency)
    low, high = option.latency_range
    return f"{seconds(option.latency)} ({low:.1f}–{high:.1f} s)"


def estimates(option: Option) -> str:
    """All three in one line."""
    return f"quality {quality(option)} · {cost(option)} · {latency(option)}"


def nobody(choice: Choice) -> str:
    """That no model was asked, where nothing could be taken; else ""."""
    return "" if choice.option.available else "no model was asked"


def policy(choice: Choice) -> str:
    """What decided, as the end of "It was chosen …"; a policy that has no words yet is named."""
    return _POLICIES.get(choice.policy, f"by “{choice.policy}”")


def chance(choice: Choice) -> str:
    """How likely this option was to be taken, where chance had a part in it; else ""."""
    if choice.propensity >= 1:
        return ""
    return f"It had a chance of {choice.propensity:.0%} to be taken, so that the others are tried now and then too."


def worth(value: str, point: Decimal | None) -> str:
    """How quality was weighed: "balanced: a point of quality (0.01) is worth $0.002 and 2 s here"; "" where unknown."""
    if point is None:
        return ""
    time = ""
    with suppress(ValueError):
        time = f" and {Value(value).point_seconds:g} s"
    return f"{value}: a point of quality (0.01) is worth {dollars(point)}{time} here"


def evidence(features: Mapping[str, float], most: int = FEATURES_SHOWN) -> list[tuple[str, str]]:
    """The few numbers that say most, each with a name for people. What is not known is left out, not 0."""
    known = {name: value for name, value in features.items() if math.isfinite(value)}
    told = [(words, known[name]) for name, words in WORDS.items() if name in known]
    if not told:
        told = [(name.replace("_", " "), value) for name, value in known.items()]
    return [(words, f"{value:.2f}") for words, value in told[:most]]


def versions(made_with: Versions | None) -> str:
    """What the choice was made with, in one line; "" where nobody wrote it down."""
    if made_with is None:
        return ""
    return f"estimates {made_with.estimates} · prices {made_with.prices} · index {made_with.index}"


def obstacles(choice: Choice) -> list[tuple[str, list[Option]]]:
    """The reasons why options could not be taken, each once with the options that it kept out.

    What a rule kept out comes first: it could have been taken but for that. A reason that begins with the model's name
    is one reason for all models.
    """
    found: dict[str, list[Option]] = {}
    for option in sorted(choice.options, key=lambda option: option.reason not in choice.guards):
        if not option.available:
            why = option.reason or "It could not be used."
            own = f"“{option.model}” "
            found.setdefault(f"The model {why.removeprefix(own)}" if why.startswith(own) else why, []).append(option)
    return list(found.items())


def guards(choice: Choice) -> list[str]:
    """The rules that kept options out, without those that the options themselves name."""
    told = {option.reason for option in choice.options if not option.available}
    return [guard for guard in choice.guards if guard not in told]


def money(amount: Decimal | None) -> str:
    """US dollars; an unknown price says so, and only what costs nothing is free."""
    if amount is None:
        return "price unknown"
    return dollars(amount) if amount else "free"


def seconds(value: float) -> str:
    """A duration: "0.4 s", "12 s", "2 min 5 s"."""
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def tokens(usage: Usage | None) -> str:
    """The tokens of a call in one line."""
    if usage is None:
        return "not known"
    if not usage.prompt_tokens and not usage.completion_tokens:
        return "none"
    counted = " (counted here)" if usage.estimated else ""
    return f"{usage.prompt_tokens:,} read, {usage.completion_tokens:,} written{counted}"
