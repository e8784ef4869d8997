"""Random acts in two workspaces with the same ids, short: tests/proofs/prove_tenants.py says what is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from prove_tenants import Found, prove

pytestmark = pytest.mark.proof

ACTS = 12


async def test_whatever_is_done_in_one_workspace_shows_and_changes_nothing_of_the_other(
    tmp_path: Path, models_dir: Path
) -> None:
    _nothing_crossed(await prove(tmp_path, models_dir, ACTS, seed=7))


async def test_the_same_holds_in_schemas_of_one_postgresql(
    tmp_path: Path, models_dir: Path, empty_postgres: str
) -> None:
    _nothing_crossed(await prove(tmp_path, models_dir, ACTS, seed=8, database=empty_postgres))


def _nothing_crossed(found: Found) -> None:
    assert (found.acts, found.looks) == (ACTS, ACTS)
    assert found.refused < ACTS / 3
    assert found.leaks == []
    assert found.changes == []
