"""`switchboard search`: one text, or a batch of questions written as a TREC run, so that anyone can measure it."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bot.config import Settings
from bot.core import Core, open_core
from bot.errors import UnusableQuestion
from bot.printing import print_json
from knowledge import access
from knowledge.documents import Passage

TAG = "switchboard"
_MOST_TRIES = 3


async def search(
    settings: Settings, text: str, k: int, readers: Sequence[str] | None, out: Console, as_json: bool
) -> None:
    """Prints the passages that these readers may read and that fit best."""
    async with _opened(settings, readers) as (core, scopes):
        found = await core.knowledge.search(text, scopes=scopes, k=k)
        if as_json:
            rows = [dataclasses.asdict(passage) for passage in found.passages]
            print_json(out, rows, _plain)
            return
        for number, passage in enumerate(found.passages, 1):
            _print(number, passage, out)
        if not found.passages:
            who = ", ".join(sorted(scopes))
            out.print(f"Nothing was found that {escape(who)} may read. `switchboard refresh` takes in new documents.")


async def search_batch(
    settings: Settings, questions: Path, run: Path, k: int, readers: Sequence[str] | None, err: Console
) -> None:
    """Writes the run of all questions: `question Q0 document rank score switchboard`, each document at its best chunk.

    Raises UnusableQuestion with the number of a line that is no question; nothing is written then.
    """
    asked = list(_questions(questions))
    part = run.with_name(f"{run.name}.part")
    async with _opened(settings, readers) as (core, scopes):
        try:
            with part.open("w", encoding="utf-8") as file, err.status("Searching") as status:
                for number, (identifier, text) in enumerate(asked, 1):
                    for rank, (document, score) in enumerate(await _documents(core, text, scopes, k), 1):
                        file.write(f"{identifier} Q0 {document} {rank} {score:.6f} {TAG}\n")
                    status.update(f"{number} of {len(asked)} questions")
            part.replace(run)
        except OSError as error:
            raise UnusableQuestion(f"{run} cannot be written ({error.strerror}).") from error
        finally:
            part.unlink(missing_ok=True)
    err.print(f"{len(asked)} questions, written to {escape(str(run))}")


async def _documents(core: Core, text: str, scopes: frozenset[str], k: int) -> list[tuple[str, float]]:
    """The `k` best documents by their path, each once, with falling scores."""
    best: dict[str, float] = {}
    wanted = k
    for _ in range(_MOST_TRIES):
        # A document may be found by several chunks, so more of these are asked for until there are enough.
        found = await core.knowledge.search(text, scopes=scopes, k=wanted, joined=False)
        best = {}
        for passage in found.passages:
            for path in (passage.path, *(other.path for other in passage.also)):
                best.setdefault(path, passage.score)
        if len(best) >= k or len(found.passages) < wanted:
            break
        wanted *= 3
    # TREC's tools order by score, so equal or rising scores would turn the ranks about.
    floor = math.inf
    ordered = []
    for path, score in list(best.items())[:k]:
        floor = min(score, floor - 1e-6)
        ordered.append((path, floor))
    return ordered


def _questions(file: Path) -> Iterator[tuple[str, str]]:
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _question(line, number, file)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not in UTF-8"
        raise UnusableQuestion(f"{file} cannot be read ({reason}).") from error


def _question(line: str, number: int, file: Path) -> tuple[str, str]:
    try:
        row = json.loads(line)
        identifier, text = row.get("id", row.get("_id")), row["text"]
    except (ValueError, KeyError, AttributeError):
        identifier, text = None, None
    if identifier is None or not str(identifier).strip() or not isinstance(text, str):
        raise UnusableQuestion(f'Line {number} of {file} is no question. Write {{"id": "1", "text": "…"}}.')
    return "-".join(str(identifier).split()), text


@asynccontextmanager
async def _opened(settings: Settings, readers: Sequence[str] | None) -> AsyncIterator[tuple[Core, frozenset[str]]]:
    scopes = access.parse_scopes(readers or [access.EVERYONE]) | access.PUBLIC
    async with open_core(settings) as core:
        yield core, scopes


def _print(number: int, passage: Passage, out: Console) -> None:
    trail = " › ".join(dict.fromkeys((passage.title, *passage.heading)))
    where = f"  {passage.url}" if passage.url else ""
    out.print(f"[bold]{number}. {escape(trail)}[/]  [dim]similarity {passage.similarity:.2f}{escape(where)}[/]")
    out.print(escape(passage.text), style="dim")


def _plain(value: object) -> object:
    """What JSON has no form for."""
    return sorted(value) if isinstance(value, frozenset | set) else str(value)
