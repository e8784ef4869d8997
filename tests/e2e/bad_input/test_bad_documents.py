"""Folders and files that nobody can read: named where an admin asks, while everything else is answered."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from connected_bot import SWITCHBOARD
from house import House, open_house
from structlog.typing import EventDict

from bot.config import Folder
from deploy.workspace.driver import Driver


async def told_by_a_refresh(maya: Driver) -> str:
    await maya.command("/knowledge", "refresh", channel="C0HELP")
    done = await maya.wait_for_ephemeral("C0HELP", lambda m: "up to date" in str(m.get("blocks")))
    return str(done["blocks"])


async def answer_to(maya: Driver, question: str) -> str:
    ts = await maya.post("C0HELP", f"{SWITCHBOARD} {question}")
    return str((await maya.wait_for_reply("C0HELP", ts))["text"])


async def test_files_that_cannot_be_read_are_named_and_cost_no_answer(
    house: House, maya: Driver, lines: list[EventDict]
) -> None:
    (house.docs / "huge.txt").touch()
    os.truncate(house.docs / "huge.txt", 200_000_000)
    (house.docs / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    (house.docs / "deeper").mkdir()
    (house.docs / "deeper" / "up").symlink_to(house.docs)
    (house.docs / "itself.md").symlink_to(house.docs / "itself.md")
    (house.docs / "kantine.txt").write_bytes("Die Kantine öffnet um zwölf Uhr.".encode("cp1252"))
    told = await told_by_a_refresh(maya)
    assert "huge.txt has 200 MB; files above 50 MB are not read" in told
    assert "broken.pdf is a broken PDF" in told
    assert "itself.md cannot be read" in told
    (command,) = [line for line in lines if line["event"] == "command"]
    assert (command["command"], len(command["reference"])) == ("/knowledge", 12)
    await maya.command("/knowledge", "status", channel="C0HELP")
    await maya.wait_for_ephemeral("C0HELP", lambda m: "What I know" in m["text"] and "broken.pdf" in str(m["blocks"]))
    assert "robot deploy rollback" in await answer_to(maya, "How do I roll back a release?")
    assert "öffnet um zwölf" in await answer_to(maya, "Wann öffnet die Kantine?")


async def test_a_folder_that_goes_missing_is_named_and_its_answers_stay(house: House, maya: Driver) -> None:
    shutil.move(house.docs, house.docs.with_name("elsewhere"))
    assert "does not exist" in await told_by_a_refresh(maya)
    assert "robot deploy rollback" in await answer_to(maya, "How do I roll back a release?")


@pytest.mark.parametrize("kind", ["missing", "a file", "a link to itself"])
async def test_a_folder_that_was_never_readable_keeps_no_other_from_being_read(
    tmp_path: Path, models_dir: Path, lines: list[EventDict], kind: str
) -> None:
    wrong = tmp_path / "wrong"
    if kind == "a file":
        wrong.write_text("not a folder", encoding="utf-8")
    elif kind == "a link to itself":
        wrong.symlink_to(wrong)
    folders = (Folder(path=wrong, name="wrong"), Folder(path=tmp_path / "docs", name="handbook"))
    async with open_house(tmp_path, models_dir, folders=folders) as house, house.person() as maya:
        told = await told_by_a_refresh(maya)
        assert "*wrong*" in told
        assert "⚠️" in told
        assert "robot deploy rollback" in await answer_to(maya, "How do I roll back a release?")
    assert {line["source"] for line in lines if line["event"] == "document_not_read"} == {"wrong"}


async def test_a_broken_vector_index_is_rebuilt_with_a_line_that_says_so(
    tmp_path: Path, models_dir: Path, lines: list[EventDict]
) -> None:
    async with open_house(tmp_path, models_dir):
        pass
    broken = [path for path in (tmp_path / "data").rglob("chroma.sqlite3") if path.is_file()]
    assert broken
    for path in broken:
        path.write_bytes(b"garbage " * 512)
    lines.clear()
    async with open_house(tmp_path, models_dir) as house, house.person() as maya:
        assert "robot deploy rollback" in await answer_to(maya, "How do I roll back a release?")
    (rebuilt,) = [line for line in lines if line["event"] == "knowledge.index_rebuilt"]
    assert (rebuilt["index"], rebuilt["source"]) == ("vector index", "database")
