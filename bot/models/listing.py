"""Models as they are shown: a card, what it costs, how it is run, what it lacks; in the words of both doors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from bot.domain import Rates
from bot.models.cards import ModelCard, Openness
from bot.models.catalogue import OWN, Deployment
from bot.models.languages import LANGUAGES
from bot.models.registry import Models, Need

UNKNOWN = "unknown"

Facts = list[tuple[str, str]]
"""What is known, by its name; what is not known says so."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A card with its prices (None where unknown), and whether it can be called now; `need` says why not."""

    card: ModelCard
    rates: Rates | None
    usable: bool
    need: Need | None = None
    deployment: Deployment | None = None


def shown(models: Models, card: ModelCard, rates: Rates | None) -> Shown:
    """The card as `models` has it now."""
    need = models.needs(card)
    return Shown(card, rates, need is None, need, models.catalogue.deployment(card))


def in_order(entries: Iterable[Shown]) -> list[Shown]:
    """Those that can be used first, then those that lack a key, then those that lack a server or are gone.

    An open model that stands there alone is left out where a usable card is like it: it is the same model.
    """
    ranks = {None: 0, "key": 1, "server": 2, "gone": 3}
    listed = list(entries)
    served = {entry.card.like for entry in listed if entry.usable and entry.card.like}
    kept = [entry for entry in listed if entry.card.provider != OWN or entry.card.name not in served]
    return sorted(kept, key=lambda entry: ranks[entry.need.kind if entry.need else None])


def price(entry: Shown) -> str:
    """US dollars for a million tokens in and out: "$0.10 / $0.50", "free", "unknown"."""
    if entry.card.free:
        return "free"
    if entry.rates is None:
        return UNKNOWN
    given = f"${plain(entry.rates.input)}"
    return given if entry.card.task == "embedding" else f"{given} / ${plain(entry.rates.output)}"


def price_in_words(entry: Shown) -> str:
    """The same in words: "$0.10 in, $0.50 out per 1M tokens"."""
    if entry.card.free or entry.rates is None:
        return "free" if entry.card.free else "price unknown"
    if entry.card.task == "embedding":
        return f"{price(entry)} per 1M tokens"
    return f"${plain(entry.rates.input)} in, ${plain(entry.rates.output)} out per 1M tokens"


def window(tokens: int) -> str:
    """A context window in round words: "1.05M", "128k", "unknown"."""
    if not tokens:
        return UNKNOWN
    if tokens >= 1_000_000:
        return f"{tokens / 1_000_000:.3g}M"
    return f"{tokens // 1000}k" if tokens >= 1000 else str(tokens)


def reads(card: ModelCard) -> str:
    """What it takes in: "text, image"."""
    return ", ".join(card.modality) or UNKNOWN


def openness(card: ModelCard) -> str:
    """How many of the five disclosures are made: "5/5", "1/5?" where not all is known, "unknown" where nothing is."""
    known = card.openness
    if known.unknown == 5:
        return UNKNOWN
    return f"{known.disclosed}/5{'?' if known.unknown else ''}"


def runs(entry: Shown, provider: str) -> str:
    """Where it runs and until when, or what it lacks: "OpenAI", "OpenAI until 2027-01-14", "needs a server"."""
    if entry.need is None:
        return f"{provider} until {entry.card.shutdown}" if entry.card.shutdown else provider
    return entry.need.words if entry.need.kind == "gone" else f"needs {entry.need.words}"


def languages(card: ModelCard) -> str:
    """The languages by their English names, as they are stated."""
    return ", ".join(LANGUAGES[code] for code in card.languages) or UNKNOWN


def use_of(entry: Shown, price_list: str) -> Facts:
    """What somebody asks who wants to use it. `price_list`: where prices come from that the card does not state."""
    card = entry.card
    where = "no server yet" if card.provider == OWN else f"{card.provider}, {entry.deployment or UNKNOWN}"
    source = "your own rates" if card.rates else price_list if entry.rates and not card.free else ""
    facts = [
        ("Task", f"{card.task}{f', made for {card.focus}' if card.focus else ''}"),
        ("Reads", f"{reads(card)} → {', '.join(card.output_modality) or UNKNOWN}"),
        ("Price", price_in_words(entry) + (f" ({source})" if source else "")),
        ("Context window", _tokens(card.context_window)),
        ("Longest answer", _tokens(card.max_output) if "max_output" in card.model_fields_set else UNKNOWN),
        ("Languages", languages(card)),
        ("Runs at", where),
        ("Asked for as", card.model_id),
    ]
    if card.fine_tune:
        facts.append(("Tuned for", card.fine_tune.kind))
    if card.shutdown:
        instead = f"; {card.successor} is recommended instead" if card.successor else ""
        facts.append(("Shut down on", f"{card.shutdown}{instead}"))
    return facts


def making_of(card: ModelCard) -> Facts:
    """What the model is, how open, and how good it was found here."""
    own = ", ".join(f"{name} {score:.2f}" for name, score in card.scores.items())
    return [
        ("Architecture", ", ".join(part for part in (card.architecture or UNKNOWN, card.parameters) if part)),
        ("Licence", card.licence or UNKNOWN),
        ("Can be fine-tuned", {True: "yes", False: "no", None: UNKNOWN}[card.fine_tunable]),
        (f"Open ({openness(card)})", _disclosures(card.openness)),
        ("Released", card.released.isoformat() if card.released else UNKNOWN),
        ("Our own scores", own or "none yet"),
    ]


def _disclosures(disclosed: Openness) -> str:
    said = [f"{what} {'✓' if answer else '✗'}" for what, answer in disclosed.answers.items() if answer is not None]
    unknown = [what for what, answer in disclosed.answers.items() if answer is None]
    return " · ".join([*said, *([f"unknown: {', '.join(unknown)}"] if unknown else ())])


def _tokens(number: int) -> str:
    return f"{number:,} tokens" if number else UNKNOWN


def plain(amount: Decimal) -> str:
    """A price without trailing zeros, but with cents: "0.10", "2", "0.075"."""
    text = f"{amount.normalize():f}"
    return f"{text}0" if "." in text and len(text.partition(".")[2]) == 1 else text
