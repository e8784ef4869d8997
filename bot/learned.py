"""What `switchboard learning` prints: who chooses, what people made of the answers, and every change of who chooses."""

from __future__ import annotations

import getpass

from rich.console import Console
from rich.markup import escape

from bot.config import Settings
from bot.core import open_core
from bot.evaluation.shadow_report import shadow_lines
from bot.learning.experience import named
from bot.learning.promotion import Entry

_SIGNALS = {
    "up": "thumbs up",
    "down": "thumbs down",
    "kept": "kept of two answers",
    "dropped": "dropped of two answers",
    "copied": "saved as they were",
    "asked_again": "asked again",
    "corrected": "corrected",
}


async def show(settings: Settings, out: Console) -> None:
    """Prints who chooses and why, the labels by signal, the running means, how shadow runs stand, and the entries."""
    async with open_core(settings) as core:
        out.print(f"[bold]{escape((await core.learning.standing()).sentence)}[/]\n")
        counts = await core.labels.counts()
        if sum(counts.values()):
            out.print(f"Answers: {', '.join(f'{n:,} {_SIGNALS[signal]}' for signal, n in counts.items() if n)}.")
        else:
            out.print("Nobody has judged an answer yet.")
        for way, mean in sorted((await core.learning.means()).items()):
            out.print(f"  {escape(named(way))}: mean quality {mean.mean:.2f} on {round(mean.n, 1):g} answers")
        out.print()
        for line in await shadow_lines(core):
            out.print(escape(line))
        entries = await core.learning.promotions.entries()
        out.print("\nChanges of who chooses, the newest first:" if entries else "\nWho chooses has never changed.")
        for entry in entries:
            _print_entry(entry, settings, out)
        if entries:
            out.print(f"\n`switchboard learning undo {entries[0].id}` undoes the newest.")


async def undo(settings: Settings, id: int, out: Console) -> None:
    """Undoes the newest entry. Raises UnknownEntry where `id` is not the newest."""
    async with open_core(settings) as core:
        entry = await core.learning.undo(id, getpass.getuser())
        out.print(f"Entry {id} is undone; that is entry {entry.id}.")
        out.print(escape((await core.learning.standing()).sentence))


def _print_entry(entry: Entry, settings: Settings, out: Console) -> None:
    when = entry.at.astimezone(settings.report.zone).isoformat(" ", "minutes")
    way = f" ({named(entry.best)})" if entry.best and entry.state == "best fixed" else ""
    out.print(f"[bold]{entry.id}[/]  {when}  {escape(entry.state + way)}, by {escape(entry.by)}")
    out.print(f"    {escape(entry.why)}")
    if entry.undone_at is not None:
        undone = entry.undone_at.astimezone(settings.report.zone).isoformat(" ", "minutes")
        out.print(f"    [dim]Undone {undone} by {escape(str(entry.undone_by))}.[/]")
