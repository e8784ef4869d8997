"""The proof of answer recall in short, over the project's own pages; `make prove-recall` runs it at its full length."""

from __future__ import annotations

from pathlib import Path

import prove_recall
import pytest

pytestmark = pytest.mark.proof


async def test_of_edits_of_real_pages_those_that_change_a_cited_passage_are_told_and_no_others(
    tmp_path: Path, models_dir: Path
) -> None:
    found = await prove_recall.prove(
        tmp_path, prove_recall.ROOT / "docs", models_dir, count=10, answers=60, edits=24, seed=3
    )
    assert found.found >= 10
    assert len(found.edits) >= 8
    assert (found.missed, found.false) == ([], [])
