"""The proof of who can read what has teeth: each mistake in the code that decides it makes the proof fail.

Mistakes are put into the access code one at a time (`code_mutants`) in a process that has the house open, and worlds
are played there until one finds something: those first that found other mistakes, then new ones. What a world finds
counts only where the same world finds nothing once the mistake is taken out again. What no world sees (a race, an
organisation, a list that is too long) the access tests have to.

`make prove-access_mutants ARGS="[--cases 1500] [--only EXPRESSION] [--from 1] [--every 1] [--equivalent]"`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import proof_result
import pytest
from access_judge import Findings
from code_mutants import Mutant, mutants, put_in
from prove_access import Plan, Proof, proving

HUNG = 90.0
"""Seconds without a sign after which a mistake is taken to have made the bot wait for ever; a world takes one."""
FIRST = 100
"""So many cases come before the tests, the others after them."""
_ROOT = Path(__file__).resolve().parents[1]
TESTS = [_ROOT / "unit" / "handlers" / "test_audience.py", _ROOT / "integration" / "assistant" / "test_bases.py"]
_PASSED, _FAILED = 20, 21
"""Exit statuses that nothing else has."""
_FORK = multiprocessing.get_context("fork")
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
    "handlers.examples:ExampleModals.readers",
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


EQUIVALENT = {
    "bot.bases:Bases.answers_for#0: if older → True": "where nothing is older the query finds nothing",
    "bot.bases:Bases.keep#2: a filter dropped": "a turn without a question has “”, and nothing is kept under “”",
    "handlers.cache:Remembered.get#2: without self._values.pop(key, None)": "of 5,000 values another one goes first",
}
"""Mistakes that change nothing that anybody could see, by their whole names, with the reason."""


@dataclass(frozen=True)
class Verdict:
    """How a mistake was found, “” where it was not, with what was seen and after how many worlds, and the world."""

    by: str = ""
    said: str = ""
    worlds: int = 0
    plan: Plan | None = None


def every_mutant() -> list[Mutant]:
    """All mistakes in the access code that have to do with who may read what."""
    found = [mutant for target in TARGETS for mutant in mutants(target)]
    return [mutant for mutant in found if not any(re.search(pattern, mutant.name) for pattern in LEFT_OUT)]


def tried(chosen: Sequence[Mutant], cases: int) -> Iterator[tuple[Mutant, Verdict]]:
    """Each mistake with how it was found."""
    finders: dict[str, tuple[int, Plan]] = {}  # worlds that found something, with how often
    if _by_tests(None).by:
        raise RuntimeError("The access tests fail without any mistake.")
    player = _Player()
    try:
        for mutant in chosen:
            best = sorted(finders.values(), key=lambda each: -each[0])
            verdict = player.look(mutant, [plan for _, plan in best], min(cases, FIRST), 1)
            if not verdict.by:
                verdict = _by_tests(mutant)
            if not verdict.by and cases > FIRST:
                verdict = player.look(mutant, [], cases - FIRST, 2)
            if verdict.plan is not None:
                times, _ = finders.get(repr(verdict.plan), (0, None))
                finders[repr(verdict.plan)] = (times + 1, verdict.plan)
            yield mutant, verdict
    finally:
        player.close()


class _Player:
    """A process that has the house open; another one after a mistake that hung."""

    def __init__(self) -> None:
        self._process: multiprocessing.process.BaseProcess | None = None

    def look(self, mutant: Mutant, first: list[Plan], cases: int, number: int) -> Verdict:
        """Plays the worlds of `first` with the mistake, then new ones with so many `cases`, from the seed `number`."""
        if self._process is None:
            self._pipe, theirs = multiprocessing.Pipe()
            self._process = _FORK.Process(target=_play, args=(theirs,))
            self._process.start()
            theirs.close()
            self._pipe.recv()  # the house is open
        self._pipe.send((mutant, first, cases, number))
        try:
            while self._pipe.poll(HUNG):
                said = self._pipe.recv()
                if isinstance(said, Exception):
                    raise said
                if isinstance(said, Verdict):
                    return said
            verdict = Verdict("hang", "the bot waits for ever")
        except EOFError:
            verdict = Verdict("crash", "the process ended")
        self.close()
        return verdict

    def close(self) -> None:
        """Ends it."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


def _play(pipe: Connection) -> None:
    _silently()
    with proving() as proof, suppress(EOFError):
        pipe.send("open")
        while True:
            mutant, first, cases, number = pipe.recv()
            try:
                pipe.send(_verdict(proof, mutant, first, cases, number, lambda: pipe.send("another world")))
            except Exception as error:
                pipe.send(RuntimeError(f"{mutant.name}: {error}"))


def _verdict(
    proof: Proof, mutant: Mutant, first: list[Plan], cases: int, number: int, beat: Callable[[], None]
) -> Verdict:
    played: list[Plan] = []
    found = Findings()

    def before(plan: Plan) -> None:
        beat()
        played.append(plan)

    by = said = ""
    with put_in(mutant):
        try:
            for plan in first:
                before(plan)
                proof.play(plan, found)
                if found.leaks or found.missing:
                    break
            else:
                found = proof.run(cases, number=number, before=before)
        except Exception as error:  # a mistake that makes the bot fall over is seen too
            by, said = "error", f"{type(error).__name__}: {str(error).splitlines()[0][:120] if str(error) else ''}"
    if found.leaks or found.missing:
        by, said = ("leak", found.leaks[0]) if found.leaks else ("missing", found.missing[0])
    if not by:
        return Verdict(worlds=len(played))
    beat()
    right = Findings()
    proof.play(played[-1], right)
    if right.leaks or right.missing:
        return Verdict(said=f"without the mistake too: {right.leaks + right.missing}", worlds=len(played))
    return Verdict(by, said, len(played), played[-1])


def _by_tests(mutant: Mutant | None) -> Verdict:
    """What the access tests say; without a mistake they have to pass."""
    process = _FORK.Process(target=_test, args=(mutant,))
    process.start()
    process.join(HUNG)
    if process.exitcode is None:
        process.kill()
        process.join()
        return Verdict("test", "the access tests hang")
    if process.exitcode not in (_PASSED, _FAILED):
        raise RuntimeError(f"The access tests could not be run: status {process.exitcode}.")
    return Verdict("test", "the access tests fail") if process.exitcode == _FAILED else Verdict()


def _test(mutant: Mutant | None) -> None:
    _silently()
    os.chdir(_ROOT.parent)
    options = ["-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-k", "not postgres"]  # which takes long to start
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # much is imported here already
    with put_in(mutant) if mutant is not None else nullcontext():
        status = pytest.main([*options, *map(str, TESTS)])
    os._exit({0: _PASSED, 1: _FAILED}.get(status, 1))


def _silently() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Tries whether mistakes in the access code are found.")
    known.add_argument("--cases", type=int, default=1500, help="how many cases a mistake may survive")
    known.add_argument("--only", default="", help="only mistakes whose name this expression is found in")
    known.add_argument("--from", type=int, default=1, dest="first", help="begin with this one of them")
    known.add_argument("--every", type=int, default=1, help="only every so many of the mistakes")
    known.add_argument("--equivalent", action="store_true", help="those that change nothing, instead of the others")
    return proof_result.main("access-mutants", known, _run)


def _run(size: argparse.Namespace, _: Path) -> proof_result.Result:
    every = every_mutant()
    if unknown := EQUIVALENT.keys() - {mutant.name for mutant in every}:
        raise SystemExit(f"EQUIVALENT names mistakes that there are not: {sorted(unknown)}")
    chosen = [mutant for mutant in every if (mutant.name in EQUIVALENT) == size.equivalent]
    chosen = [mutant for mutant in chosen if re.search(size.only, mutant.name)][size.first - 1 :: size.every]
    found: dict[Mutant, Verdict] = {}
    began = time.monotonic()
    for number, (mutant, verdict) in enumerate(tried(chosen, size.cases), 1):
        found[mutant] = verdict
        told = f"{verdict.by}: {verdict.said}" if verdict.by else f"NOT FOUND, {mutant.where} {verdict.said}"
        seconds, worlds = time.monotonic() - began, verdict.worlds
        print(
            f"{number}/{len(chosen)} after {seconds:.0f} s: {mutant.name}\n    {told} ({worlds} worlds)",
            file=sys.stderr,
        )
    survivors = [mutant for mutant, verdict in found.items() if not verdict.by]
    wrong = [mutant for mutant in found if mutant not in survivors] if size.equivalent else survivors
    figures = {
        "mutants": len(found),
        "killed": len(found) - len(survivors),
        "by": dict(Counter(verdict.by for verdict in found.values() if verdict.by).most_common()),
        "survivors": {mutant.name: mutant.where for mutant in survivors},
        "equivalent": EQUIVALENT,
        "left_out": LEFT_OUT,
        "seconds_each": round((time.monotonic() - began) / max(len(found), 1), 1),
    }
    return proof_result.Result(figures, not wrong)


if __name__ == "__main__":
    sys.exit(main())
