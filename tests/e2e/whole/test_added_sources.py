"""Sources that were added while the bot ran."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from house import open_house

from bot.errors import SourceExists, SourceNotFound
from bot.storage.tables import added_sources
from knowledge import access
from knowledge.sources.kinds import SourceSpec


def later() -> datetime:
    """Now, for whoever starts next: workers are asked for a first refresh once in a minute."""
    return datetime.now(UTC) + timedelta(minutes=1)


async def test_an_added_source_is_known_and_read_after_a_restart(tmp_path: Path, models_dir: Path) -> None:
    guides = tmp_path / "guides"
    guides.mkdir()
    (guides / "mugs.md").write_text("# Mugs\n\nThe blue mugs belong to the robot team.\n", encoding="utf-8")
    async with open_house(tmp_path, models_dir) as house:
        spec = SourceSpec("mugs", "folder", access.PUBLIC, {"path": str(guides)})
        await house.app.core.sources.add(spec, "U0MAYA")
        await house.app.core.knowledge.refresh()
        with pytest.raises(SourceExists, match="“mugs” already"):
            await house.app.core.sources.add(spec, "U0LEO")
    (guides / "mugs.md").write_text("# Mugs\n\nThe green mugs belong to the robot team.\n", encoding="utf-8")
    async with open_house(tmp_path, models_dir, clock=later) as house:
        found = await house.app.core.knowledge.search("mugs", scopes=access.PUBLIC)
        assert "green mugs" in found.passages[0].text
        assert [(each.spec.name, each.origin) for each in await house.app.core.sources.all()][-1] == ("mugs", "U0MAYA")
        await house.app.core.sources.forget("mugs", by="U0MAYA")
        with pytest.raises(SourceNotFound, match="The sources are: “handbook”, “finance”"):
            await house.app.core.sources.forget("mugs", by="U0MAYA")
    async with open_house(tmp_path, models_dir) as house:
        assert "mugs" not in [each.spec.name for each in await house.app.core.sources.all()]


async def test_a_source_whose_plug_in_is_gone_says_so_and_the_rest_is_read(tmp_path: Path, models_dir: Path) -> None:
    async with open_house(tmp_path, models_dir) as house:
        row = {"name": "wiki", "kind": "ourwiki", "options": {}, "readers": "everyone", "added_by": "U0MAYA"}
        async with house.app.core.engine.begin() as connection:
            await connection.execute(sa.insert(added_sources).values(**row, added_at=house.app.core.clock()))
    async with open_house(tmp_path, models_dir, clock=later) as house:
        status = {each.name: each for each in await house.app.core.knowledge.status()}
        assert "no kind of source called “ourwiki”" in status["wiki"].problems[0].sentence
        assert status["handbook"].documents == 2
