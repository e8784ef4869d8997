"""The choice of examples reaches its mark on the trial data, where that is here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import warm
from options import DATA

pytestmark = pytest.mark.proof

HERE = Path(__file__).resolve().parent


def measured(folder: Path, *words: str) -> dict[str, dict[str, object]]:
    done = warm.script(HERE / "bench_examples.py", "--out", str(folder), *words, cwd=folder)
    assert done.status == 0, done.out + done.err
    result = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    assert result["absent"] is None
    return {measure["name"]: measure for measure in result["measures"]}


def test_the_short_form_runs_without_the_trial_data(tmp_path: Path) -> None:
    assert "the right label among the five: as chosen" in measured(tmp_path, "--short")


@pytest.mark.skipif(not (DATA / "selector").is_dir(), reason="the trial data is not here")
def test_the_five_that_are_shown_are_right_two_points_more_often_than_the_five_nearest(tmp_path: Path) -> None:
    found = measured(tmp_path)
    marked = [measure for name, measure in found.items() if name.endswith("as chosen")]
    assert len(marked) == 3
    assert [measure["met"] for measure in marked] == [True, True, True]
