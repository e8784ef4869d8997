"""`switchboard examples`: a file in, the list, one retired, and the same file out."""

from __future__ import annotations

from pathlib import Path

import pytest
import warm

CONFIG = """
data_dir = "data"
models_dir = "{models}"

[[knowledge.folders]]
path = "docs"

[report]
time_zone = "Europe/Berlin"
"""
FILE = "question,answer,tags,valid_until\r\nWhere is the canteen?,Downstairs.,food,2099-01-31\r\nWho cooks?,Ana.,,\r\n"


@pytest.fixture
def folder(tmp_path: Path, models_dir: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "switchboard.toml").write_text(CONFIG.format(models=models_dir), encoding="utf-8")
    return tmp_path


def run(folder: Path, *words: str) -> warm.Ended:
    return warm.switchboard("examples", *words, cwd=folder)


def test_what_is_taken_in_is_listed_retired_brought_back_and_written_again(folder: Path) -> None:
    (folder / "team.csv").write_text(FILE, encoding="utf-8", newline="")
    done = run(folder, "import", "team.csv")
    assert done.status == 0, done.err
    assert "team.csv: 2 kept." in done.out
    listed = run(folder, "list").out
    assert "Where is the canteen?" in listed
    assert "valid until 2099-01-31" in listed
    id = next(line.split()[0] for line in listed.splitlines() if "Who cooks?" in line)
    assert "Retired: “Who cooks?”." in run(folder, "retire", id, "--why", "She left.").out
    assert "retired by" in (retired := run(folder, "list", "--retired").out)
    assert "She left." in retired
    assert "Who cooks?" not in run(folder, "list").out
    assert "Brought back: “Who cooks?”." in run(folder, "retire", id, "--undo").out
    again = run(folder, "import", "team.csv")
    assert "team.csv: 0 kept, 2 merged with ones that asked the same." in again.out
    assert run(folder, "export", "--to", "out.csv").status == 0
    assert sorted((folder / "out.csv").read_text(encoding="utf-8").splitlines()) == sorted(FILE.splitlines())


def test_what_cannot_be_done_is_refused_in_a_sentence(folder: Path) -> None:
    for words, sentence in (
        (("import", "none.csv"), "none.csv cannot be read"),
        (("retire", "abc"), "No one example is meant by “abc”: there is none."),
        (("import", "team.csv", "--readers", "all"), "“all” does not say who may read"),
    ):
        (folder / "team.csv").write_text(FILE, encoding="utf-8")
        done = run(folder, *words)
        assert done.status == 1
        assert sentence in done.err
