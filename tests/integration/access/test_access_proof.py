"""The short forms of two proofs; `make prove-access` and `make prove-access_mutants` run them at full length."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from prove_access import LOOKED_AT, prove
from warm import script

pytestmark = pytest.mark.proof

PROOFS = Path(__file__).parents[2] / "proofs"


def test_nothing_is_shown_to_anybody_who_may_not_read_it_and_all_of_it_to_those_who_may() -> None:
    found = prove(200)
    assert (found.leaks, found.missing) == ([], [])
    assert found.counts["cases"] >= 200
    assert {name for name in LOOKED_AT if found.counts[name]} == set(LOOKED_AT)
    for kind in ("passages", "examples", "earlier answers"):
        assert found.counts[f"prompts with {kind}"] > 5, kind


def test_a_mistake_in_the_code_that_decides_who_reads_what_is_found(tmp_path: Path) -> None:
    wrong = r"of_guest → of_person|_is_read_outside#1:|question_id in allowed → NotIn"
    told = script(PROOFS / "prove_access_mutants.py", "--only", wrong, "--cases", "400", cwd=tmp_path)
    assert told.status == 0, told.out
    figures = json.loads(told.out)["figures"]
    assert (figures["mutants"], figures["killed"]) == (3, 3)
