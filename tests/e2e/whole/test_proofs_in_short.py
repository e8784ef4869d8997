"""The proofs of what is never lost, in short; `make prove-kills` and `make prove-burst` run them at full length."""

from __future__ import annotations

from pathlib import Path

import prove_burst
import prove_kills
import pytest

pytestmark = pytest.mark.proof


async def test_questions_and_calls_survive_kills_under_load(tmp_path: Path) -> None:
    found = await prove_kills.prove(tmp_path, "sqlite", kills=2, rate=3, seed=5, uptime=2)
    assert found.questions > 0
    assert found.answered + len(found.given_up) == found.questions
    assert found.is_kept, found


async def test_of_a_burst_nobody_is_lost_and_whoever_waits_is_told(tmp_path: Path) -> None:
    found = await prove_burst.prove(tmp_path, "sqlite", questions=80, seconds=0.4)
    assert found.answered == 80
    assert found.told > 0
    assert (found.lost, found.wrong, found.untold, found.not_acknowledged) == ([], [], [], 0)
