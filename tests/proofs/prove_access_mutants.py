"""The proof of who can read what has teeth: each mistake in the code that decides it makes the proof fail.

Mistakes are put into the access code one at a time (`code_mutants`), each in a process of its own, and the proof runs
until it finds something. `make prove-access_mutants ARGS="[--cases 1500] [--every 1]"`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import re
import sys
import time
from collections.abc import Sequence

from code_mutants import Mutant, mutants, put_in
from prove_access import prove

TARGETS = (
    "knowledge.access:readable",
    "knowledge.filters:Reach.covers",
    "knowledge.contents:Contents.sources_for",
    "bot.domain:Audience.everyone",
    "bot.domain:Audience.of_channel",
    "bot.domain:Audience.of_person",
    "bot.domain:Audience.of_guest",
    "bot.domain:Audience.of_all",
    "bot.bases:Bases.keep",
    "bot.bases:Bases.copy",
    "bot.bases:Bases.answers_for",
    "bot.bases:Bases.closed",
    "bot.bases:Bases._open",
    "bot.bases:Bases.receipt_for",
    "bot.conversations:Conversations.turns",
    "bot.learning.examples:Examples.nearest",
    "handlers.cache:Remembered.get",
    "handlers.cache:Remembered.forget",
    "handlers.roster:_Home.standing",
    "handlers.roster:Roster.__init__",
    "handlers.roster:Roster.any_outsider",
    "handlers.roster:Roster.told",
    "handlers.audience:Places.__init__",
    "handlers.audience:Places.audience",
    "handlers.audience:Places.audience_of",
    "handlers.audience:Places.may_read",
    "handlers.audience:Places.told",
    "handlers.audience:Places._alone",
    "handlers.audience:Places._people_in",
    "handlers.audience:Places._is_read_outside",
    "handlers.audience:Places._told_kind",
    "handlers.actions:Actions._question",
    "handlers.known:Known.sources",
    "handlers.shortcuts:Shortcuts._readers",
)
"""Where it is decided who reads what."""

LEFT_OUT = {
    r"Reach\.covers#\d+: .*(tags|languages|updated|part [345])": "what the asker wants, not what they may read",
    r"(without log\.|code\(error\))": "a line in the log",
    r"\| None → ": "a type",
    r" or (''|\{\}|\(\))( →| without)|isinstance\(told": "the shape of what Slack sends",
    r"Known\.sources#\d+: .*(saved|origin)": "a count for admins, and who may refresh",
    r"leave_out": "evaluations leave out a question's own example",
}
"""Mistakes that have nothing to do with who may read what, by their names, with the reason."""


def every_mutant() -> list[Mutant]:
    """All mistakes in the access code that have to do with who may read what."""
    found = [mutant for target in TARGETS for mutant in mutants(target)]
    return [mutant for mutant in found if not any(re.search(pattern, mutant.name) for pattern in LEFT_OUT)]


def verdict(mutant: Mutant, cases: int) -> str:
    """How a mistake was found: the first leak, what was missing, or how it fell over; "" where it was not."""
    reader, writer = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_tried, args=(mutant, cases, writer))
    process.start()
    writer.close()
    try:
        said: str = reader.recv()
    except EOFError:
        said = "the process died"
    process.join()
    return said


def _tried(mutant: Mutant, cases: int, writer: multiprocessing.connection.Connection) -> None:
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stderr(nowhere):
        try:
            put_in(mutant)
            found = prove(cases)
            said = next(iter(found.leaks + [f"missing: {each}" for each in found.missing]), "")
        except Exception as error:  # a mistake that makes the bot fall over is seen too
            said = f"{type(error).__name__}: {str(error)[:120]}"
    writer.send(said)


def tried(chosen: Sequence[Mutant], cases: int) -> dict[str, str]:
    """Each mistake with how it was found."""
    return {mutant.name: verdict(mutant, cases) for mutant in chosen}


def _main() -> int:
    known = argparse.ArgumentParser(description="Tries whether mistakes in the access code are found.")
    known.add_argument("--cases", type=int, default=1500, help="how many cases a mistake may survive")
    known.add_argument("--every", type=int, default=1, help="only every so many of the mistakes")
    known.add_argument("--only", default="", help="only mistakes with this in their name")
    wanted = known.parse_args()
    began = time.monotonic()
    chosen = [mutant for mutant in every_mutant() if wanted.only in mutant.name][:: wanted.every]
    found: dict[str, str] = {}
    for mutant in chosen:
        found |= tried([mutant], wanted.cases)
        print(f"{mutant.name}\n    {found[mutant.name] or 'SURVIVED'}", file=sys.stderr, flush=True)
    survivors = [name for name, said in found.items() if not said]
    figures = {
        "mutants": len(found),
        "killed": len(found) - len(survivors),
        "survivors": survivors,
        "left_out": LEFT_OUT,
        "seconds": round(time.monotonic() - began),
    }
    print(json.dumps(figures, indent=2))
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(_main())
