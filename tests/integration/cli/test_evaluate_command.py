"""`switchboard evaluate` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import warm
from typer.testing import CliRunner, Result

from bot.cli import app

DOCUMENT = "# Rolling back a release\nTo roll back a release, run `undo` and name the release that worked.\n"
GOLDEN = (
    "question,answer,source,group\n"
    "How do I roll back a release?,undo,,deploying\n"
    "What is run to roll back a release?,,deploying.md,deploying\n"
    ",undo,,\n"
)


@pytest.fixture
def folder(tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deploying.md").write_text(DOCUMENT)
    (tmp_path / "switchboard.toml").write_text(f'models_dir = "{models_dir}"\n[[knowledge.folders]]\npath = "docs"\n')
    (tmp_path / "golden.csv").write_text(GOLDEN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def switchboard(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", *arguments], catch_exceptions=False)


def refused(folder: Path, *arguments: str) -> str:
    """What a person reads on the error channel when the command ends with status 1."""
    done = warm.switchboard("evaluate", *arguments, cwd=folder)
    assert done.status == 1
    assert "Traceback" not in done.err
    return done.err


def test_golden_questions_become_a_table_and_a_run_that_is_shown_again(folder: Path) -> None:
    done = switchboard("golden.csv", "--name", "first")
    lines = done.stdout.splitlines()
    assert lines[0] == "2 golden questions of golden.csv"
    row = next(line for line in lines if line.startswith("rag · offline"))
    assert row.split()[3:] == ["1.000", "–", "2", "$0", row.split()[7], "best", "value", "0"]
    assert any(line.split()[:4] == ["the", "selector's", "choice", "1.000"] for line in lines)
    assert "This run is called first; it cost $0." in done.stdout
    assert "Line 4: it has no question." in done.stderr
    assert "With 2 questions every interval is wide" in done.stderr
    shown = switchboard("--show", "first").stdout
    assert done.stdout.startswith(shown)
    assert "to fit them on your own questions, 30 are needed, and these are 2." in done.stdout[len(shown) :]
    listed = switchboard("--list").stdout
    assert listed.splitlines()[1].startswith("first")


def test_json_is_all_that_stands_on_the_output(folder: Path) -> None:
    document = json.loads(switchboard("golden.csv", "--json").stdout)
    assert len(document["questions"]) == 2
    assert document["run"]["name"].startswith("golden-")
    (listed,) = json.loads(switchboard("--list", "--json").stdout)
    assert listed["id"] == document["run"]["id"]


def test_without_any_run_the_list_says_how_to_make_one(folder: Path) -> None:
    assert "`switchboard evaluate golden.jsonl`" in switchboard("--list").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("golden.csv", "--from-thumbs"),
        ("golden.csv", "--budget", "some"),
        ("a", "--budget", "-1"),
        ("--resume", "last", "--judge", "offline"),
    ],
)
def test_a_command_that_was_written_wrongly_ends_with_status_2(folder: Path, arguments: tuple[str, ...]) -> None:
    assert switchboard(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("missing.jsonl",), "missing.jsonl cannot be read"),
        (("golden.csv", "--models", "offlien"), "Did you mean offline"),
        (("golden.csv", "--judge", "offlien"), "Did you mean offline"),
        (("golden.csv", "--strategies", "rag,guess"), "There is no strategy “guess”"),
        (("golden.csv", "--as", "maya"), "does not say who may read"),
        (("--from-thumbs",), "There are no golden questions in thumbs"),
        (("golden.csv", "--name", "last"), "No run can be called “last”"),
        (("--show", "nothing"), "There is no run “nothing”"),
        (("--resume", "last"), "`switchboard evaluate --list` shows those that were kept"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence_and_status_1(
    folder: Path, arguments: tuple[str, ...], told: str
) -> None:
    assert told in refused(folder, *arguments)
