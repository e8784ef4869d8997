"""The page on evaluation shows a file that can be used as it stands, with every field."""

from __future__ import annotations

import re
from pathlib import Path

from bot.evaluation.golden_file import FIELDS, read_golden
from bot.evaluation.scorers import SCORERS

PAGE = (Path(__file__).parents[3] / "docs/evaluation.md").read_text(encoding="utf-8")


def test_the_golden_questions_that_are_shown_can_be_used(tmp_path: Path) -> None:
    (shown,) = (block for block in re.findall(r"(?ms)^```text\n(.*?)^```$", PAGE) if '"question"' in block)
    file = tmp_path / "golden.jsonl"
    file.write_text(shown, encoding="utf-8")
    golden = read_golden(file)
    assert len(golden.questions) == len(shown.splitlines())
    assert golden.problems == ()
    assert not any("not known" in note for note in golden.notes)


def test_every_field_and_every_scorer_is_explained() -> None:
    explained = re.findall(r"(?m)^\| `(\w+)` \|", PAGE)
    assert explained == [*FIELDS, *SCORERS]
