from __future__ import annotations

from pathlib import Path

import pytest
from prove_backup import prove
from sqlalchemy.ext.asyncio import AsyncEngine

pytestmark = pytest.mark.proof


def test_what_is_written_together_is_restored_together(
    engine: AsyncEngine, empty_postgres: str, tmp_path: Path
) -> None:
    url = engine.url.render_as_string(hide_password=False)
    others = [empty_postgres, f"sqlite+aiosqlite:///{tmp_path / 'other.db'}"]
    found = prove(url, others, tmp_path, rows=300, writers=2)
    assert (found.torn, found.lost, found.backups) == ([], [], 2)
    assert found.rows[1] > found.rows[0] > 600
