"""The whole bot with what it logs, for what nobody should send and what nobody should answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from house import House, open_house
from structlog.testing import capture_logs
from structlog.typing import EventDict

from deploy.workspace.driver import Driver


@pytest.fixture
def lines() -> Iterator[list[EventDict]]:
    """All that is logged, each line with the correlation id that it is written under."""
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as found:
        yield found


@pytest.fixture
async def house(tmp_path: Path, models_dir: Path) -> AsyncIterator[House]:
    """With the offline model alone."""
    async with open_house(tmp_path, models_dir) as running:
        yield running


@pytest.fixture
async def maya(house: House) -> AsyncIterator[Driver]:
    async with house.person("U0MAYA") as driver:
        yield driver
