"""The plug-in that the page shows is installed as it says, and works."""

from __future__ import annotations

import re
import sqlite3
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from service_server import look, said

from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.sources.kinds import SourceContext, SourceSpec, kinds, open_source

PAGE = (Path(__file__).parents[3] / "docs" / "plugins.md").read_text("utf-8")


def block(language: str) -> str:
    found = re.search(rf"(?ms)^```{language}\n(.*?)^```$", PAGE)
    assert found is not None
    return found.group(1)


@pytest.fixture
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package as pip would leave it."""
    site = tmp_path / "site"
    info = site / "switchboard_faq-1.dist-info"
    info.mkdir(parents=True)
    (site / "switchboard_faq.py").write_text(block("python"), "utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: switchboard-faq\nVersion: 1\n", "utf-8")
    registered = tomllib.loads(block("text"))["project"]["entry-points"]
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in names.items()) for group, names in registered.items()]
    (info / "entry_points.txt").write_text("".join(lines), "utf-8")
    monkeypatch.syspath_prepend(site)
    kinds.cache_clear()
    yield
    kinds.cache_clear()


def test_the_example_has_forty_lines() -> None:
    assert len(block("python").splitlines()) <= 40


@pytest.mark.usefixtures("_installed")
async def test_the_example_of_the_page_lists_reads_and_follows_its_table(tmp_path: Path) -> None:
    path = tmp_path / "team.faq.db"
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE faq (id INTEGER, question TEXT, answer TEXT, changed INTEGER)")
    base.executemany(
        "INSERT INTO faq VALUES (?, ?, ?, ?)",
        [(1, "Where is the printer?", "In **room** 12.", 5), (2, "Who has the key?", "Maya.", 6)],
    )
    base.commit()
    assert kinds()["faq"].recognise(str(path)) == {"path": str(path)}
    spec = SourceSpec("faq", "faq", frozenset({"channel:C1"}), {"path": str(path)})
    source = open_source(spec, SourceContext(tmp_path / "cache", lambda name: None))
    first = await look(source)
    assert first.is_complete
    assert first.listings["faq/1"].readers == {"channel:C1"}
    reading = await source.read(first.listings["faq/1"])
    assert (reading.title, said(reading)) == ("Where is the printer?", "In **room** 12.")

    base.execute("UPDATE faq SET answer = 'Noor.', changed = 7 WHERE id = 2")
    base.execute("DELETE FROM faq WHERE id = 1")
    base.commit()
    base.close()
    second = await look(source, first.past())
    assert second.listings["faq/2"].version != first.listings["faq/2"].version
    assert list(second.listings) == ["faq/2"]
    with pytest.raises(DocumentUnreachable, match="faq/1 has gone"):
        await source.read(first.listings["faq/1"])
    path.unlink()
    with pytest.raises(SourceUnavailable, match=r"cannot be read .*Check the path of “faq”"):
        await look(source)
    await source.close()
