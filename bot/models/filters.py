"""What narrows a list of models: `task:text open:yes max_price:1 context:128k languages:nl`, and plain words.

A model of which the asked fact is not known is no match, and is counted, so that nobody takes silence for a no.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from bot.errors import UnusableFilter
from bot.models.languages import LANGUAGES, language_code
from bot.models.listing import Shown

HELP = (
    "`task:text|vision|code|image|transcription|speech|embedding`, `open:yes` (weights) or `open:3` (at least three of "
    "the five disclosures), `max_price:1` (US dollars for a million tokens, whichever of input and output is dearer), "
    "`context:128k`, `languages:nl`, `reads:image`, `provider:mistral`, `deployment:hosted|serverless|own`, "
    "`architecture:moe`, `licence:apache`, `tunable:yes`, `usable:yes`, and words of the name"
)

Test = Callable[[Shown], bool | None]
"""Whether a model fits; None where nobody knows."""

_TASKS = ("text", "vision", "code", "image", "transcription", "speech", "embedding")
_READS = ("text", "image", "audio", "video", "pdf")
_DEPLOYMENTS = {"hosted": "hosted service", "serverless": "serverless endpoint", "own": "own server"}
_ARCHITECTURES = {
    "decoder-only": "decoder-only",
    "encoder-decoder": "encoder-decoder",
    "encoder-only": "encoder-only",
    "moe": "mixture of experts",
}
_YES = {"yes": True, "true": True, "no": False, "false": False}
_SIZE = re.compile(r"(\d+(?:[.,]\d+)?)\s*([km]?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Filter:
    """One thing that was asked for, as it was written, with the fact that it asks of."""

    written: str
    fact: str
    fits: Test


@dataclass(frozen=True, slots=True)
class Found:
    """Those that fit, and how many of the others might: fact → models of which it is not known."""

    fitting: tuple[Shown, ...]
    unknown: dict[str, int]


@dataclass(frozen=True, slots=True)
class Filters:
    """All that was asked for; a model has to fit each."""

    filters: tuple[Filter, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.filters)

    def __str__(self) -> str:
        return " ".join(one.written for one in self.filters)

    def sort_out(self, entries: Iterable[Shown]) -> Found:
        """Keeps the order."""
        fitting: list[Shown] = []
        unknown: dict[str, int] = {}
        for entry in entries:
            answers = [(one.fact, one.fits(entry)) for one in self.filters]
            if all(answer for _, answer in answers):
                fitting.append(entry)
            elif all(answer is not False for _, answer in answers):
                for fact in {fact for fact, answer in answers if answer is None}:
                    unknown[fact] = unknown.get(fact, 0) + 1
        return Found(tuple(fitting), unknown)


def parse_filters(text: str, providers: Collection[str]) -> Filters:
    """The words as filters. Raises UnusableFilter with the nearest key or value and all there are."""
    return Filters(tuple(_filter(word, providers) for word in text.split()))


def _filter(word: str, providers: Collection[str]) -> Filter:
    key, colon, value = word.partition(":")
    if not colon:
        return Filter(word, "name", _named(word.casefold()))
    key = _ALIASES.get(key.casefold(), key.casefold())
    if key not in _MAKERS:
        raise UnusableFilter(f"I cannot filter models by “{key}”.{_near(key, _MAKERS)} {_there(_MAKERS)}")
    if not value:
        raise UnusableFilter(f"Write what “{key}” should be, right after the colon: {HELP}.")
    fact, make = _MAKERS[key]
    return Filter(word, fact, make(value.casefold(), providers))


def _named(word: str) -> Test:
    def fits(entry: Shown) -> bool:
        card = entry.card
        return any(word in name.casefold() for name in (card.name, card.model_id, card.title, card.provider))

    return fits


def _choices(key: str, value: str, there: Iterable[str]) -> list[str]:
    known = list(there)
    wanted = [part for part in value.split(",") if part]
    for part in wanted or [value]:
        if part not in known:
            raise UnusableFilter(f"“{key}:{part}” means nothing here.{_near(part, known)} {_there(known)}")
    return wanted


def _task(value: str, _: Collection[str]) -> Test:
    wanted = _choices("task", value.replace("chat", "text"), _TASKS)

    def is_one(entry: Shown, task: str) -> bool | None:
        card = entry.card
        if task == "text":
            return card.task in ("chat", "text")
        if task == "vision":
            return card.sees or (None if card.task == "chat" and not card.modality else False)
        if task == "code":
            return card.task == "code" or card.focus == "code"
        return card.task == task

    def fits(entry: Shown) -> bool | None:
        answers = [is_one(entry, task) for task in wanted]
        return True if True in answers else None if None in answers else False

    return fits


def _open(value: str, _: Collection[str]) -> Test:
    if value in _YES:
        wanted = _YES[value]

        def says(entry: Shown) -> bool | None:
            weights = entry.card.openness.weights
            return None if weights is None else weights is wanted

        return says
    if value not in tuple("12345"):
        raise UnusableFilter(
            f"“open:{value}” means nothing here. Write `open:yes` or `open:no` for open weights, or a number from 1 to "
            "5 for at least so many of the five disclosures."
        )
    least = int(value)

    def fits(entry: Shown) -> bool | None:
        known = entry.card.openness
        if known.disclosed >= least:
            return True
        return None if known.disclosed + known.unknown >= least else False

    return fits


def _max_price(value: str, _: Collection[str]) -> Test:
    try:
        most = Decimal(value.removeprefix("$"))
    except InvalidOperation:
        most = Decimal("NaN")
    if not most.is_finite() or most < 0:
        raise UnusableFilter(f"“{value}” is no price. Write US dollars for a million tokens: `max_price:1`.")

    def fits(entry: Shown) -> bool | None:
        if entry.card.free:
            return True
        return None if entry.rates is None else max(entry.rates.input, entry.rates.output) <= most

    return fits


def _context(value: str, _: Collection[str]) -> Test:
    match = _SIZE.fullmatch(value)
    if match is None:
        raise UnusableFilter(f"“{value}” is no size. Write tokens, for example `context:128k` or `context:1m`.")
    least = Decimal(match[1].replace(",", ".")) * {"": 1, "k": 1_000, "m": 1_000_000}[match[2]]
    return lambda entry: entry.card.context_window >= least if entry.card.context_window else None


def _languages(value: str, _: Collection[str]) -> Test:
    wanted = set()
    for part in value.split(","):
        code = language_code(part)
        if code is None:
            near = _near(part, [name.casefold() for name in LANGUAGES.values()])
            raise UnusableFilter(f"I know no language “{part}”.{near} Write `languages:nl` or `languages:dutch`.")
        wanted.add(code)
    return lambda entry: wanted <= set(entry.card.languages) if entry.card.languages else None


def _reads(value: str, _: Collection[str]) -> Test:
    wanted = set(_choices("reads", value, _READS))
    return lambda entry: wanted <= set(entry.card.modality) if entry.card.modality else None


def _provider(value: str, providers: Collection[str]) -> Test:
    wanted = _choices("provider", value, [name.casefold() for name in providers])
    return lambda entry: entry.card.provider.casefold() in wanted


def _deployment(value: str, _: Collection[str]) -> Test:
    wanted = {_DEPLOYMENTS[part] for part in _choices("deployment", value, _DEPLOYMENTS)}
    return lambda entry: None if entry.deployment is None else entry.deployment in wanted


def _architecture(value: str, _: Collection[str]) -> Test:
    wanted = {_ARCHITECTURES[part] for part in _choices("architecture", value, _ARCHITECTURES)}
    return lambda entry: None if entry.card.architecture is None else entry.card.architecture in wanted


def _licence(value: str, _: Collection[str]) -> Test:
    return lambda entry: value in entry.card.licence.casefold() if entry.card.licence else None


def _tunable(value: str, _: Collection[str]) -> Test:
    wanted = _YES[_choices("tunable", value, _YES)[0]]
    return lambda entry: None if entry.card.fine_tunable is None else entry.card.fine_tunable is wanted


def _usable(value: str, _: Collection[str]) -> Test:
    wanted = _YES[_choices("usable", value, _YES)[0]]
    return lambda entry: entry.usable is wanted


_MAKERS: dict[str, tuple[str, Callable[[str, Collection[str]], Test]]] = {
    "task": ("modalities", _task),
    "open": ("openness", _open),
    "max_price": ("price", _max_price),
    "context": ("context window", _context),
    "languages": ("languages", _languages),
    "reads": ("modalities", _reads),
    "provider": ("provider", _provider),
    "deployment": ("deployment", _deployment),
    "architecture": ("architecture", _architecture),
    "licence": ("licence", _licence),
    "tunable": ("fine-tuning", _tunable),
    "usable": ("usability", _usable),
}
_ALIASES = {"language": "languages", "lang": "languages", "license": "licence", "modality": "reads"}


def _near(word: str, there: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(there), n=1)
    return f" Did you mean “{near[0]}”?" if near else ""


def _there(there: Sequence[str] | Iterable[str]) -> str:
    return f"There are: {', '.join(there)}."
