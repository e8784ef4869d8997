"""Nothing is shown to anybody who may not read it: random workspaces against a model of who can read what.

Hypothesis makes pairs of workspaces with the same ids (people, guests, strangers, channels of all kinds, documents with
their readers) and what happens in them by turns: people come and go, channels are converted and shared, documents
closed, questions asked through every door, money spent. Each prompt, message, modal and listing is held against
`access_rules`, which shares no code with the bot: nothing may be there that is of the other workspace, or for others.
`make prove-access ARGS="[--cases 20000] [--seed 1] [--postgres]"`; a case is one thing done by a person and looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import proof_result
import structlog
from access_house import KINDS, World
from access_judge import Findings
from access_rules import Room
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from own_processes import own_database
from two_houses import DOCUMENTS, House, open_houses

from bot.domain import StrategyName

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = ("U1", "U2", "U3", "U4", "U5")
CHANNELS = ("C1", "C2", "G1", "G2", "M1")
SCOPES = ("outsiders", "everyone", *(f"channel:{c}" for c in CHANNELS), *(f"user:{u}" for u in PEOPLE[:3]))
LOOKED_AT = ("mention", "dm", "private", "another way", "offer", "why", "listing", "shadow", "spend", "stolen")
"""What counts as a case; refusals count too."""


Act = tuple[str, tuple[Any, ...]]
"""A name and its arguments."""


@dataclass(frozen=True)
class Half:
    """One world and what happens in it."""

    people: dict[str, str]
    rooms: dict[str, Room]
    readers: list[set[str]]
    acts: list[Act]


Plan = tuple[Half, Half]
"""One for each workspace; they take turns."""


_person, _channel = st.sampled_from(PEOPLE), st.sampled_from(CHANNELS)
_named, _kind = st.sampled_from(CHANNELS[:4]), st.sampled_from(sorted(KINDS))
_readers = st.sets(st.sampled_from(SCOPES), min_size=1, max_size=2)
_document = st.integers(0, DOCUMENTS - 1)
_strategy = st.sampled_from([None, StrategyName.RAG, StrategyName.FEW_SHOT, StrategyName.FEW_SHOT])
_door = st.sampled_from(["mention", "dm", "private", "private"])
_ask = st.tuples(st.just("ask"), st.tuples(_door, _person, _channel, st.integers(0, 3), _strategy))
_number = st.integers(-3, 5)  # the last ones too, and one that there is not
_change = st.one_of(
    st.tuples(st.just("move"), st.tuples(_person, _named, st.booleans())),
    st.tuples(st.just("convert"), st.tuples(_named, st.booleans())),
    st.tuples(st.just("share"), st.tuples(_named, st.booleans(), st.booleans())),
    st.tuples(st.just("become"), st.tuples(st.sampled_from(PEOPLE[1:]), _kind, st.booleans())),
    st.tuples(
        st.just("restrict"), st.tuples(st.dictionaries(_document, _readers, min_size=1, max_size=1), st.booleans())
    ),
    st.tuples(st.just("silence"), st.tuples()),
)
_whose = st.sampled_from([("workspace", ""), ("person", "U1"), ("person", "U2"), ("channel", "C1")])
_money = st.one_of(
    st.tuples(st.just("budget"), st.builds(lambda whose, more: (*whose, more), _whose, st.integers(0, 300))),
    st.tuples(st.just("spend"), st.tuples(_person, _channel, st.integers(1, 150))),
)
_stolen = st.tuples(st.just("steal"), st.tuples(st.sampled_from(["again", "offer", "why"]), _number, _person))
_look = st.one_of(
    *(st.tuples(st.just(name), st.tuples(_number, _person)) for name in ("again", "offer", "why", "save")),
    st.tuples(st.just("write"), st.tuples(_person, _named)),
    st.tuples(st.just("listing"), st.tuples(_person)),
    st.tuples(st.just("shadow"), st.tuples(_number)),
)


def _closed(draw: st.DrawFn) -> tuple[dict[int, set[str]], bool]:
    """Half of the documents are for somebody else from now on."""
    first, readers, elsewhere = draw(st.integers(0, 1)), {draw(st.sampled_from(SCOPES))}, draw(st.booleans())
    return dict.fromkeys(range(first, DOCUMENTS, 2), readers), elsewhere


@st.composite
def _scenes(draw: st.DrawFn) -> list[Act]:
    """Something is said in a place, the place changes, and it is talked about again."""
    channel, first, second = draw(_channel), draw(_person), draw(_person)
    named = channel if channel in CHANNELS[:4] else "G1"
    door = draw(st.sampled_from(["mention", "mention", "dm"]))
    changes = {
        "move": (draw(st.sampled_from([first, second])), named, draw(st.booleans())),
        "convert": (named, draw(st.booleans())),
        "share": (named, draw(st.booleans()), draw(st.booleans())),
        "become": (second if second != "U1" else "U2", draw(_kind), draw(st.booleans())),
        "restrict": _closed(draw),
    }
    change = draw(st.sampled_from([*sorted(changes), "restrict"]))
    kept = [("save", (-1, first)), ("write", (first, named))]
    return [
        ("ask", (door, first, channel, 0, StrategyName.RAG)),
        *draw(st.lists(st.sampled_from(kept), max_size=2)),
        (change, changes[change]),
        *draw(st.lists(_look, max_size=2)),
        ("ask", (door, second if door != "dm" else first, channel, draw(st.sampled_from([1, 1, 0])), draw(_strategy))),
        *draw(st.lists(_look, max_size=2)),
    ]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Two worlds, of which one has more to do."""
    halves = draw(_halves(scenes=2, loose=10)), draw(_halves(scenes=1, loose=4))
    return halves if draw(st.booleans()) else (halves[1], halves[0])


@st.composite
def _halves(draw: st.DrawFn, *, scenes: int, loose: int) -> Half:
    """A world: mostly full members, as in life, and questions between all that changes."""
    others = {person: draw(st.sampled_from(["member", "member", *KINDS])) for person in PEOPLE[1:]}
    rooms = {
        "C1": Room(draw(_members()), public=True),
        "C2": Room(draw(_members()), public=True, shared=draw(st.booleans())),
        "G1": Room(draw(_members())),
        "G2": Room(draw(_members()), shared=draw(st.booleans())),
        "M1": Room(draw(_members()), group=True),
    }
    readers = [draw(_readers) for _ in range(DOCUMENTS)]
    between = draw(st.lists(st.one_of(_ask, _change, _look, _stolen), max_size=loose))
    paid = draw(st.lists(_money, max_size=3))
    first, *rest = [draw(_scenes()) for _ in range(scenes)]
    return Half({"U1": "member", **others}, rooms, readers, [*first, *between, *itertools.chain(*rest), *paid])


def _members() -> st.SearchStrategy[set[str]]:
    return st.sets(_person, min_size=2, max_size=4)


async def play(houses: tuple[House, House], plan: Plan, found: Findings) -> None:
    """Lets everything happen that a plan says; what is wrong stands in `found`."""
    first, second = (World(house, half.people, half.rooms, found) for house, half in zip(houses, plan, strict=True))
    first.other, second.other = second, first
    for house in houses:
        house.strayed.clear()
    await first.begin(plan[0].readers)
    await second.begin(plan[1].readers)
    acts = ([(first, act) for act in plan[0].acts], [(second, act) for act in plan[1].acts])
    silent: set[World] = set()
    for world, (name, arguments) in filter(None, itertools.chain(*itertools.zip_longest(*acts))):
        if name == "silence":  # Slack tells nothing about the next question, and what it told is too old
            silent.add(world)
            world.now += 60.0
            continue
        world.slack.silent = world in silent and name == "ask"
        await getattr(world, name)(*arguments)
        if name == "ask":
            silent.discard(world)
    for house in houses:
        found.leaks += house.strayed


class Proof:
    """Worlds in two houses that stay open. `errors`: what the bot logs as one."""

    def __init__(self, runner: asyncio.Runner, houses: tuple[House, House], errors: list[str]) -> None:
        self._runner = runner
        self._houses = houses
        self._errors = errors

    def play(self, plan: Plan, found: Findings) -> None:
        """One pair of worlds."""
        self._errors.clear()
        found.counts["worlds"] += len(plan)
        found.counts["acts"] += sum(len(half.acts) for half in plan)
        self._runner.run(play(self._houses, plan, found))
        found.missing += [f"an error: {each}" for each in self._errors]

    def run(
        self, cases: int, *, number: int = 1, stop_at: int = 1, before: Callable[[Plan], None] = lambda _: None
    ) -> Findings:
        """Makes worlds until so many `cases` were looked at, or `stop_at` leaks were found; `number` is the first seed.
        `before` hears of each world that is to be made."""
        found = Findings()

        def is_done() -> bool:
            return _cases(found) >= cases or len(found.leaks) + len(found.missing) >= stop_at

        def world(plan: Plan) -> None:
            if not is_done():
                before(plan)
                self.play(plan, found)

        for batch in itertools.count(number * 1000):
            if is_done():
                break
            checks = settings(
                max_examples=100,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=[*HealthCheck],
            )
            seed(batch)(checks(given(plans())(world)))()
        found.counts["cases"] = _cases(found)
        return found


@contextmanager
def proving(models_dir: Path = ROOT / ".models", *, postgres: bool = False) -> Iterator[Proof]:
    """Opens the houses."""
    before, errors = structlog.get_config(), list[str]()

    def note(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
        errors.append(f"{event['event']} {sys.exc_info()[1] or ''}")
        raise structlog.DropEvent

    structlog.configure(processors=[note], wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="access-proof-") as work, ExitStack() as stack:
        url = stack.enter_context(own_database("postgresql", Path(work))) if postgres else ""
        runner = stack.enter_context(asyncio.Runner())
        opened = open_houses(Path(work), models_dir, url)
        houses = runner.run(opened.__aenter__())
        try:
            yield Proof(runner, houses, errors)
        finally:
            runner.run(opened.__aexit__(None, None, None))
            structlog.configure(**before)


def prove(cases: int, *, number: int = 1, stop_at: int = 1, postgres: bool = False) -> Findings:
    """The proof in houses of its own."""
    with proving(postgres=postgres) as proof:
        return proof.run(cases, number=number, stop_at=stop_at)


def _cases(found: Findings) -> int:
    return sum(count for name, count in found.counts.items() if name.removesuffix(", refused") in LOOKED_AT)


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Holds what is shown against who may read it.")
    known.add_argument("--cases", type=int, default=20_000)
    known.add_argument("--seed", type=int, default=1)
    known.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")

    def run(size: argparse.Namespace, _: Path) -> proof_result.Result:
        found = prove(size.cases, number=size.seed, stop_at=20, postgres=size.postgres)
        figures = {**dict(found.counts.most_common()), "leaks": found.leaks, "missing": found.missing}
        return proof_result.Result(figures, not (found.leaks or found.missing))

    return proof_result.main("access", known, run)


if __name__ == "__main__":
    sys.exit(main())
