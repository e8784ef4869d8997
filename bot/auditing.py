"""`switchboard audit`: who changed what, and whether the log is what was written."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime

from rich.console import Console
from rich.markup import escape

from bot.audit import COMMAND_LINE, Audit, Entry
from bot.config import Settings
from bot.costs.periods import midnight
from bot.printing import print_json, print_table, table_of
from bot.storage.engine import open_existing


async def show(settings: Settings, since: date | None, who: str, what: str, out: Console, as_json: bool) -> bool:
    """Prints the entries that are asked for, the newest first; whether the whole log is as it was written."""
    zone = settings.report.zone
    async with _opened(settings) as audit:
        moment = midnight(since, zone) if since is not None else None
        entries, broken = await audit.entries(since=moment, who=who, what=what), await audit.broken()
    if as_json:
        print_json(out, {"entries": [dataclasses.asdict(entry) for entry in entries], "broken": broken})
        return not broken
    if not entries:
        out.print("Nothing of that was changed yet.")
    table = table_of("when", "who", "what", "where", "before", "after", "because", "reference")
    for entry in entries:
        when = entry.at.astimezone(zone).isoformat(" ", "seconds")
        table.add_row(when, *map(escape, _words(entry)))
    if entries:
        print_table(out, table)
    for sentence in broken:
        out.print(f"[red]{sentence}[/]")
    return not broken


async def drop(settings: Settings, before: date, out: Console) -> None:
    """Takes out what is older than a day."""
    async with _opened(settings) as audit:
        gone = await audit.drop_before(midnight(before, settings.report.zone), by=COMMAND_LINE)
    out.print(f"{gone:,} entries from before {before} were dropped; the log says so.")


def _words(entry: Entry) -> tuple[str, ...]:
    values = (entry.who, entry.action, entry.subject, entry.before, entry.after, entry.reason, entry.reference)
    return tuple(value or "–" for value in values)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Audit]:
    async with open_existing(settings.database_url, "There is no audit log yet", "The audit log") as engine:
        yield Audit(engine, lambda: datetime.now(UTC))
