"""A short form of the proof that nothing malformed breaks a handler or a door."""

from __future__ import annotations

from pathlib import Path

import pytest
from prove_fuzz import prove

from bot.config import Limits

pytestmark = pytest.mark.proof


def test_nothing_malformed_breaks_a_handler_or_a_door(tmp_path: Path, models_dir: Path) -> None:
    found = prove(tmp_path, models_dir, 300, 120, 10, number=9, limits=Limits(), methods=["chat.update"])
    assert found.errors == {}
    assert {what: count for what, count in found.failures.items() if not what.startswith("late")} == {}
    assert (found.payloads, found.requests) == (300, 120)
    assert found.acknowledged == {200: 300}
    assert {200, 400, 401, 404, 405} <= set(found.answered)
