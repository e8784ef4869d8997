"""The proof of who can read what has teeth: each mistake in the code that decides it makes the proof fail.

Mistakes are put into the access code one at a time (`code_mutants`), each in a process of its own, and the proof runs
until it finds something. `make prove-access_mutants ARGS="[--cases 1500] [--every 1]"`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from multiprocessing.connection import Connection
from pathlib import Path

import proof_result
from code_mutants import Mutant, mutants, put_in
from prove_access import proving

HUNG = 120.0
"""Seconds after which a mistake is taken to have made the bot wait for ever."""
_ROOT = Path(__file__).resolve().parents[1]
TESTS = [_ROOT / "unit" / "handlers" / "test_audience.py", _ROOT / "integration" / "assistant" / "test_bases.py"]
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
    r"Reach\.covers#\d+: .*(tags|languages|updated|part [1345])": "which sources there are, and what the asker wants",
    r"(without log\.|code\(error\))": "a line in the log",
    r"\| None → ": "a type",
    r" or (''|\{\}|\(\))( →| without)|isinstance\(told": "the shape of what Slack sends",
    r"Known\.sources#\d+: .*(saved|origin)": "a count for admins, and who may refresh",
    r"if shared → True": "a group without anybody in it",
    r"leave_out": "evaluations leave out a question's own example",
}
"""Mistakes that have nothing to do with who may read what, by their names, with the reason."""


def every_mutant() -> list[Mutant]:
    """All mistakes in the access code that have to do with who may read what."""
    found = [mutant for target in TARGETS for mutant in mutants(target)]
    return [mutant for mutant in found if not any(re.search(pattern, mutant.name) for pattern in LEFT_OUT)]


def tried(chosen: Sequence[Mutant], cases: int) -> Iterator[tuple[Mutant, str]]:
    """Each mistake with how it was found: the first leak, what was missing, or how the bot fell over; "" where it was
    not found. One after the other in a process of their own, and in another after one that hung."""
    left = list(chosen)
    while left:
        reader, writer = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(target=_try_all, args=(left, cases, writer))
        process.start()
        writer.close()
        try:
            while left:
                said = reader.recv() if reader.poll(HUNG) else "it hung"
                yield left.pop(0), said
                if said == "it hung":
                    break
        except EOFError:
            yield left.pop(0), ""
        process.kill()
        process.join()


def _try_all(chosen: Sequence[Mutant], cases: int, writer: Connection) -> None:
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stderr(nowhere), proving() as run:
        for mutant in chosen:
            with put_in(mutant):
                try:
                    found = run(cases)
                    said = next(iter(found.leaks + [f"missing: {each}" for each in found.missing]), "")
                except Exception as error:  # a mistake that makes the bot fall over is seen too
                    said = f"{type(error).__name__}: {str(error).splitlines()[0][:120] if str(error) else ''}"
            writer.send(said or _by_tests(mutant))


def _by_tests(mutant: Mutant) -> str:
    """What only the access tests see: a race, an organisation, a list that is too long."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-p", "code_mutants"]
    path = os.pathsep.join(map(str, (_ROOT.parent, _ROOT / "support")))
    environment = {**os.environ, "MUTANT": mutant.name, "PYTHONPATH": path}
    command += map(str, TESTS)
    ended = subprocess.run(command, env=environment, cwd=_ROOT.parent, capture_output=True, check=False)
    if ended.returncode not in (0, 1):
        raise RuntimeError(f"The access tests could not be run: {ended.stderr.decode()[-500:]}")
    return "the access tests fail" if ended.returncode else ""


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Tries whether mistakes in the access code are found.")
    known.add_argument("--cases", type=int, default=1500, help="how many cases a mistake may survive")
    known.add_argument("--every", type=int, default=1, help="only every so many of the mistakes")
    known.add_argument("--only", default="", help="only mistakes whose name this expression is found in")
    return proof_result.main("access-mutants", known, _run)


def _run(size: argparse.Namespace, _: Path) -> proof_result.Result:
    chosen = [mutant for mutant in every_mutant() if re.search(size.only, mutant.name)][:: size.every]
    found: dict[str, str] = {}
    for mutant, said in tried(chosen, size.cases):
        found[mutant.name] = said
        print(f"{mutant.name}\n    {said or 'SURVIVED'}", file=sys.stderr, flush=True)
    survivors = [name for name, said in found.items() if not said]
    figures = {
        "mutants": len(found),
        "killed": len(found) - len(survivors),
        "survivors": survivors,
        "left_out": LEFT_OUT,
    }
    return proof_result.Result(figures, not survivors)


if __name__ == "__main__":
    sys.exit(main())
