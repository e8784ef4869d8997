"""Two workspaces of one process, as `bot.tenancy` opens them, for the proof of who can read what: people, channels and
documents have the same ids and names in both, and each has words that stand in it alone."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa
from access_rules import TOKEN
from pydantic import SecretStr
from words_embedder import WordsEmbedder

import bot.core
from bot.config import Folder, Knowledge, Limits, Own, Settings, Storage
from bot.core import Core, open_core
from bot.costs.budget import BudgetScope
from bot.storage.engine import open_engine
from bot.tenancy import place
from bot.tenancy.settings import settings_of

TEAMS = ("T0ACME", "T0ROBO")
DOCUMENTS = 6
_FIRST = 1000
"""The number of the first word that somebody says; those below are of documents."""


def token(number: int) -> str:
    """A word by its number. The first ones are names of documents, which both workspaces have."""
    return f"zq{number}x"


def is_of(word: str, side: int) -> bool:
    """Whether a word may stand in a workspace."""
    number = int(word[2:-1])
    if number < DOCUMENTS:
        return True
    return (number // 100 - 1 if number < _FIRST else number % 2) == side


@dataclass
class House:
    """One of the two workspaces, with what was given to it over all worlds. `side`: 0 or 1."""

    side: int
    core: Core
    moment: datetime
    """At which everything is paid, so that all of it is in one month."""
    held: dict[int, set[str]] = field(default_factory=dict)
    """The readers of its documents that its indexes know."""
    limits: dict[tuple[BudgetScope, str], Decimal] = field(default_factory=dict)
    spent: defaultdict[tuple[BudgetScope, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    strayed: list[str] = field(default_factory=list)
    """Statements at its database that named something of the other one."""

    def __post_init__(self) -> None:
        self._said = itertools.count(_FIRST + self.side, 2)

    @property
    def team(self) -> str:
        """Its id."""
        return TEAMS[self.side]

    def word(self, document: int) -> str:
        """The word that stands in the text of a document here alone."""
        return _word(self.side, document)

    def new_word(self) -> str:
        """One for what somebody says here."""
        return token(next(self._said))


@asynccontextmanager
async def open_houses(folder: Path, models_dir: Path, database: str = "") -> AsyncIterator[tuple[House, House]]:
    """Both over documents of the same names, each with a file in SQLite or a schema in the PostgreSQL of `database`."""
    settings = Settings(
        data_dir=folder / "data",
        models_dir=models_dir,
        storage=Storage(url=SecretStr(database)),
        limits=Limits(person=0, channel=0),  # a world's people ask faster than people do
        workspaces={team: Own(knowledge=_documents(folder, side)) for side, team in enumerate(TEAMS)},
    )
    houses = []
    async with AsyncExitStack() as stack:
        # The real one takes most of a question's time.
        stack.enter_context(patch.object(bot.core, "MiniLM", lambda _: WordsEmbedder()))
        registry = open_engine(settings.database_url)
        stack.push_async_callback(registry.dispose)
        for side, team in enumerate(TEAMS):
            await place.make_room(registry, settings, team)
            core = await stack.enter_async_context(open_core(settings_of(settings, team)))
            await core.knowledge.refresh()
            houses.append(House(side, core, core.clock()))
        first, second = houses
        with _watched(first, second):
            yield first, second


def _word(side: int, document: int) -> str:
    return token(100 * (side + 1) + document)


def _documents(folder: Path, side: int) -> Knowledge:
    """Documents whose name is in their titles, links and sources, and whose text says in which workspace they are."""
    folders = []
    for number in range(DOCUMENTS):
        name, where = token(number), folder / TEAMS[side] / token(number)
        where.mkdir(parents=True)
        kept = "in the red safe" if number % 2 else "in the blue safe behind the old oak door of the great hall"
        text = f"# The plan {name}\n\nThe launch code of the plan {_word(side, number)} is kept {kept}. It is {name}.\n"
        (where / f"{name}.md").write_text(text, encoding="utf-8")
        folders.append(Folder(path=where, name=f"source-{name}", link_base=f"https://{name}.example/"))
    return Knowledge(folders=tuple(folders))


@contextmanager
def _watched(*houses: House) -> Iterator[None]:
    """Every statement at one's database that names something of the other is noted."""
    by_url: dict[sa.URL, House] = {}

    def noted(connection: sa.Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        url = connection.engine.url
        if url not in by_url:
            there = url.render_as_string().lower()
            by_url[url] = next(house for house in houses if house.team.lower() in there)
        house = by_url[url]
        if any(not is_of(word, house.side) for word in TOKEN.findall(repr(parameters))):
            house.strayed.append(f"a statement at the database of {house.team}: {statement[:60]}")

    sa.event.listen(sa.Engine, "before_cursor_execute", noted)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", noted)
