"""Secrets in documents are masked before anything is made of them, also in what was indexed before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from made_up_secrets import made_up

from knowledge.access import PUBLIC
from knowledge.schema import embeddings, metadata
from knowledge.secrets import SECRETS, Masking, use

_, _, TOKEN = next(each for each in made_up() if each[0] == "GitHub token")
_, _, KEY = next(each for each in made_up() if each[0] == "private key")
PAGE = f"""# Access with {TOKEN}

## Keys of the build {TOKEN}

The build logs in with {TOKEN} at the registry of ana@team.example.

```
{KEY}
```
"""


@pytest.fixture(autouse=True)
def _usual_masks() -> Iterator[None]:
    yield
    use(SECRETS)


async def everything(place: Any) -> str:
    """All that the tables of knowledge hold, in one text."""
    found = []
    async with place.engine.connect() as connection:
        for table in metadata.sorted_tables:
            found += [str(tuple(row)) for row in await connection.execute(sa.select(table))]
    return "\n".join(found)


async def embedded(place: Any) -> int:
    async with place.engine.connect() as connection:
        return int((await connection.execute(sa.select(sa.func.count()).select_from(embeddings))).scalar_one())


async def test_no_secret_of_a_document_is_in_a_table_an_index_or_an_answer(folder: Any, place: Any) -> None:
    folder.write("access.md", PAGE)
    async with place.open(folder.source()) as base:
        await base.refresh()
        found = await base.search("With what does the build log in at the registry?", scopes=PUBLIC)
    assert "logs in with [secret: GitHub token] at the registry" in found.passages[0].text
    assert "[secret: GitHub token]" in found.passages[0].title
    kept = await everything(place)
    assert "[secret: private key]" in kept
    assert "ana@team.example" in kept
    for secret in (TOKEN, *KEY.splitlines()[1:-1]):
        assert secret not in kept
        indexes = [file.read_bytes() for file in place.data_dir.rglob("*") if file.is_file()]
        assert not any(secret.encode() in content for content in indexes)


async def test_what_was_indexed_with_other_masks_is_read_once_more_and_unchanged_texts_are_not_embedded_again(
    folder: Any, place: Any
) -> None:
    folder.write("access.md", PAGE)
    async with place.open(folder.source()) as base:
        await base.refresh()
        before = await embedded(place)
        unchanged = (await base.refresh()).sources[0]
        assert (unchanged.changed, unchanged.unchanged) == (0, 4)
        use(Masking(personal=True))
        again = (await base.refresh()).sources[0]
        assert (again.added, again.changed, again.removed) == (0, 4, 0)
        found = await base.search("With what does the build log in at the registry?", scopes=PUBLIC)
        assert "of [mail address]" in found.passages[0].text
        assert "ana@team.example" not in await everything(place)
        # The one text that is another one now has the only new vector.
        assert await embedded(place) == before
        assert (await base.refresh()).sources[0].changed == 0
