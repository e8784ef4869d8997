"""What a refresh makes of each thing that a source can tell, and of live events beside it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa

from knowledge.documents import Vector
from knowledge.embedding.minilm import MiniLM
from knowledge.errors import DocumentUnreachable, KnowledgeError, SourceUnavailable
from knowledge.filters import Reach
from knowledge.knowledge_base import KnowledgeBase
from knowledge.refresh.backlog import Backlog
from knowledge.reports import Problem, SourceReport
from knowledge.schema import chunks, documents, embeddings, fingerprints, sources
from knowledge.sources.base import Checkpoint, Complete, Gone, Listed, Listing, Past, Reading
from knowledge.sources.parsers.markdown import parse_text

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Place

EVERYONE = frozenset({"everyone"})
C1 = frozenset({"channel:C1"})


class TellingSource:
    """Tells what a test has it tell; `pages` are its documents by path.

    An event among what it tells is set as soon as all before it has been taken in. Reading waits for `go_on`.
    """

    kind = "telling"

    def __init__(self, name: str = "told") -> None:
        self.name = name
        self.pages: dict[str, str] = {}
        self.tells: list[Listed | Exception | asyncio.Event] = []
        self.past: Past | None = None
        self.unreachable: set[str] = set()
        self.reads: asyncio.Queue[str] = asyncio.Queue()
        self.go_on = asyncio.Event()
        self.go_on.set()

    def page(self, path: str, text: str, readers: frozenset[str] = EVERYONE) -> Listing:
        self.pages[path] = text
        return Listing(path, hashlib.sha256(text.encode()).hexdigest(), readers, f"https://example.org/{path}")

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        self.past = past
        for told in self.tells:
            if isinstance(told, asyncio.Event):
                told.set()
            elif isinstance(told, Exception):
                raise told
            else:
                yield told

    async def read(self, listing: Listing) -> Reading:
        text = self.pages.get(listing.path)
        self.reads.put_nowait(listing.path)
        await self.go_on.wait()
        if text is None or listing.path in self.unreachable:
            raise DocumentUnreachable(f"{listing.path} does not answer.")
        content = parse_text(text)
        return Reading(content.title or listing.path, content, hashlib.sha256(text.encode()).hexdigest(), None, None)

    async def close(self) -> None:
        """Holds nothing."""


class FindingSource(TellingSource):
    """One that can be asked for a single document too."""

    readers = EVERYONE

    async def find(self, path: str) -> Listing | None:
        return self.page(path, self.pages[path], self.readers) if path in self.pages else None


async def refreshed(base: KnowledgeBase, source: TellingSource) -> SourceReport:
    (report,) = (await base.refresh([source.name])).sources
    return report


async def titles(base: KnowledgeBase, question: str, scopes: frozenset[str] = EVERYONE) -> list[str]:
    return [passage.title for passage in (await base.search(question, scopes=scopes)).passages]


async def read_begins(source: TellingSource, times: int) -> None:
    """Waits until as many documents more are being read."""
    async with asyncio.timeout(10):
        for _ in range(times):
            await source.reads.get()


async def state_of(place: Place, source: TellingSource) -> str | None:
    async with place.engine.connect() as connection:
        query = sa.select(sources.c.state).where(sources.c.name == source.name)
        state: str | None = (await connection.execute(query)).scalar_one()
        return state.partition("\n")[0] if state else state  # behind it: the masks that were used


async def count(place: Place, table: sa.Table) -> int:
    async with place.engine.connect() as connection:
        return int((await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())


async def test_a_source_that_tells_changes_alone_keeps_the_rest(place: Place) -> None:
    source = TellingSource()
    one, two = source.page("one", "the red fox"), source.page("two", "the blue whale")
    source.tells = [one, two, Checkpoint("1"), Complete()]
    async with place.open(source) as base:
        await refreshed(base, source)
        source.tells = [source.page("two", "the green whale"), Gone("none"), Checkpoint("2")]
        report = await refreshed(base, source)
        assert source.past is not None
        assert (source.past.state, dict(source.past.versions)) == ("1", {"one": one.version, "two": two.version})
        assert (report.added, report.changed, report.removed, report.unchanged) == (0, 1, 0, 1)
        assert "one" in await titles(base, "red fox")
        source.tells = [Gone("one"), Checkpoint("3")]
        report = await refreshed(base, source)
        assert (report.removed, report.unchanged) == (1, 1)
        assert await titles(base, "red fox") == ["two"]
        assert await state_of(place, source) == "3"


async def test_what_is_not_listed_goes_when_the_list_is_complete_and_not_before(place: Place) -> None:
    source = TellingSource()
    source.tells = [source.page("one", "the red fox"), source.page("two", "the blue whale"), Complete()]
    async with place.open(source) as base:
        await refreshed(base, source)
        source.tells = [source.page("two", "the blue whale"), SourceUnavailable("It does not answer.")]
        report = await refreshed(base, source)
        assert report.problems == (Problem("", "It does not answer."),)
        assert set(await titles(base, "animals")) == {"one", "two"}
        source.tells = [source.page("two", "the blue whale"), Complete()]
        assert (await refreshed(base, source)).problems == ()
        assert await titles(base, "animals") == ["two"]


@pytest.mark.parametrize("withdrawn", ["gone", "unlisted", "narrowed", "narrowed and changed"])
async def test_what_may_not_be_read_any_more_is_out_while_others_are_still_being_read(
    place: Place, withdrawn: str
) -> None:
    source = TellingSource()
    secret = source.page("secret", "the red fox")
    source.tells = [secret, Complete()]
    async with place.open(source) as base:
        await refreshed(base, source)
        assert await titles(base, "red fox") == ["secret"]
        source.go_on.clear()
        told: dict[str, Listed] = {
            "gone": Gone("secret"),
            "unlisted": Complete(),
            "narrowed": replace(secret, readers=C1),
            "narrowed and changed": source.page("secret", "the red fox sleeps", C1),
        }
        taken_in = asyncio.Event()
        source.tells = [*(source.page(f"new {n}", f"new page {n}") for n in range(20)), told[withdrawn], taken_in]
        refreshing = asyncio.create_task(base.refresh())
        await asyncio.wait_for(taken_in.wait(), 10)
        assert await titles(base, "red fox") == []
        assert not refreshing.done()
        source.go_on.set()
        await refreshing
        assert ("secret" in await titles(base, "red fox", C1)) == withdrawn.startswith("narrowed")
        assert "secret" not in await titles(base, "red fox")


async def test_a_checkpoint_is_kept_only_with_what_was_listed_before_it(place: Place) -> None:
    source = TellingSource()
    first = [source.page(f"a{n}", f"page {n} of the first part") for n in range(70)]
    rest = [source.page(f"b{n}", f"page {n} of the second part") for n in range(5)]
    source.tells = [*first, Checkpoint("first"), *rest, Checkpoint("second"), SourceUnavailable("The token expired.")]
    async with place.open(source) as base:
        await refreshed(base, source)
        assert await state_of(place, source) == "second"
        assert (await base.status())[0].documents == 75
        assert [problem.sentence for problem in (await base.status())[0].problems] == ["The token expired."]


async def test_a_document_that_does_not_answer_holds_the_checkpoint_until_it_was_read(place: Place) -> None:
    source = TellingSource()
    source.tells = [source.page("one", "the red fox"), source.page("two", "the blue whale"), Checkpoint("1")]
    source.unreachable = {"two"}
    async with place.open(source) as base:
        report = await refreshed(base, source)
        assert [problem.path for problem in report.problems] == ["two"]
        assert await state_of(place, source) is None
        source.unreachable = set()
        assert (await refreshed(base, source)).problems == ()
        assert await state_of(place, source) == "1"


async def test_a_document_that_did_not_answer_is_asked_for_again_where_the_source_can_find_it(place: Place) -> None:
    source = FindingSource()
    source.tells = [source.page("one", "the red fox"), source.page("two", "the blue whale"), Checkpoint("1")]
    source.unreachable = {"two"}
    async with place.open(source) as base:
        await refreshed(base, source)
        assert await state_of(place, source) == "1"
        source.unreachable, source.tells = set(), [Checkpoint("2")]
        report = await refreshed(base, source)
        assert (report.added, report.problems) == (1, ())
        assert await titles(base, "blue whale") == ["two", "one"]


async def test_a_source_with_a_mistake_of_its_own_is_named_and_the_others_go_on(place: Place) -> None:
    wrong, right = TellingSource("wrong"), TellingSource("right")
    wrong.tells = [wrong.page("kept", "the red fox"), ZeroDivisionError("a mistake")]
    right.tells = [right.page("fine", "the blue whale"), Complete()]
    async with place.open(wrong, right) as base:
        report = await base.refresh()
        assert [(name, problem.sentence) for name, problem in report.problems] == [
            ("wrong", "The source “wrong” failed (ZeroDivisionError); the log says where.")
        ]
        assert set(await titles(base, "animals")) == {"kept", "fine"}


async def test_another_kind_of_source_under_the_same_name_begins_anew(place: Place) -> None:
    source = TellingSource()
    source.tells = [source.page("one", "the red fox"), Checkpoint("1")]
    async with place.open(source) as base:
        await refreshed(base, source)
        source.kind = "other"
        await refreshed(base, source)
        assert source.past is not None
        assert source.past.state is None


async def test_one_document_is_followed_without_a_refresh(place: Place) -> None:
    source = FindingSource()
    source.pages["one"] = "the red fox"
    async with place.open(source) as base:
        await base.follow("told", "one")
        assert await titles(base, "red fox") == ["one"]
        source.pages["one"] = "the blue whale"
        await base.follow("told", "one")
        (passage,) = (await base.search("red fox", scopes=EVERYONE)).passages
        assert passage.text == "the blue whale"
        del source.pages["one"]
        await base.follow("told", "one")
        assert await titles(base, "blue whale") == []
        assert await count(place, documents) == 0
    async with place.open(source) as base:
        assert await titles(base, "blue whale") == []


async def test_a_followed_document_does_not_wait_for_a_refresh_nor_is_undone_by_it(place: Place) -> None:
    source = FindingSource()
    source.tells = [source.page("one", "the red fox"), source.page("two", "old words"), Complete()]
    async with place.open(source) as base:
        source.go_on.clear()
        refreshing = asyncio.create_task(base.refresh())
        await read_begins(source, 2)
        # The refresh holds the old text of both in its hands.
        source.pages["one"] = "the blue whale"
        following = asyncio.create_task(base.follow("told", "one"))
        await read_begins(source, 1)
        source.go_on.set()
        await following
        await refreshing
        (passage,) = [p for p in (await base.search("animal", scopes=EVERYONE)).passages if p.title == "one"]
        assert passage.text == "the blue whale"
        assert await count(place, documents) == 2


async def test_a_source_that_cannot_find_one_document_says_so(place: Place) -> None:
    async with place.open(TellingSource()) as base:
        with pytest.raises(KnowledgeError, match=r"“told” cannot tell of one document alone\. Refresh it"):
            await base.follow("told", "one")


async def test_a_source_is_restricted_at_once_and_a_running_refresh_keeps_to_it(place: Place) -> None:
    source = TellingSource()
    source.tells = [source.page("one", "the red fox"), Complete()]
    async with place.open(source) as base:
        await refreshed(base, source)
        await read_begins(source, 1)
        source.tells = [source.page("one", "the red fox"), source.page("two", "the brown fox"), Complete()]
        source.go_on.clear()
        refreshing = asyncio.create_task(base.refresh())
        await read_begins(source, 1)
        await base.restrict("told", C1)
        assert await titles(base, "fox") == []
        source.go_on.set()
        await refreshing
        assert await titles(base, "fox") == []
        assert set(await titles(base, "fox", C1)) == {"one", "two"}
    async with place.open(source) as base:
        assert await titles(base, "fox") == []
        assert set(await titles(base, "fox", C1)) == {"one", "two"}


async def test_a_source_that_is_forgotten_is_gone_and_a_running_refresh_of_it_stops(place: Place) -> None:
    source, other = TellingSource(), TellingSource("other")
    source.tells = [source.page("one", "the red fox"), Complete()]
    other.tells = [other.page("else", "another fox"), Complete()]
    async with place.open(source, other) as base:
        await base.refresh()
        await read_begins(source, 1)
        source.tells = [source.page("two", "the brown fox"), Complete()]
        source.go_on.clear()
        refreshing = asyncio.create_task(base.refresh())
        await read_begins(source, 1)
        await base.forget("told")
        assert await titles(base, "fox") == ["else"]
        source.go_on.set()
        report = await asyncio.wait_for(refreshing, 10)
        assert [problem.sentence for _, problem in report.problems] == [
            "The refresh of “told” was stopped; the source was forgotten."
        ]
        assert await titles(base, "fox") == ["else"]
        assert (await count(place, chunks), await count(place, embeddings)) == (1, 1)


@pytest.mark.parametrize("answer", ["NaN", "another dimension", "too few"])
async def test_vectors_that_are_none_are_never_kept_and_the_model_is_named(
    place: Place, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wrong(self: MiniLM, texts: Sequence[str]) -> tuple[Vector, list[bytes]]:
        shape = {"NaN": (len(texts), 384), "another dimension": (len(texts), 768), "too few": (0, 384)}[answer]
        return np.full(shape, np.nan if answer == "NaN" else 0.1, np.float32), [b""] * shape[0]

    source = TellingSource()
    source.tells = [source.page("one", "the red fox"), Checkpoint("1"), Complete()]
    async with place.open(source) as base:
        with monkeypatch.context() as patch:
            patch.setattr(MiniLM, "embed_closely", wrong)
            report = await refreshed(base, source)
        (problem,) = report.problems
        assert "The embedding model all-MiniLM-L6-v2" in problem.sentence
        assert "Nothing of it was kept: check" in problem.sentence
        assert (await count(place, documents), await count(place, embeddings)) == (0, 0)
        assert await state_of(place, source) is None
        assert (await refreshed(base, source)).problems == ()
        assert await titles(base, "fox") == ["one"]


async def test_a_change_of_age_and_tags_is_followed_without_embedding_anything(place: Place) -> None:
    source = TellingSource()
    source.tells = [source.page("one", "---\ntags: [animals]\n---\nthe red fox"), Complete()]
    async with place.open(source) as base:
        assert (await refreshed(base, source)).chunks == 1
        source.tells = [source.page("one", "---\ntags: [plants]\n---\nthe red fox"), Complete()]
        assert (await refreshed(base, source)).chunks == 0
        async with place.engine.connect() as connection:
            assert (await connection.execute(sa.select(documents.c.tags))).scalar_one() == ["plants"]


async def test_a_passage_links_to_its_line_where_the_source_has_lines(place: Place) -> None:
    source = TellingSource()
    page = source.page("one", "# Animals\n\n" + "The blue whale swims. " * 60 + "\n\n## Foxes\n\n" + "A red fox. " * 80)
    source.tells = [replace(page, anchor="#L{line}"), Complete()]
    async with place.open(source) as base:
        await refreshed(base, source)
        keys = [int(passage.chunk_id) for passage in (await base.search("red fox", scopes=EVERYONE)).passages]
        found = await base._contents.find(keys, base.embedder.name, Reach(EVERYONE, frozenset({source.name})))
        assert {found[key].url for key in keys if "fox" in found[key].text} == {"https://example.org/one#L7"}


async def test_a_long_backlog_waits_on_disk_and_comes_out_in_its_order() -> None:
    backlog = Backlog()
    listings = [Listing(f"päge {n}\udcff", str(n), frozenset({"b", "a"}), None, "h", "#L{line}") for n in range(5_000)]
    for number, listing in enumerate(listings):
        backlog.put(listing)
        if number % 1_000 == 999:
            backlog.put(Checkpoint(str(number)))
    assert len(backlog._first) == 2_000
    backlog.end()
    out = []
    while (entry := await backlog.get()) is not None:
        out.append(entry)
    backlog.close()
    assert [entry for entry in out if isinstance(entry, Listing)] == listings
    assert [entry.state for entry in out if isinstance(entry, Checkpoint)] == ["999", "1999", "2999", "3999", "4999"]
    assert out[1_000] == Checkpoint("999")


GUIDE = (
    "# Releases\n\nTo release the service the captain opens the board and checks that every test is green. Then the "
    "button is pressed and the new version goes to one machine in each region. After ten minutes without alarms it "
    "goes to the rest, and the old version is kept for a day so that it can be brought back whenever it is needed. "
    "Whoever presses the button stays at the desk until all graphs are flat again and writes down what was seen."
)


async def test_what_says_nearly_the_same_is_embedded_once_and_each_reader_sees_their_own_text(place: Place) -> None:
    source = TellingSource()
    copy = GUIDE.replace("kept for a day", "stored for a day")
    source.tells = [source.page("public", GUIDE), source.page("secret", copy, C1), Complete()]
    async with place.open(source) as base:
        assert (await refreshed(base, source)).chunks == 1
        assert (await count(place, chunks), await count(place, embeddings)) == (2, 1)
        for scopes, word in ((EVERYONE, "kept for"), (C1, "stored for")):
            (passage,) = (await base.search("how is a release brought back?", scopes=scopes)).passages
            assert word in passage.text
        # The one that was embedded goes; its twin is still found.
        source.tells = [source.page("secret", copy, C1), Complete()]
        await refreshed(base, source)
        assert await titles(base, "release captain", C1) == ["Releases"]
        assert await count(place, embeddings) == 1
    async with place.open(source) as base:
        assert await titles(base, "release captain", C1) == ["Releases"]
        source.tells = [Complete()]
        await refreshed(base, source)
        assert (await count(place, embeddings), await count(place, fingerprints)) == (0, 0)


async def test_a_number_that_differs_is_embedded_on_its_own(place: Place) -> None:
    source = TellingSource()
    source.tells = [
        source.page("one", GUIDE + " It listens on port 8080."),
        source.page("two", GUIDE + " It listens on port 8081."),
        Complete(),
    ]
    async with place.open(source) as base:
        assert (await refreshed(base, source)).chunks == 2


async def test_no_vector_outlives_its_text_where_a_document_was_followed(place: Place) -> None:
    source = FindingSource()
    source.pages = {"one": "the red fox", "two": "the blue whale"}
    async with place.open(source) as base:
        await base.follow("told", "one")
        await base.follow("told", "two")
        assert await count(place, embeddings) == 2
        source.pages["one"] = "the green frog"
        await base.follow("told", "one")
        assert await count(place, embeddings) == 2
        del source.pages["two"]
        await base.follow("told", "two")
        assert (await count(place, embeddings), await count(place, fingerprints)) == (1, 1)
        await base.forget("told")
        assert await count(place, embeddings) == 0
