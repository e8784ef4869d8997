from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from chroma_server import OwnChroma
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.config import Knowledge, Settings
from bot.errors import StorageError
from bot.storage.engine import open_engine, upgrade
from bot.tenancy import place
from bot.tenancy.settings import settings_of
from knowledge.chroma import ChromaServer
from knowledge.index import VectorIndex
from knowledge.schema import standing
from knowledge.server_home import ServerHome


async def indexed(settings: Settings, workspace: str) -> VectorIndex:
    """A workspace with an index on the server."""
    own = settings_of(settings, workspace)
    own.data_dir.mkdir(parents=True)
    engine = open_engine(own.database_url)
    await upgrade(engine, "knowledge:migrations", "knowledge_version")
    async with engine.connect() as connection:
        house = (await connection.execute(sa.select(standing.c.house))).scalar_one()
    await engine.dispose()
    home = ServerHome(ChromaServer(settings.knowledge.chroma), "a model")
    home.house = house
    index = VectorIndex(home, 4)
    index.recreate()
    return index


async def test_the_vectors_of_a_workspace_that_left_go_from_the_server_and_those_of_others_stay(
    sqlite_engine: AsyncEngine, tmp_path: Path, chroma: OwnChroma
) -> None:
    settings = Settings(data_dir=tmp_path / "data", knowledge=Knowledge(chroma=chroma.address))
    left, other = await indexed(settings, "T1"), await indexed(settings, "T2")
    away = settings.model_copy(update={"knowledge": Knowledge(chroma="http://127.0.0.1:1")})
    async with sqlite_engine.begin() as connection:
        # Where the server is away, nothing is taken away yet: else nobody would know its name there any more.
        with pytest.raises(StorageError, match="cannot be reached"):
            await place.remove(connection, away, "T1")
        assert left.count() == 0
        await place.remove(connection, settings, "T1")
        await place.remove(connection, settings, "T3")  # one that was never opened
    assert not (tmp_path / "data" / "workspaces" / "T1").exists()
    with pytest.raises(Exception, match="does not exist"):
        left.count()
    assert other.count() == 0
    left.close()
    other.close()
