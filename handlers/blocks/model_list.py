"""The list of models: a table to choose from in ten seconds, what else there is, and how to narrow it down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.models.filters import HELP, Filters, Found
from bot.models.listing import Shown, openness, price, reads, runs, window
from handlers.blocks.parts import context, header, section
from handlers.blocks.words import counted
from handlers.markdown import escape, shorten
from handlers.shapes import JSON

ROWS_SHOWN = 25
NAMES_SHOWN = 12

_COLUMNS = ("Model", "$ in / out per 1M", "Window", "Reads", "Open", "Runs at")


def listing(found: Found, filters: Filters, pinned: str, providers: Mapping[str, str]) -> list[JSON]:
    """All that fit, those that can be used first. `pinned` says what answers now; `providers`: name → title.

    Without filters the table has those that can be used, and the others are named by what they need.
    """
    entries = found.fitting
    usable = [entry for entry in entries if entry.usable]
    rows = (entries if filters else usable)[:ROWS_SHOWN]
    blocks = [header("Models"), context(pinned)]
    if filters:
        blocks.append(section(_headline(len(entries), len(usable), str(filters))))
    if rows:
        blocks.append(_table(rows, providers))
    blocks += [context(line) for line in _others(entries[len(rows) :], providers)]
    blocks += [context(line) for line in _left_out(found)]
    if rows:
        blocks.append(context("*Open*: how many of five disclosures are made, with a ? where not all is known."))
    blocks.append(context("`/model show NAME` tells all of one, `/model use NAME` takes it, `/model auto` undoes it."))
    if not filters or not entries:
        blocks.append(context("Narrow it down with `/model list` and " + HELP.replace("|", " | ") + "."))
    return blocks


def _headline(fitting: int, usable: int, asked: str) -> str:
    if not fitting:
        return f"No model is known to fit `{escape(asked)}`."
    ready = f"*{usable}* ready to use" if usable else "none of them ready to use"
    return f"*{counted(fitting, 'model')}* for `{escape(asked)}`, {ready}"


def _table(rows: Sequence[Shown], providers: Mapping[str, str]) -> JSON:
    cells = [[_raw(title) for title in _COLUMNS], *([_raw(cell) for cell in _row(entry, providers)] for entry in rows)]
    right, left = {"align": "right"}, {"align": "left", "is_wrapped": True}
    return {"type": "table", "column_settings": [left, right, right, left, right, left], "rows": cells}


def _row(entry: Shown, providers: Mapping[str, str]) -> tuple[str, ...]:
    card = entry.card
    where = runs(entry, providers.get(card.provider, card.provider))
    return card.name, price(entry), window(card.context_window), reads(card), openness(card), where


def _raw(text: str) -> JSON:
    return {"type": "raw_text", "text": shorten(text, 60)}


def _others(entries: Sequence[Shown], providers: Mapping[str, str]) -> list[str]:
    """The names of those that have no row, by what they need."""
    groups: dict[str, list[str]] = {}
    for entry in entries:
        groups.setdefault(_group(entry, providers), []).append(entry.card.name)
    return [
        f"{escape(group)}: {escape(', '.join(names[:NAMES_SHOWN]))}"
        + (f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else "")
        for group, names in list(groups.items())[:12]
    ]


def _group(entry: Shown, providers: Mapping[str, str]) -> str:
    if entry.need is None:
        return "Also ready"
    if entry.need.kind == "key":
        return f"With a key for {providers.get(entry.card.provider, entry.card.provider)} ({entry.need.words})"
    return "Open, with a server of your own" if entry.need.kind == "server" else "Shut down"


def _left_out(found: Found) -> list[str]:
    if not found.unknown:
        return []
    facts = ", ".join(f"{fact} of {number}" for fact, number in found.unknown.items())
    return [f"Left out because it is not known: the {facts}."]
