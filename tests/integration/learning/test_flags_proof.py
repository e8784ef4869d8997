"""The proof of false flags in short, over the project's own pages; `make prove-flags` runs it at its full length."""

from __future__ import annotations

from pathlib import Path

import prove_flags
import pytest
from prove_recall import ROOT

pytestmark = pytest.mark.proof


async def test_examples_of_real_pages_are_flagged_where_their_words_changed_and_hardly_anywhere_else(
    tmp_path: Path, models_dir: Path
) -> None:
    found = await prove_flags.prove(tmp_path, ROOT / "docs", models_dir, count=30, examples=80, rounds=2, seed=2)
    assert sum(found.changed.values()) >= 20
    assert 2 * sum(found.seen.values()) > sum(found.changed.values())
    assert sum(found.false.values()) < prove_flags.ALLOWED * sum(found.held.values())
