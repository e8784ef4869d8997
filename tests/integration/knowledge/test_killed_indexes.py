from __future__ import annotations

from pathlib import Path

import pytest
from prove_index_kills import prove

pytestmark = pytest.mark.proof


async def test_a_killed_writer_and_damaged_files_leave_a_start_that_heals_and_finds_as_before(tmp_path: Path) -> None:
    found = await prove(tmp_path, kills=1, damages=1, pages=100)
    assert found.wrong == []
    assert (found.kills, found.damages, found.embedded_while_healing) == (1, 1, 0)
    assert found.started_broken == 2
    assert found.recall_least == found.recall_before > 0.9
