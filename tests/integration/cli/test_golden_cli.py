"""`switchboard golden` and `switchboard evaluate --from-team`, as a person types them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import warm

from bot.config import Settings
from bot.core import open_core
from bot.learning.reviewed import Draft
from knowledge.access import PUBLIC

DOCUMENT = "# Rolling back a release\nTo roll back a release, run `undo` and name the release that worked.\n"
ASKED = "How do I roll back a release?"


@pytest.fixture
def folder(tmp_path: Path, models_dir: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deploying.md").write_text(DOCUMENT)
    (tmp_path / "switchboard.toml").write_text(
        f'data_dir = "data"\nmodels_dir = "{models_dir}"\n[[knowledge.folders]]\npath = "docs"\n'
    )
    return tmp_path


def run(folder: Path, *words: str) -> warm.Ended:
    return warm.switchboard(*words, cwd=folder)


def keep(folder: Path, models_dir: Path) -> None:
    """Two that people kept; one of them may be out of date."""

    async def put() -> None:
        async with open_core(Settings(data_dir=folder / "data", models_dir=models_dir)) as core:
            async with core.engine.begin() as connection:
                for number, question in enumerate((ASKED, "Who deploys?")):
                    await core.golden.put(
                        connection,
                        Draft.of(question, "undo"),
                        PUBLIC,
                        question_id=f"q{number}",
                        channel="C0HELP",
                        source=f"https://team.example/archives/C0HELP/p{number}",
                        author="U0SAM",
                        by="U0MAYA",
                        example_id=None,
                    )
            await core.golden.flag("q1", "Its source “Deploys” has changed.", "answer recall")

    asyncio.run(put())


def test_what_people_kept_is_listed_looked_at_retired_and_evaluated(folder: Path, models_dir: Path) -> None:
    done = run(folder, "evaluate", "--from-team")
    assert done.status == 1
    assert "People have kept no golden question that can be used here." in done.err
    keep(folder, models_dir)
    listed = run(folder, "golden", "list").out
    assert "2 golden questions." in listed
    assert "answer by U0SAM · reviewed by U0MAYA" in listed
    assert "https://team.example/archives/C0HELP/p0" in listed
    flagged = run(folder, "golden", "list", "--flagged").out
    assert "flagged by answer recall" in flagged
    assert ASKED not in flagged
    done = run(folder, "evaluate", "--from-team", "--name", "first")
    assert done.status == 0, done.err
    assert "1 golden question of team" in done.out
    assert "1 golden question may be out of date and was left out" in done.err
    id = next(line.split()[0] for line in listed.splitlines() if "Who deploys?" in line)
    assert "The warning is gone: “Who deploys?” is in evaluations again." in run(folder, "golden", "keep", id).out
    assert "Retired: “Who deploys?”." in run(folder, "golden", "retire", id, "--why", "Robots do.").out
    assert "Robots do." in run(folder, "golden", "list", "--retired").out
    assert "1 golden question." in run(folder, "golden", "list").out
    assert "Brought back: “Who deploys?”." in run(folder, "golden", "retire", id, "--undo").out


def test_what_cannot_be_done_is_refused_in_a_sentence(folder: Path) -> None:
    done = run(folder, "golden", "retire", "abc")
    assert done.status == 1
    assert "No one golden question is meant by “abc”: there is none." in done.err
    both = run(folder, "evaluate", "--from-team", "--from-thumbs")
    assert both.status == 2
    assert "--from-team" in both.err
