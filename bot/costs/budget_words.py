"""What a person types to set or drop a budget, in whatever order, and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args

from bot.costs.budget import Budget, BudgetPeriod, BudgetScope
from bot.errors import UnusableBudget

Purpose = Literal[
    "answer",
    "draft",
    "rewrite",
    "embedding",
    "evaluate",
    "judge",
    "shadow",
    "transcribe",
    "image",
    "compare",
    "fine_tune",
]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
MOST = Decimal(1_000_000)
"""US dollars; the ledger's sums hold nine times as much."""
EXAMPLE = "`set workspace $200 a month hard because …`"
WHOM = "`workspace`, `#channel` (or `here`), `@person` (or `me`), or `purpose NAME`"

_PERIODS: dict[str, BudgetPeriod] = {
    **dict.fromkeys(("day", "daily", "days"), "day"),
    **dict.fromkeys(("week", "weekly", "weeks"), "week"),
    **dict.fromkeys(("month", "monthly", "months"), "month"),
}
_WORKSPACE = frozenset({"workspace", "team", "everyone", "everybody", "all", "whole"})
_FILLERS = frozenset(
    {"a", "an", "the", "per", "each", "every", "for", "of", "to", "budget", "dollars", "dollar", "usd"}
)
_REASON = re.compile(r"(?:^|\s)(?:because|since|reason:)\s+(?P<why>.*)$", re.IGNORECASE | re.DOTALL)
_AMOUNT = re.compile(r"(?:US)?\$?(?P<number>-?[\d.,]*\d)(?P<thousand>k?)(?:\$|USD)?", re.IGNORECASE)
_CHANNEL = re.compile(r"<#(?P<id>[CGD][A-Z0-9]+)(?:\|[^>]*)?>|(?P<bare>[CGD][A-Z0-9]{4,})")
_PERSON = re.compile(r"<@(?P<id>[UW][A-Z0-9]+)(?:\|[^>]*)?>|(?P<bare>[UW][A-Z0-9]{4,})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was typed. What was not said is None, and `reason` "" then."""

    scope: BudgetScope
    key: str
    period: BudgetPeriod | None = None
    amount: Decimal | None = None
    hard: bool | None = None
    reason: str = ""

    def meant(self, budgets: tuple[Budget, ...]) -> tuple[Budget, ...]:
        """The budgets among these that it names."""
        same = [budget for budget in budgets if (budget.scope, budget.key) == (self.scope, self.key)]
        return tuple(budget for budget in same if self.period in (None, budget.period))


def wish(words: str, *, me: str = "", here: str = "") -> Wish:
    """The words after `set` or `drop`. `me` and `here`: the ids that these two words stand for, "" for none.

    Raises UnusableBudget with a sentence that says which word means nothing, or what is missing.
    """
    why = _REASON.search(words)
    rest = words[: why.start()] if why else words
    found: dict[str, Any] = {}
    tokens = re.sub(r"[/,]\s*(?=[a-z])", " ", rest, flags=re.IGNORECASE).split()
    while tokens:
        token = tokens.pop(0)
        for name, value in _read(token, tokens, me, here):
            if found.setdefault(name, value) != value:
                raise UnusableBudget(f"“{rest.strip()}” says two things for its {_NAMES[name]}. Write it once.")
    if "whom" not in found:
        raise UnusableBudget(f"Whose budget do you mean? Write {WHOM}, for example {EXAMPLE}.")
    scope, key = found.pop("whom")
    return Wish(scope=scope, key=key, reason=why["why"].strip() if why else "", **found)


_NAMES = {"whom": "owner", "period": "period", "amount": "amount", "hard": "kind, hard or soft"}


def _read(token: str, rest: list[str], me: str, here: str) -> list[tuple[str, Any]]:
    """What one word says; takes further words from `rest` where they belong to it."""
    token = token.rstrip(",;:") or token
    word = token.casefold().strip(".")
    if word in _FILLERS:
        return []
    if word in _PERIODS:
        return [("period", _PERIODS[word])]
    if word in ("hard", "soft"):
        return [("hard", word == "hard")]
    if whom := _whom(token, word, rest, me, here):
        return [("whom", whom)]
    if amount := _AMOUNT.fullmatch(token):
        return [("amount", _dollars(amount, token))]
    raise UnusableBudget(
        f"I do not know “{token}” here. Name {WHOM}; an amount like $200; a day, a week or a month; hard or soft; and "
        f"at the end `because …`. For example {EXAMPLE}."
    )


def _whom(token: str, word: str, rest: list[str], me: str, here: str) -> tuple[BudgetScope, str] | None:
    if word in _WORKSPACE:
        return "workspace", ""
    if word in ("me", "my", "mine") and me:
        return "person", me
    if word == "here" and here:
        return "channel", here
    if word in ("this", "channel") and (here or rest):
        return _channel(word, rest, here)
    if word == "purpose":
        return "purpose", _purpose(rest)
    if word in PURPOSES:
        return "purpose", word
    if found := _CHANNEL.fullmatch(token):
        return "channel", found["id"] or found["bare"]
    if found := _PERSON.fullmatch(token):
        return "person", found["id"] or found["bare"]
    if token[0] in "#@":
        kind = "channel" if token[0] == "#" else "person"
        raise UnusableBudget(
            f"Slack did not tell me which {kind} “{token}” is. Pick it from the list that Slack shows while you type, "
            f"or write its id ({'C…' if kind == 'channel' else 'U…'})."
        )
    return None


def _channel(word: str, rest: list[str], here: str) -> tuple[BudgetScope, str]:
    """ "this channel", or "channel C0HELP"."""
    if rest and (found := _CHANNEL.fullmatch(rest[0])):
        rest.pop(0)
        return "channel", found["id"] or found["bare"]
    if word == "this" and rest and rest[0].casefold() == "channel":
        rest.pop(0)
    if not here:
        raise UnusableBudget("Which channel do you mean? Write it as #channel, or by its id (C…).")
    return "channel", here


def _purpose(rest: list[str]) -> str:
    name = rest.pop(0).casefold().strip("“”\"'") if rest else ""
    if name not in PURPOSES:
        said = f"There is no purpose “{name}”" if name else "Which purpose do you mean"
        raise UnusableBudget(f"{said}{'.' if name else '?'} Write one of {', '.join(PURPOSES)}.")
    return name


def _dollars(found: re.Match[str], token: str) -> Decimal:
    number = found["number"]
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", number):
        number = number.replace(",", "")
    try:
        amount = Decimal(number) * (1000 if found["thousand"] else 1)
    except InvalidOperation as error:
        raise UnusableBudget(f"“{token}” is no amount of US dollars. Write it like $200 or $0.50.") from error
    if amount < 0 or amount > MOST:
        raise UnusableBudget(f"“{token}” cannot be a budget: it is from $0 to ${MOST:,} US dollars.")
    return amount
