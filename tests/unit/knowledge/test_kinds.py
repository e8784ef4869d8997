"""Kinds of sources: found by their entry points, checked options, and a sentence for each that cannot be opened."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from service_server import look
from structlog.testing import capture_logs

from knowledge.access import PUBLIC
from knowledge.errors import DocumentUnreachable, InvalidScope, SourceUnavailable, UnknownSource
from knowledge.sources.base import Listing, Source
from knowledge.sources.kinds import SourceContext, SourceSpec, kind_of, kinds, open_source
from knowledge.sources.unavailable import UnavailableSource


@pytest.fixture(autouse=True)
def _kinds_anew() -> Iterator[None]:
    kinds.cache_clear()
    yield
    kinds.cache_clear()


@pytest.fixture
def context(tmp_path: Path) -> SourceContext:
    return SourceContext(tmp_path / "cache", lambda name: None)


def spec(kind: str, readers: frozenset[str] = PUBLIC, **options: object) -> SourceSpec:
    return SourceSpec("handbook", kind, readers, options)


def install(site: Path, monkeypatch: pytest.MonkeyPatch, entry: str, **modules: str) -> None:
    info = site / "somebody_else-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: somebody-else\nVersion: 1\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[switchboard.sources]\n{entry}\n", "utf-8")
    for name, text in modules.items():
        (site / f"{name}.py").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(site)


async def reason(source: Source) -> str:
    with pytest.raises(SourceUnavailable) as failure:
        await look(source)
    return str(failure.value)


def test_the_kinds_of_the_package_are_found_by_the_names_that_they_are_configured_with() -> None:
    assert {"folder", "git", "import"} <= kinds().keys()
    assert all(kind.name == name for name, kind in kinds().items())


def test_an_unknown_kind_names_those_that_there_are(context: SourceContext) -> None:
    with pytest.raises(UnknownSource, match=r"no kind of source called “gti”\. There are: .*git, "):
        kind_of("gti")
    with pytest.raises(UnknownSource):
        open_source(spec("gti"), context)


@pytest.mark.parametrize(
    ("entry", "modules"),
    [
        ("broken = broken_module:KIND", {"broken_module": "raise RuntimeError('no')"}),
        ("broken = broken_module:KIND", {"broken_module": "import a_package_that_is_not_there"}),
        ("broken = broken_module:KIND", {"broken_module": "OTHER = 1"}),
        ("broken = module_that_is_not_there:KIND", {}),
    ],
)
def test_a_plug_in_that_cannot_be_loaded_is_named_in_the_log_and_takes_nobody_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, modules: dict[str, str]
) -> None:
    monkeypatch.delitem(sys.modules, "broken_module", raising=False)
    install(tmp_path / "site", monkeypatch, entry, **modules)
    with capture_logs() as logs:
        found = kinds()
    assert [(line["event"], line["kind"]) for line in logs] == [("knowledge.kind_failed", "broken")]
    assert "broken" not in found
    assert "folder" in found


async def test_an_option_that_is_missing_is_named(context: SourceContext) -> None:
    source = open_source(spec("folder"), context)
    assert isinstance(source, UnavailableSource)
    assert await reason(source) == "The source “handbook”: the option path is missing."


async def test_an_option_that_a_kind_does_not_have_is_named_without_its_value(context: SourceContext) -> None:
    source = open_source(spec("folder", path="/srv", token="hunter2-secret"), context)
    assert await reason(source) == "The source “handbook”: it has no option token."


async def test_a_wrong_value_is_explained_without_it(context: SourceContext) -> None:
    source = open_source(spec("git", url="ftp://maya:hunter2-secret@example.org", branch="a..b"), context)
    said = await reason(source)
    assert "url: the transport ftp:// is not used" in said
    assert "branch: that is no name of a branch or tag" in said
    assert "hunter2" not in said


async def test_a_missing_secret_keeps_the_source_in_the_list_with_the_way_out(context: SourceContext) -> None:
    source = open_source(spec("git", url="https://git.example.org/a.git", token_env="FORGE_TOKEN"), context)
    assert (source.name, source.kind) == ("handbook", "git")
    assert "needs a token in FORGE_TOKEN, which is not set. Set it" in await reason(source)


async def test_what_stands_in_for_a_source_reads_nothing_and_closes(context: SourceContext) -> None:
    source = UnavailableSource("wiki", "confluence", "The extra is missing: install it.")
    with pytest.raises(DocumentUnreachable, match="The extra is missing: install it"):
        await source.read(Listing("a", "1", PUBLIC, None))
    await source.close()


def test_readers_that_are_no_scopes_are_refused_at_once(context: SourceContext, tmp_path: Path) -> None:
    with pytest.raises(InvalidScope, match="“all” does not say who may read"):
        open_source(spec("folder", frozenset({"all"}), path=str(tmp_path)), context)


async def test_a_source_that_can_be_opened_has_its_readers(context: SourceContext, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A", "utf-8")
    source = open_source(spec("folder", frozenset({" channel:C1 "}), path=str(tmp_path)), context)
    assert (await look(source)).listings["a.md"].readers == {"channel:C1"}
    await source.close()
