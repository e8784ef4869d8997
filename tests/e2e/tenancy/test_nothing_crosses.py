"""Random acts in two workspaces with the same ids, short: tests/proofs/prove_tenants.py says what is looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from prove_tenants import TEAMS, Found, prove

from bot.tenancy import front_door
from bot.tenancy.whose import JSON, Whose, whose

pytestmark = pytest.mark.proof

ACTS = 12
FINDS = 18
"""A seed whose first act is a question by `/ask` that the documents of both answer."""


async def test_whatever_is_done_in_one_workspace_shows_and_changes_nothing_of_the_other(
    tmp_path: Path, models_dir: Path
) -> None:
    _nothing_crossed(await prove(tmp_path, models_dir, ACTS, seed=7))


async def test_the_same_holds_in_schemas_of_one_postgresql(
    tmp_path: Path, models_dir: Path, empty_postgres: str
) -> None:
    _nothing_crossed(await prove(tmp_path, models_dir, ACTS, seed=8, database=empty_postgres))


async def test_a_door_that_hands_commands_to_the_wrong_house_is_found(
    tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def astray(payload: JSON) -> Whose | None:
        found = whose(payload)
        if found is None or "command" not in payload:
            return found
        return replace(found, workspace=TEAMS[1 - TEAMS.index(found.workspace)])

    monkeypatch.setattr(front_door, "whose", astray)
    found = await prove(tmp_path, models_dir, acts=2, seed=FINDS)
    assert found.leaks
    assert found.changes


def _nothing_crossed(found: Found) -> None:
    assert (found.acts, found.looks) == (ACTS, ACTS)
    assert found.refused < ACTS / 3
    assert found.leaks == []
    assert found.changes == []
