from __future__ import annotations

from pathlib import Path

import pytest
from prove_index_kills import Place, prove, server_place

pytestmark = pytest.mark.proof


async def test_a_killed_writer_and_damaged_files_leave_a_start_that_heals_and_finds_as_before(tmp_path: Path) -> None:
    found = await prove(Place(tmp_path, 100), kills=1, damages=1)
    assert found.wrong == []
    assert (found.kills, found.damages, found.embedded_while_healing) == (1, 1, 0)
    assert found.started_broken == 2
    assert found.recall_least == found.recall_before > 0.9


async def test_a_killed_writer_and_a_killed_server_leave_a_shared_index_that_heals_and_finds_as_before(
    tmp_path: Path,
) -> None:
    with server_place(tmp_path, 100) as place:
        found = await prove(place, kills=1, damages=0)
    assert found.wrong == []
    assert (found.killed, found.embedded_while_healing) == ({"both": 1}, 0)
    assert found.recall_least == found.recall_before > 0.9
    assert found.chroma_least > 0.9
