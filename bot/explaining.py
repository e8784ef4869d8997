"""`switchboard explain`: the whole receipt of an answer, and what really happened; without an id, the last answers."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import tzinfo

from rich.console import Console
from rich.markup import escape

from bot.config import Settings
from bot.costs.calls import Row
from bot.costs.ledger import Ledger
from bot.domain import Choice, Option, Receipt, Usage
from bot.errors import UnknownAnswer
from bot.explanations import Explanation, Explanations
from bot.learning.alternatives import Alternatives
from bot.learning.labels import Labels
from bot.printing import print_json, print_table, table_of
from bot.selection import figures, receipts
from bot.selection.reasons import NAMES
from bot.storage.engine import open_existing

LISTED = 10
_SHOWN_CHARACTERS = 70
_MOST_IDS = 5
_WHERE = (
    "An id stands at the foot of “Why this answer?”, behind “Reference” in an error, and in `switchboard explain`, "
    "which lists the last ten answers."
)
_SIGNALS = {
    "up": "gave a thumb up",
    "down": "gave a thumb down",
    "kept": "kept this answer",
    "dropped": "preferred the other answer",
    "copied": "copied the answer",
    "asked_again": "asked again",
    "corrected": "corrected the answer",
}


async def explain(settings: Settings, wanted: str, out: Console, as_json: bool) -> None:
    """Prints all that is known of one answer, by its id or by how that begins.

    Raises UnknownAnswer where no id, or more than one, begins so.
    """
    async with _opened(settings) as explanations:
        told = await explanations.of(await _identified(explanations, wanted.strip()))
        assert told is not None, "ids that were found are there"
        if as_json:
            print_json(out, _plain(told))
        else:
            _Page(out, settings.report.zone).show(told)


async def list_last(settings: Settings, out: Console, as_json: bool) -> None:
    """Prints the last ten answers with their ids, newest first."""
    async with _opened(settings) as explanations:
        found = await explanations.last(LISTED)
    if as_json:
        rows = [{"id": asked.id, "text": asked.text, "asked_at": asked.asked_at} for asked, _ in found]
        print_json(out, rows)
        return
    if not found:
        out.print('Nobody has asked anything yet. `switchboard ask "…"` asks here.')
        return
    table = table_of("id", "asked", "question", "answered by", "cost")
    for asked, receipt in found:
        when = asked.asked_at.astimezone(settings.report.zone).strftime("%d %b %H:%M")
        by = "nothing was chosen"
        if receipt is not None:
            option = receipt.choice.option
            by = figures.nobody(receipt.choice) or f"{option.model} · {option.strategy}"
        table.add_row(asked.id, when, escape(_short(asked.text)), escape(by), _spent(receipt))
    print_table(out, table)
    out.print("\n`switchboard explain ID` shows one of them whole.")


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Explanations]:
    async with open_existing(settings.database_url, "There are no answers yet", "The answers") as engine:
        yield Explanations(engine, Ledger(engine), Alternatives(engine, Labels(engine)))


async def _identified(explanations: Explanations, wanted: str) -> str:
    found = await explanations.beginning_with(wanted, _MOST_IDS + 1) if wanted else []
    if wanted in found or len(found) == 1:
        return wanted if wanted in found else found[0]
    if not found:
        raise UnknownAnswer(f"There is no answer whose id begins with “{wanted}”. {_WHERE}")
    more = " and others" if len(found) > _MOST_IDS else ""
    raise UnknownAnswer(
        f"More than one id begins with “{wanted}”: {', '.join(found[:_MOST_IDS])}{more}. Write more of it."
    )


class _Page:
    """Prints one explanation, part by part."""

    def __init__(self, out: Console, zone: tzinfo) -> None:
        self._out = out
        self._zone = zone

    def show(self, told: Explanation) -> None:
        """All of it."""
        self._asked(told)
        if told.receipt is None:
            self._out.print("It ended before a model was chosen.")
        else:
            self._chosen(told.receipt.choice)
            self._considered(told.receipt.choice)
            self._weighed(told.receipt.choice)
            self._happened(told.receipt)
        self._calls(told.calls)
        self._people(told)

    def _asked(self, told: Explanation) -> None:
        question, place = told.question, told.question.place
        when = question.asked_at.astimezone(self._zone).strftime("%d %B %Y, %H:%M")
        where = "in private" if question.private else f"in {place.channel}"
        self._out.print(f"[bold]{escape(question.text)}[/]")
        self._out.print(f"[dim]{question.id} · {when} · {escape(question.asker)} {escape(where)}[/]")
        if told.first:
            self._out.print(f"[dim]Another way to answer {told.first}.[/]")

    def _chosen(self, choice: Choice) -> None:
        taken = f"{_name(choice.option)}, chosen {figures.policy(choice)}"
        self._title(figures.nobody(choice).capitalize() or taken)
        self._lines(choice.reasons)
        if chance := figures.chance(choice):
            self._lines([chance])
        if guards := figures.guards(choice):
            self._title("What was kept out")
            self._lines(guards)

    def _considered(self, choice: Choice) -> None:
        possible = sorted((one for one in choice.options if one.available), key=lambda one: -one.utility)
        if possible:
            self._title("What was considered, best value first")
            table = table_of("", "model", "way", "quality", "cost", "time", "utility")
            for one in possible:
                mark = "→" if one == choice.option else ""
                estimates = (figures.quality(one), figures.cost(one), figures.latency(one), f"{one.utility:.3f}")
                table.add_row(mark, escape(one.model), one.strategy.value, *estimates)
            print_table(self._out, table)
        obstacles = figures.obstacles(choice)
        if obstacles:
            self._title("What was not possible")
        for why, kept_out in obstacles:
            names = ", ".join(f"{one.model} · {one.strategy}" for one in kept_out)
            self._out.print(f"  {escape(why)} [dim]{escape(names)}[/]")

    def _weighed(self, choice: Choice) -> None:
        evidence = figures.evidence(choice.features)
        if evidence:
            self._title("Evidence")
            self._out.print("  " + escape(" · ".join(f"{name} {value}" for name, value in evidence)))
        told = [line for line in (figures.worth(choice.value, choice.point_worth),) if line]
        told += [line for line in (figures.versions(choice.versions),) if line]
        if told:
            self._title("Weighed with")
            self._lines(told)

    def _happened(self, receipt: Receipt) -> None:
        self._title("What happened")
        tokens = figures.tokens(receipt.usage)
        outcome = receipt.outcome.replace("_", " ")
        cost = figures.money(receipt.price.amount)
        self._out.print(f"  {outcome} after {figures.seconds(receipt.seconds)} · {cost} · tokens: {tokens}")
        if receipt.trace:
            self._out.print(f"  [dim]trace {receipt.trace}[/]")
        for citation in receipt.citations:
            link = f"  {citation.url}" if citation.url else ""
            self._out.print(f"  [bold]\\[{citation.number}][/] {escape(citation.title)}[dim]{escape(link)}[/]")

    def _calls(self, calls: Iterable[Row]) -> None:
        rows = list(calls)
        if not rows:
            self._out.print("\nNo model was called.")
            return
        self._title("Model calls")
        table = table_of("for", "model", "outcome", "try", "tokens", "cost", "time")
        for row in rows:
            taken = "not known" if row.seconds is None else figures.seconds(row.seconds)
            known = (escape(row.model), row.outcome.replace("_", " "), str(row.attempt), figures.tokens(_usage(row)))
            table.add_row(row.purpose, *known, _cost(row), taken)
        print_table(self._out, table)

    def _people(self, told: Explanation) -> None:
        said = [f"{escape(person)} {_SIGNALS.get(signal, signal)}" for person, signal in told.people]
        said += [f"It was asked again another way: {later}" for later in told.later]
        if said:
            self._title("What people made of it")
            self._lines(said)

    def _title(self, text: str) -> None:
        self._out.print(f"\n[bold]{escape(text)}[/]")

    def _lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._out.print(f"  {escape(line)}")


def _plain(told: Explanation) -> dict[str, object]:
    question = told.question
    return {
        "question": {
            "id": question.id,
            "text": question.text,
            "asker": question.asker,
            "workspace": question.place.workspace,
            "channel": question.place.channel,
            "thread": question.place.thread,
            "private": question.private,
            "asked_at": question.asked_at,
        },
        "answer": told.answer,
        "receipt": receipts.to_json(told.receipt) if told.receipt else None,
        "calls": [dataclasses.asdict(row) for row in told.calls],
        "first": told.first,
        "later": list(told.later),
        "people": [{"person": person, "signal": signal} for person, signal in told.people],
    }


def _usage(row: Row) -> Usage | None:
    if row.prompt_tokens is None or row.completion_tokens is None:
        return None
    return Usage(prompt_tokens=row.prompt_tokens, completion_tokens=row.completion_tokens, estimated=row.estimated)


def _cost(row: Row) -> str:
    """What a call cost; also what was first written down, where it was priced again."""
    cost = figures.money(row.cost)
    return f"{cost} (first {figures.money(row.first_cost)})" if row.repriced_at else cost


def _name(option: Option) -> str:
    return f"{option.model} with {NAMES[option.strategy]}"


def _spent(receipt: Receipt | None) -> str:
    return figures.money(receipt.price.amount) if receipt else ""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1].rstrip() + "…"
