from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.bases import Bases
from bot.learning.examples import Examples
from bot.storage.tables import examples
from knowledge.access import PUBLIC
from knowledge.contents import Contents
from knowledge.database import Database
from knowledge.embedding.base import Embedder
from knowledge.embedding.minilm import MiniLM


def opened(engine: AsyncEngine, embedder: Embedder) -> Examples:
    return Examples(engine, embedder, Bases(engine, Contents(Database(engine))))


@pytest.fixture
async def embedder(models_dir: Path) -> AsyncIterator[Embedder]:
    model = MiniLM(models_dir)
    yield model
    await model.close()


async def test_the_nearest_examples_come_first_whatever_the_words(engine: AsyncEngine, embedder: Embedder) -> None:
    kept = opened(engine, embedder)
    await kept.save("My card was stolen, what now?", "Block it in the app.", PUBLIC, "U1")
    await kept.save("How do I book a meeting room?", "In the calendar.", PUBLIC, "U1")
    vector = await embedder.embed_query("Someone took my bank card")
    found = (await kept.nearest(vector, PUBLIC, 2)).examples
    assert [example.answer for example in found] == ["Block it in the app.", "In the calendar."]
    assert found[0].similarity > 0.5 > found[1].similarity
    assert len((await kept.nearest(vector, PUBLIC, 1)).examples) == 1


async def test_an_example_is_shown_only_to_audiences_that_may_read_it(engine: AsyncEngine, embedder: Embedder) -> None:
    kept = opened(engine, embedder)
    await kept.save("What is the salary band?", "71 to 83.", {"channel:G0FIN"}, "U1")
    vector = await embedder.embed_query("What is the salary band?")
    assert (await kept.nearest(vector, PUBLIC, 3)).examples == ()
    assert await kept.all(PUBLIC) == ()
    (found,) = (await kept.nearest(vector, PUBLIC | {"channel:G0FIN"}, 3)).examples
    assert found.answer == "71 to 83."


async def test_what_another_process_saves_and_deletes_is_seen_at_once(engine: AsyncEngine, embedder: Embedder) -> None:
    here, there = (
        opened(engine, embedder),
        opened(engine, embedder),
    )
    assert await here.all(PUBLIC) == ()
    saved = await there.save("How?", "So.", PUBLIC, "U1")
    assert [example.id for example in await here.all(PUBLIC)] == [saved.id]
    await there.delete(saved.id, by="U1")
    assert await here.all(PUBLIC) == ()


async def test_vectors_of_another_embedding_model_are_made_anew(engine: AsyncEngine, embedder: Embedder) -> None:
    await opened(engine, embedder).save("My card was stolen", "Block it.", PUBLIC, "U1")
    async with engine.begin() as connection:
        await connection.execute(sa.update(examples).values(embedder="older", vector=b"\x00" * 12))
    vector = await embedder.embed_query("My card was stolen")
    (found,) = (await opened(engine, embedder).nearest(vector, PUBLIC, 1)).examples
    assert found.similarity > 0.99
    async with engine.connect() as connection:
        assert (await connection.execute(sa.select(examples.c.embedder))).scalar_one() == embedder.name
