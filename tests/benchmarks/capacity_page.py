"""Makes docs/capacity.md from what was measured (capacity.json, and scale.json for a million chunks)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from options import OUT, ROOT

PAGE = ROOT / "docs" / "capacity.md"
HEADROOM = 0.5
"""The part of a core that answers may use on average in the busiest hour: the rest is for what comes at once."""
BUSIEST_HOUR = 0.2
"""The part of a day's questions that come in its busiest hour."""
WORKING_DAYS = 250
APPENDS = 100
"""Calls of chat.appendStream that Slack takes at least in a minute from an app in a workspace: it is of Tier 4."""
FIRST_READING = 8.0
"""Hours within which everything is read and embedded for the first time, as where it is done in a night."""


@dataclass(frozen=True, slots=True)
class Team:
    """`people`, each of whom asks one question a working day; `chunks`: what they know."""

    people: int
    chunks: int


TEAMS = (Team(50, 10_000), Team(5_000, 200_000), Team(500_000, 1_000_000))

_WORDS = Path(__file__).with_name("capacity_words.md")


def write_capacity(folder: Path, page: Path) -> None:
    """Writes the page from the JSON in `folder`."""
    found, scale = (json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in ("capacity", "scale"))
    of = {measure["name"]: measure["value"] for measure in found["measures"]}
    big = {measure["name"]: measure["value"] for measure in scale["measures"]}
    one, shared = "one bot, SQLite: ", "one bot, PostgreSQL: "
    spent = "processor time of the bots for an answer"
    calls = {name.split()[-4]: value for name, value in of.items() if name.startswith(f"{one}calls of ")}
    page.write_text(
        _WORDS.read_text(encoding="utf-8").format(
            sqlite_core=1000 / of[one + spent],
            postgresql_core=1000 / of[shared + spent],
            sqlite_cpu=of[one + spent],
            postgresql_cpu=of[shared + spent],
            database_cpu=of[shared + "processor time of PostgreSQL for an answer"],
            answers=_table(of, ("one bot, SQLite", "one bot, PostgreSQL", "two bots, PostgreSQL")),
            workers=_table(of, ("one worker", "2 workers")),
            cores=found["machine"]["cores"],
            load=found["machine"]["load_before"],
            worker_pace=of["one worker: chunks read and embedded"],
            worker_cpu=of["one worker: processor time for a chunk"],
            bytes_sqlite=of[one + "database, for an answer"],
            bytes_postgresql=of[shared + "database, for an answer"],
            passages=6,
            scale_memory=big["memory of the knowledge that answers"] / 1000,
            scale_disk=big["disk"] / 1000,
            scale_search=big["search, may read everything"],
            sizes="\n".join(_sizes(of, big)),
            appends=APPENDS,
            each=calls["chat.appendStream"],
            minute=APPENDS / calls["chat.appendStream"],
            calls=", ".join(f"`{name}` {value:.1f} times" for name, value in calls.items()),
        ),
        encoding="utf-8",
    )


def _table(of: dict[str, float], names: tuple[str, ...]) -> str:
    rows = list(dict.fromkeys(name.partition(": ")[2] for name in of if name.startswith(names) and "calls" not in name))
    units = {"answers, while questions wait": " a second", "chunks read and embedded": " a second"}

    def cell(name: str, row: str) -> str:
        value = of.get(f"{name}: {row}")
        unit = units.get(row, " ms" if "processor" in row else " kB" if "database" in row else " MB")
        return "" if value is None else f"{value:.3g}{unit}" if value < 100 else f"{value:.0f}{unit}"

    lines = [f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    return "\n".join(lines + [f"| {row} | {' | '.join(cell(name, row) for name in names)} |" for row in rows])


def _sizes(of: dict[str, float], big: dict[str, float]) -> Iterator[str]:
    yield "| | " + " | ".join(f"{team.people:,} people" for team in TEAMS) + " |"
    yield "|---|" + "---|" * len(TEAMS)
    rows: list[tuple[str, Any]] = [
        ("questions in the busiest hour", lambda team: f"{_hour(team):,.0f}"),
        ("answers a second then", lambda team: f"{_hour(team) / 3600:.2g}"),
        ("database", lambda team: "SQLite" if _bots(team, of) == 1 and team.people <= 50 else "PostgreSQL"),
        ("bots", lambda team: f"{max(_bots(team, of), 1 if team.people <= 50 else 2)}"),
        ("memory of a bot", lambda team: f"{_memory(team, of, big):.1f} GB"),
        ("workers", lambda team: "none" if team.people <= 50 else f"{_workers(team, of)}"),
        ("processor cores of PostgreSQL", lambda team: _cores(team, of)),
        ("database after a year", lambda team: _disk(team, of)),
        ("indexes on disk", lambda team: f"{big['disk'] / 1000 * team.chunks / 1e6:.1f} GB"),
        ("workspaces that Slack needs them spread over", lambda team: f"{_workspaces(team, of)}"),
    ]
    for name, cell in rows:
        yield f"| {name} | {' | '.join(cell(team) for team in TEAMS)} |"


def _hour(team: Team) -> float:
    return team.people * BUSIEST_HOUR


def _bots(team: Team, of: dict[str, float]) -> int:
    seconds = of["two bots, PostgreSQL: processor time of the bots for an answer"] / 1000
    return max(1, math.ceil(_hour(team) / 3600 * seconds / HEADROOM))


def _workers(team: Team, of: dict[str, float]) -> int:
    hours = team.chunks * of["one worker: processor time for a chunk"] / 1000 / 3600
    return max(2, math.ceil(hours / FIRST_READING))


def _cores(team: Team, of: dict[str, float]) -> str:
    if team.people <= 50:
        return "none"
    seconds = of["two bots, PostgreSQL: processor time of PostgreSQL for an answer"] / 1000
    return f"{max(1, math.ceil(_hour(team) / 3600 * seconds / HEADROOM))}"


def _memory(team: Team, of: dict[str, float], big: dict[str, float]) -> float:
    alone = of["one bot, SQLite: greatest memory of a bot"]
    return (alone + big["memory of the knowledge that answers"] * team.chunks / 1e6) / 1000


def _disk(team: Team, of: dict[str, float]) -> str:
    kind = "SQLite" if team.people <= 50 else "PostgreSQL"
    gigabytes = team.people * WORKING_DAYS * of[f"one bot, {kind}: database, for an answer"] / 1e6
    return f"{gigabytes:,.1f} GB" if gigabytes < 100 else f"{gigabytes:,.0f} GB"


def _workspaces(team: Team, of: dict[str, float]) -> int:
    appends = of["one bot, SQLite: calls of chat.appendStream for an answer"]
    return max(1, math.ceil(_hour(team) / 60 * appends / APPENDS))


if __name__ == "__main__":
    write_capacity(OUT, PAGE)
