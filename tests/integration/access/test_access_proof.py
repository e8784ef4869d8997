"""The short forms of two proofs; `make prove-access` and `make prove-access_mutants` run them at full length."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prove_access import LOOKED_AT, prove
from warm import script

from bot.assistant import Assistant
from bot.costs.budgets import Budgets, Spender
from bot.domain import Question
from knowledge.documents import SearchResult
from knowledge.knowledge_base import KnowledgeBase

pytestmark = pytest.mark.proof

PROOFS = Path(__file__).parents[2] / "proofs"


def test_nothing_is_shown_to_anybody_who_may_not_read_it_and_all_of_it_to_those_who_may() -> None:
    found = prove(200)
    assert (found.leaks, found.missing) == ([], [])
    assert found.counts["cases"] >= 200
    assert {name.removesuffix(", refused") for name in found.counts} >= set(LOOKED_AT)
    for kind in ("passages", "examples", "earlier answers"):
        assert found.counts[f"prompts with {kind}"] > 5, kind


async def _remembered_search(self: KnowledgeBase, text: str, **options: Any) -> SearchResult:
    key = (text, *options.values())
    if key not in _SHARED:
        _SHARED[key] = await _search(self, text, **options)
    found: SearchResult = _SHARED[key]
    return found


async def _remembered_question(self: Assistant, id: str) -> Question | None:
    _SHARED.setdefault(id, await _asked(self, id))
    found: Question | None = _SHARED[id] if _SHARED[id] is not None else _SHARED.pop(id)
    return found


def _budgets_of_all(self: Budgets, connection: sa.Connection, spender: Spender, *rest: Any) -> None:
    _hold(_SHARED.setdefault("budgets", self), connection, spender, *rest)


_SHARED: dict[Any, Any] = {}
_search, _asked, _hold = KnowledgeBase.search, Assistant.asked, Budgets.hold
MISTAKES = {
    "search": (KnowledgeBase, "search", _remembered_search),
    "questions": (Assistant, "asked", _remembered_question),
    "budgets": (Budgets, "hold", _budgets_of_all),
}


@pytest.mark.parametrize("shared", MISTAKES)
def test_what_two_workspaces_share_by_mistake_is_found(shared: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _SHARED.clear()
    monkeypatch.setattr(*MISTAKES[shared])
    found = prove(1000)
    assert found.leaks + found.missing


def test_a_mistake_in_the_code_that_decides_who_reads_what_is_found(tmp_path: Path) -> None:
    wrong = r"of_guest → of_person|_is_read_outside#1:|question_id in allowed → NotIn"
    told = script(PROOFS / "prove_access_mutants.py", "--only", wrong, "--cases", "400", cwd=tmp_path)
    assert told.status == 0, told.out
    figures = json.loads(told.out)["figures"]
    assert (figures["mutants"], figures["killed"]) == (3, 3)
