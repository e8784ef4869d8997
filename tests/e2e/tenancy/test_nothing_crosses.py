"""Random acts in two workspaces with the same ids, short: tests/proofs/prove_tenants.py says what is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from prove_tenants import prove


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_whatever_is_done_in_one_workspace_shows_and_changes_nothing_of_the_other(
    kind: str, tmp_path: Path, models_dir: Path, request: pytest.FixtureRequest
) -> None:
    database = request.getfixturevalue("empty_postgres") if kind == "postgres" else ""
    found = await prove(tmp_path, models_dir, acts=12, seed=7, database=database)
    assert (found.acts, found.looks) == (12, 12)
    assert found.leaks == []
    assert found.changes == []
