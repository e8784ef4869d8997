"""What `switchboard golden` does: lists, retires and confirms the golden questions that people kept."""

from __future__ import annotations

import getpass

from rich.console import Console
from rich.markup import escape

from bot.config import Settings
from bot.core import Core, open_core
from bot.errors import UnknownGolden
from bot.learning.golden_questions import GoldenQuestion


async def show(settings: Settings, out: Console, *, flagged: bool = False, retired: bool = False) -> None:
    """Prints the golden questions, newest first; only those that are flagged, or retired, where that is asked."""
    async with open_core(settings) as core:
        everything = await core.golden.listed(None)
    found = [one for one in everything if (one.retired is not None) == retired and (one.flag or not flagged)]
    for one in found:
        out.print(f"[bold]{one.id[:8]}[/]  {escape(_line(one.question))}")
        out.print(f"    {escape(_line(one.answer))}")
        facts = (f"for {' '.join(sorted(one.readers))}", f"answer by {one.author}", f"reviewed by {one.reviewed_by}")
        out.print(f"    [dim]{escape(' · '.join((*facts, f'kept on {one.kept_at:%Y-%m-%d}')))}[/]")
        out.print(f"    [dim]{escape(one.source)}[/]")
        for word, said in (("retired", one.retired), ("flagged", one.flag)):
            if said is not None:
                out.print(f"    {escape(said.told(word))}")
    out.print(f"{len(found):,} golden questions." if len(found) != 1 else "1 golden question.")


async def retire(settings: Settings, id: str, out: Console, *, why: str = "", undo: bool = False) -> None:
    """Takes one out of use, or brings it back. Raises UnknownGolden."""
    async with open_core(settings) as core:
        one = await _one(core, id)
        if undo:
            await core.golden.restore(one.id, getpass.getuser())
        else:
            await core.golden.retire(one.id, getpass.getuser(), why)
    out.print(f"{'Brought back' if undo else 'Retired'}: “{escape(_line(one.question))}”.")


async def keep(settings: Settings, id: str, out: Console) -> None:
    """Says that a flagged one is right as it is. Raises UnknownGolden."""
    async with open_core(settings) as core:
        one = await _one(core, id)
        await core.golden.confirm(one.id, getpass.getuser())
    out.print(f"The warning is gone: “{escape(_line(one.question))}” is in evaluations again.")


async def _one(core: Core, id: str) -> GoldenQuestion:
    found = [one for one in await core.golden.listed(None) if id and one.id.startswith(id)]
    if len(found) != 1:
        problem = f"{len(found)} have ids that begin so: write more of it" if found else "there is none"
        raise UnknownGolden(
            f"No one golden question is meant by “{id}”: {problem}. `switchboard golden list` shows the ids."
        )
    return found[0]


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
