"""Nothing is shown to anybody who may not read it: random workspaces against a model of who can read what.

Hypothesis makes workspaces (people, guests, strangers, channels of all kinds, documents with their readers) and what
happens in them: people come and go, channels are converted and shared, documents closed, questions asked through every
door. Each prompt, message, modal and listing is held against `access_rules`, which shares no code with the bot.
`make prove-access ARGS="[--cases 20000] [--seed 1]"`; a case is one thing done by a person and looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import proof_result
import structlog
from access_house import DOCUMENTS, KINDS, Findings, World, open_house
from access_rules import Room
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from bot.core import Core
from bot.domain import StrategyName

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = ("U1", "U2", "U3", "U4", "U5")
CHANNELS = ("C1", "C2", "G1", "G2", "M1")
SCOPES = ("outsiders", "everyone", *(f"channel:{c}" for c in CHANNELS), *(f"user:{u}" for u in PEOPLE[:3]))
LOOKED_AT = ("mention", "dm", "private", "another way", "offer", "why", "listing", "shadow")
"""What counts as a case; refusals count too."""


@dataclass(frozen=True)
class Plan:
    """One world and what happens in it; the acts as (name, arguments)."""

    people: dict[str, str]
    rooms: dict[str, Room]
    readers: list[set[str]]
    acts: list[tuple[str, tuple[Any, ...]]]


_person, _channel = st.sampled_from(PEOPLE), st.sampled_from(CHANNELS)
_named, _kind = st.sampled_from(CHANNELS[:4]), st.sampled_from(sorted(KINDS))
_readers = st.sets(st.sampled_from(SCOPES), min_size=1, max_size=2)
_strategy = st.sampled_from([None, StrategyName.RAG, StrategyName.FEW_SHOT, StrategyName.FEW_SHOT])
_door = st.sampled_from(["mention", "dm", "private", "private"])
_ask = st.tuples(st.just("ask"), st.tuples(_door, _person, _channel, st.integers(0, 3), _strategy))
_number = st.integers(-3, 5)  # the last ones too, and one that there is not
_change = st.one_of(
    st.tuples(st.just("move"), st.tuples(_person, _named, st.booleans())),
    st.tuples(st.just("convert"), st.tuples(_named, st.booleans())),
    st.tuples(st.just("share"), st.tuples(_named, st.booleans(), st.booleans())),
    st.tuples(st.just("become"), st.tuples(st.sampled_from(PEOPLE[1:]), _kind, st.booleans())),
    st.tuples(st.just("restrict"), st.tuples(st.integers(0, DOCUMENTS - 1), _readers, st.booleans())),
    st.tuples(st.just("silence"), st.tuples()),
)
_look = st.one_of(
    *(st.tuples(st.just(name), st.tuples(_number, _person)) for name in ("again", "offer", "why", "save")),
    st.tuples(st.just("write"), st.tuples(_person, _named)),
    st.tuples(st.just("listing"), st.tuples(_person)),
    st.tuples(st.just("shadow"), st.tuples(_number)),
)


def _closed(draw: st.DrawFn) -> list[tuple[str, tuple[Any, ...]]]:
    """Half of the documents are for somebody else from now on."""
    first, readers, elsewhere = draw(st.integers(0, 1)), {draw(st.sampled_from(SCOPES))}, draw(st.booleans())
    return [("restrict", (number, readers, elsewhere)) for number in range(first, DOCUMENTS, 2)]


@st.composite
def _scenes(draw: st.DrawFn) -> list[tuple[str, tuple[Any, ...]]]:
    """Something is said in a place, the place changes, and it is talked about again."""
    channel, first, second = draw(_channel), draw(_person), draw(_person)
    named = channel if channel in CHANNELS[:4] else "G1"
    door = draw(st.sampled_from(["mention", "mention", "mention", "dm"]))
    changes = {
        "move": (draw(_person), named, draw(st.booleans())),
        "convert": (named, draw(st.booleans())),
        "share": (named, draw(st.booleans()), draw(st.booleans())),
        "become": (second if second != "U1" else "U2", draw(_kind), draw(st.booleans())),
        "restrict": (),
    }
    change = draw(st.sampled_from(sorted(changes)))
    kept = [("save", (-1, first)), ("write", (first, named))]
    return [
        ("ask", (door, first, channel, 0, StrategyName.RAG)),
        *draw(st.lists(st.sampled_from(kept), max_size=2)),
        *([(change, changes[change])] if change != "restrict" else _closed(draw)),
        *draw(st.lists(_look, max_size=2)),
        ("ask", (door, second if door != "dm" else first, channel, draw(st.integers(0, 1)), draw(_strategy))),
        *draw(st.lists(_look, max_size=2)),
    ]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
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
    loose = draw(st.lists(st.one_of(_ask, _change, _look), max_size=10))
    acts = [*draw(_scenes()), *loose, *draw(_scenes())]
    return Plan({"U1": "member", **others}, rooms, readers, acts)


def _members() -> st.SearchStrategy[set[str]]:
    return st.sets(_person, min_size=2, max_size=4)


async def play(core: Core, plan: Plan, found: Findings) -> None:
    """Lets everything happen that a plan says; what is wrong stands in `found`."""
    world = World(core, plan.people, plan.rooms, found)
    await world.begin(plan.readers)
    silent = False
    for name, arguments in plan.acts:
        if name == "silence":  # Slack tells nothing about the next question, and what it told is too old
            silent, world.now = True, world.now + 60.0
            continue
        world.slack.silent = silent and name == "ask"
        await getattr(world, name)(*arguments)
        silent = silent and name != "ask"


@contextmanager
def proving(models_dir: Path = ROOT / ".models") -> Iterator[Callable[..., Findings]]:
    """Opens the house, and gives a function that makes worlds until so many `cases` were looked at, or `stop_at` leaks
    were found; `number` is the first seed."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory(prefix="access-proof-") as work, asyncio.Runner() as runner:
        house = open_house(Path(work), models_dir)
        core = runner.run(house.__aenter__())
        try:
            yield partial(_proved, runner, core)
        finally:
            runner.run(house.__aexit__(None, None, None))
            structlog.configure(**before)


def prove(cases: int, *, number: int = 1, stop_at: int = 1) -> Findings:
    """The proof in a house of its own."""
    with proving() as run:
        return run(cases, number=number, stop_at=stop_at)


def _proved(runner: asyncio.Runner, core: Core, cases: int, *, number: int = 1, stop_at: int = 1) -> Findings:
    found = Findings()

    def is_done() -> bool:
        return _cases(found) >= cases or len(found.leaks) + len(found.missing) >= stop_at

    def world(plan: Plan) -> None:
        if not is_done():
            found.counts["worlds"] += 1
            found.counts["acts"] += len(plan.acts)
            runner.run(play(core, plan, found))

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


def _cases(found: Findings) -> int:
    return sum(count for name, count in found.counts.items() if name.removesuffix(", refused") in LOOKED_AT)


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Holds what is shown against who may read it.")
    known.add_argument("--cases", type=int, default=20_000)
    known.add_argument("--seed", type=int, default=1)

    def run(size: argparse.Namespace, _: Path) -> proof_result.Result:
        found = prove(size.cases, number=size.seed, stop_at=20)
        figures = {**dict(found.counts.most_common()), "leaks": found.leaks, "missing": found.missing}
        return proof_result.Result(figures, not (found.leaks or found.missing))

    return proof_result.main("access", known, run)


if __name__ == "__main__":
    sys.exit(main())
