"""Where a refresh ends, examples are held against the texts that changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.audit import Audit
from bot.config import Folder, Knowledge, Settings
from bot.core import Core, open_core
from bot.domain import Example
from bot.learning.checking import CheckingExamples
from bot.learning.editor import Editor
from knowledge.access import MEMBERS, PUBLIC

ASKED = "How many days of vacation are there?"
ANSWER = "Everybody has 30 days of vacation a year."


@dataclass
class House:
    """A bot with two folders, one of them for #finance alone."""

    core: Core
    folder: Path
    checking: CheckingExamples

    async def write(self, text: str, name: str = "vacation.md", folder: str = "docs") -> int:
        (self.folder / folder / name).write_text(text, encoding="utf-8")
        await self.core.knowledge.refresh()
        return await self.checking.run()

    async def flags(self, scopes: frozenset[str] | None = None) -> list[str]:
        return [one.flag.why for one in await self.core.examples.listed(scopes) if one.flag]

    async def save(self, readers: frozenset[str] = PUBLIC) -> Example:
        return await self.core.examples.save(ASKED, ANSWER, readers, "U0MAYA")


@pytest.fixture
async def house(tmp_path: Path, models_dir: Path) -> AsyncIterator[House]:
    for name in ("docs", "finance"):
        (tmp_path / name).mkdir()
    folders = (
        Folder(path=tmp_path / "docs", name="docs"),
        Folder(path=tmp_path / "finance", name="finance", readers=("channel:G0FIN",)),
    )
    settings = Settings(data_dir=tmp_path / "data", models_dir=models_dir, knowledge=Knowledge(folders=folders))
    async with open_core(settings) as core:
        house = House(core, tmp_path, core.checking_examples)
        await house.write(f"# Vacation\n\n{ANSWER} Ask Ana.\n")
        yield house


async def test_an_example_that_a_changed_document_contradicts_is_flagged_once_and_until_it_is_confirmed(
    house: House,
) -> None:
    one = await house.save()
    assert await house.write("# Vacation\n\nEverybody has 28 days of vacation a year. Ask Ana.\n") == 1
    told = ["It may be out of date: Vacation says “Everybody has 28 days of vacation a year.”"]
    assert await house.flags(MEMBERS) == told
    assert await house.checking.run() == 0
    await house.core.examples.confirm(one.id, Editor("U0MAYA", MEMBERS))
    assert await house.checking.run() == 0
    assert await house.flags() == []
    entries = [entry.action for entry in await Audit(house.core.engine).entries()]
    assert entries[:2] == ["example confirmed", "example flagged"]


async def test_what_another_section_of_the_same_document_says_is_no_contradiction_while_the_answer_stands(
    house: House,
) -> None:
    long = "The rest of this page tells how holidays are asked for and who grants them. " * 30
    trainees = "All trainees have 25 days of vacation."
    page = f"# Vacation\n\n## All\n\n{long}\n\n{ANSWER}\n\n## Trainees\n\n{long}\n\n{trainees}\n"
    assert await house.write(page) == 0
    await house.save()
    assert await house.write(page.replace("25 days", "26 days")) == 0
    assert await house.write(page.replace("25 days", "26 days").replace("30 days", "28 days")) == 1


async def test_what_was_there_before_what_says_the_same_and_what_is_elsewhere_flags_nothing(house: House) -> None:
    await house.save()
    assert await house.checking.run() == 0
    assert await house.write(f"# Vacation\n\n{ANSWER} Ask Ana or Leo.\n\nSick days are not counted.\n") == 0
    assert await house.write("# Canteen\n\nLunch costs 7 euros a day.\n", "canteen.md") == 0
    assert await house.flags() == []


async def test_the_words_of_a_document_are_shown_only_to_who_may_read_it(house: House) -> None:
    await house.save(frozenset({"channel:G0FIN"}))
    changed = "# Bands\n\nEverybody has 28 days of vacation a year.\n"
    assert await house.write(changed, "bands.md", "finance") == 1
    assert "28" in (await house.flags(MEMBERS | {"channel:G0FIN"}))[0]
    (house.folder / "finance" / "bands.md").unlink()
    await house.core.knowledge.refresh()
    (hidden,) = await house.flags(MEMBERS | {"channel:G0FIN"})
    assert hidden == "It may be out of date: a document that you may not read says otherwise."


async def test_a_document_that_nobody_of_its_readers_may_read_says_nothing_of_an_example(house: House) -> None:
    await house.save()
    assert await house.write("# Bands\n\nEverybody has 28 days of vacation a year.\n", "bands.md", "finance") == 0
