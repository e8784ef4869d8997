"""What a hosted source is opened with."""

from __future__ import annotations

from pathlib import Path

import pytest
from service_server import TOKEN

from knowledge.sources.kinds import SourceContext


@pytest.fixture
def context(tmp_path: Path) -> SourceContext:
    return SourceContext(tmp_path / "cache", lambda name: TOKEN if name.endswith("_TOKEN") else None)
