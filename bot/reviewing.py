"""What `switchboard examples` does: lists, retires, takes in and writes the reviewed examples."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bot.config import Settings
from bot.core import Core, open_core
from bot.errors import UnknownExample, UnusableExamples
from bot.learning.editor import Editor
from bot.learning.example_csv import MOST_BYTES, parse, summary, written
from bot.learning.reviewed import Reviewed
from knowledge import access


async def show(settings: Settings, out: Console, *, flagged: bool = False, retired: bool = False) -> None:
    """Prints the examples, newest first; only those that are flagged, or retired, where that is asked."""
    async with open_core(settings) as core:
        everything = await core.examples.listed(None)
        found = [one for one in everything if (one.retired is not None) == retired and (one.flag or not flagged)]
        today = core.examples.today()
    for one in found:
        example = one.example
        out.print(f"[bold]{example.id[:8]}[/]  {escape(_line(example.question))}")
        out.print(f"    {escape(_line(example.answer))}")
        facts = [
            f"for {' '.join(sorted(example.readers))}",
            f"reviewed by {example.saved_by}",
            f"used {one.hits} times",
        ]
        facts += [f"{one.up} up, {one.down} down", *(f"#{tag}" for tag in example.tags)]
        if one.valid_until is not None:
            facts.append(f"{'ended' if one.has_ended(today) else 'valid until'} {one.valid_until}")
        out.print(f"    [dim]{escape(' · '.join(facts))}[/]")
        for word, said in (("retired", one.retired), ("flagged", one.flag)):
            if said is not None:
                out.print(f"    {escape(said.told(word))}")
    out.print(f"{len(found):,} examples." if len(found) != 1 else "1 example.")


async def retire(settings: Settings, id: str, out: Console, *, why: str = "", undo: bool = False) -> None:
    """Takes one out of use, or brings it back. Raises UnknownExample."""
    async with open_core(settings) as core:
        one = await _one(core, id)
        editor = _editor()
        if undo:
            await core.examples.restore(one.example.id, editor)
        else:
            await core.examples.retire(one.example.id, editor, why)
    out.print(f"{'Brought back' if undo else 'Retired'}: “{escape(_line(one.example.question))}”.")


async def take_in(settings: Settings, file: Path, readers: Sequence[str], out: Console) -> None:
    """Takes in a CSV file and prints what came of it. Raises UnusableExamples, or InvalidScope for readers that are
    none."""
    scopes = access.parse_scopes(readers)
    try:
        too_large = file.stat().st_size > MOST_BYTES
        data = b"" if too_large else await asyncio.to_thread(file.read_bytes)
    except OSError as error:
        raise UnusableExamples(f"{file} cannot be read: {error.strerror}.") from None
    if too_large:
        raise UnusableExamples(f"{file} has more than {MOST_BYTES / 1e6:,.0f} MB. Split it.")
    async with open_core(settings) as core:
        parsed = parse(data, file.name, core.examples.today())
        if not parsed.drafts:
            raise UnusableExamples(f"{file.name}: {summary(0, 0, parsed.left_out, parsed.extra)}")
        steps = await core.examples.take_in(parsed.drafts, scopes, _editor())
    out.print(escape(f"{file.name}: {steps.told(parsed)}"))


async def export(settings: Settings, to: Path | None, out: Console) -> None:
    """Writes all examples in use as CSV. Raises UnusableExamples where the file cannot be written."""
    async with open_core(settings) as core:
        found = [one for one in await core.examples.listed(None) if one.retired is None]
    text = written(reversed(found))
    if to is None:
        sys.stdout.write(text)
        return
    try:
        await asyncio.to_thread(to.write_text, text, encoding="utf-8", newline="")
    except OSError as error:
        raise UnusableExamples(f"{to} cannot be written: {error.strerror}.") from None
    out.print(f"{len(found):,} examples are in {escape(str(to))}.")


async def _one(core: Core, id: str) -> Reviewed:
    found = [one for one in await core.examples.listed(None) if id and one.example.id.startswith(id)]
    if len(found) != 1:
        problem = f"{len(found)} examples have ids that begin so: write more of it" if found else "there is none"
        raise UnknownExample(
            f"No one example is meant by “{id}”: {problem}. `switchboard examples list` shows the ids."
        )
    return found[0]


def _editor() -> Editor:
    """Whoever may write the database may change everything."""
    return Editor(getpass.getuser(), None, admin=True)


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
