"""Records of JSONL and CSV files as documents."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from service_server import look, said

from knowledge.errors import DocumentUnreachable, DocumentUnreadable, SourceUnavailable
from knowledge.sources.base import Past
from knowledge.sources.records import KIND, rows
from knowledge.sources.records.source import RecordsSource

TEAM = frozenset({"channel:C1"})


def jsonl(path: Path, *lines: dict[str, object] | str) -> RecordsSource:
    text = "".join((line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)) + "\n" for line in lines)
    path.write_text(text, "utf-8")
    return RecordsSource("faq", path, TEAM)


def csv_file(path: Path, text: str | bytes) -> RecordsSource:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return RecordsSource("faq", path, TEAM)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "faq.jsonl"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "faq.csv"


async def test_a_record_brings_all_that_it_says_of_itself(file: Path) -> None:
    source = jsonl(
        file,
        {
            "id": "vpn",
            "title": "VPN",
            "text": "# Setting up\n\nAsk **IT**.",
            "url": "https://faq.example.org/vpn",
            "readers": ["everyone"],
            "updated": "2026-03-01T10:00:00+01:00",
            "tags": ["it", "network"],
            "author": "Maya",
        },
    )
    run = await look(source)
    listing = run.listings["vpn"]
    assert listing.url == "https://faq.example.org/vpn"
    assert listing.readers == {"everyone"}
    assert run.is_complete
    reading = await source.read(listing)
    assert said(reading) == "Setting up\nAsk **IT**."
    assert (reading.title, reading.author) == ("VPN", "Maya")
    assert reading.tags == {"it", "network"}
    assert reading.updated == datetime(2026, 3, 1, 9, tzinfo=UTC)


async def test_what_is_left_out_comes_from_the_source_and_the_text(file: Path) -> None:
    long = "The VPN needs a certificate from the desk of the team that runs the network, every year."
    source = jsonl(file, {"_id": 7, "text": long, "updated": "2026-03-01", "metadata": {"x": 1}})
    run = await look(source)
    assert run.listings["7"].readers == TEAM
    reading = await source.read(run.listings["7"])
    assert reading.title == "The VPN needs a certificate from the desk of the…"
    assert reading.updated == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("readers", ["channel:C1 user:U2", "channel:C1, user:U2", ["channel:C1", "user:U2"]])
async def test_readers_may_be_a_list_or_words(file: Path, readers: object) -> None:
    run = await look(jsonl(file, {"id": "a", "text": "Words.", "readers": readers}))
    assert run.listings["a"].readers == {"channel:C1", "user:U2"}


BROKEN: list[tuple[dict[str, object] | str, str]] = [
    ("not json", "Line 2 was not imported: invalid JSON: expected ident at line 1 column 2."),
    ("[1]", "Line 2 was not imported: input should be an object."),
    ({"text": "Words."}, "Line 2 was not imported: it has no id."),
    ({"id": " ", "text": "Words."}, "Line 2 was not imported: id: it is empty."),
    ({"id": "a"}, "Line 2 was not imported: it has no text."),
    ({"id": "a", "text": 5}, "Line 2 was not imported: text: input should be a valid string."),
    ({"id": "a", "text": "W", "readers": ["all"]}, "Line 2 was not imported: readers: “all” does not say who may read"),
    ({"id": "a", "text": "W", "readers": []}, "Line 2 was not imported: readers: nobody may read it; leave readers"),
    ({"id": "a", "text": "W", "readers": ""}, "Line 2 was not imported: readers: “” does not say who may read"),
    ({"id": "a", "text": "W", "readers": 5}, "Line 2 was not imported: readers: write them as a list"),
    ({"id": "a", "text": "W", "url": "javascript:x"}, "Line 2 was not imported: url: it does not begin with https://"),
    ({"id": "a", "text": "W", "updated": "tomorrow"}, "Line 2 was not imported: updated: input should be a valid"),
    ({"id": "a" * 501, "text": "W"}, "Line 2 was not imported: id: string should have at most 500 characters."),
    ({"id": "first", "text": "W"}, "Line 2 was not imported: an earlier line has the id “first” too"),
    ('{"id": "a", "text": "\\ud800"}', "Line 2 was not imported: invalid JSON"),
]


@pytest.mark.parametrize(("line", "sentence"), BROKEN)
async def test_a_line_that_is_no_record_is_named_and_the_rest_goes_on(
    file: Path, line: dict[str, object] | str, sentence: str
) -> None:
    run = await look(jsonl(file, {"id": "first", "text": "One."}, line, {"id": "last", "text": "Two."}))
    assert list(run.listings) == ["first", "last"]
    (problem,) = run.problems
    assert problem.path == "line 2"
    assert problem.sentence.startswith(sentence)


async def test_a_file_in_which_no_line_is_a_record_keeps_what_is_known(file: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"No line of faq\.jsonl .* Line 1 was not imported: it has no id"):
        await look(jsonl(file, {"key": "a", "text": "Words."}))


async def test_a_thousand_broken_lines_are_counted_and_not_all_named(file: Path) -> None:
    run = await look(jsonl(file, {"id": "a", "text": "Words."}, *(["rubbish"] * 1000)))
    assert len(run.problems) == 101
    assert run.problems[-1].sentence.startswith("900 more lines were not imported")


async def test_empty_lines_and_a_byte_order_mark_do_not_matter(file: Path) -> None:
    file.write_bytes(b'\xef\xbb\xbf{"id": "a", "text": "One."}\r\n\r\n  \n{"id": "b", "text": "Two."}')
    source = RecordsSource("faq", file, TEAM)
    run = await look(source)
    assert list(run.listings) == ["a", "b"]
    assert [said(await source.read(run.listings[path])) for path in "ab"] == ["One.", "Two."]


async def test_a_line_without_an_end_is_passed_over(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_BYTES", 1000)
    source = jsonl(file, {"id": "a", "text": "One."}, "x" * 5000, {"id": "b", "text": "Two."})
    run = await look(source)
    assert list(run.listings) == ["a", "b"]
    assert [problem.path for problem in run.problems] == ["line 2"]


async def test_a_file_that_did_not_change_is_not_read(file: Path) -> None:
    source = jsonl(file, {"id": "a", "text": "One."})
    first = await look(source)
    second = await look(source, first.past())
    assert (second.listings, second.state, second.is_complete) == ({}, None, False)


async def test_importing_again_changes_only_what_changed(file: Path) -> None:
    first = await look(jsonl(file, {"id": "a", "text": "One."}, {"id": "b", "text": "Two."}))
    second = await look(jsonl(file, {"id": "b", "text": "Two!"}, {"id": "a", "text": "One."}), first.past())
    assert second.listings["a"].version == first.listings["a"].version
    assert second.listings["b"].version != first.listings["b"].version
    assert second.is_complete


async def test_other_readers_of_the_source_are_told_at_once(file: Path) -> None:
    first = await look(jsonl(file, {"id": "a", "text": "One."}))
    second = await look(RecordsSource("faq", file, frozenset({"user:U9"})), first.past())
    assert second.listings["a"].readers == {"user:U9"}


async def test_a_file_that_is_replaced_while_it_is_read_never_mixes_up_records(file: Path) -> None:
    source = jsonl(file, {"id": "a", "text": "One."}, {"id": "b", "text": "Two."})
    run = await look(source)
    jsonl(file, {"id": "b", "text": "Two."}, {"id": "a", "text": "One."})
    with pytest.raises(DocumentUnreachable, match="the file changed while it was read"):
        await source.read(run.listings["b"])


async def test_a_record_without_words_says_so(file: Path) -> None:
    source = jsonl(file, {"id": "a", "text": " \n"})
    run = await look(source)
    with pytest.raises(DocumentUnreadable, match="a holds no text"):
        await source.read(run.listings["a"])


async def test_a_missing_file_keeps_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"gone\.jsonl of the source “faq” cannot be read .*Import the file"):
        await look(RecordsSource("faq", tmp_path / "gone.jsonl", TEAM))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_a_table_is_read_row_by_row_and_each_row_is_found_again(table: Path, delimiter: str) -> None:
    rows = [
        ["id", "title", "text", "readers", "tags", "url"],
        ["a", "One", '"Two lines\n\nand a ""quote""' + delimiter + ' and more"', "channel:C1 user:U2", '"x,y"', ""],
        ["b", "", "Größe", "", "", "https://faq.example.org/b"],
    ]
    source = csv_file(table, "\r\n".join(delimiter.join(row) for row in rows))
    run = await look(source)
    assert run.problems == []
    assert list(run.listings) == ["a", "b"]
    assert run.listings["a"].readers == {"channel:C1", "user:U2"}
    assert run.listings["b"].readers == TEAM
    assert run.listings["b"].url == "https://faq.example.org/b"
    last, first = await source.read(run.listings["b"]), await source.read(run.listings["a"])
    assert (said(last), last.title) == ("Größe", "Größe")
    assert said(first) == f'Two lines\nand a "quote"{delimiter} and more'
    assert first.tags == {"x", "y"}


async def test_a_row_that_is_no_record_is_named_by_its_line(table: Path) -> None:
    text = b'id,text\na,"One\nand more"\n,Two\nb,\nc,Three\n' + b"d,caf\xe9\n"
    run = await look(csv_file(table, text))
    assert list(run.listings) == ["a", "c"]
    assert [problem.path for problem in run.problems] == ["line 4", "line 5", "line 7"]
    assert run.problems[0].sentence == "Line 4 was not imported: it has no id."


async def test_a_quote_that_is_never_closed_is_named_and_keeps_what_is_known(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST_BYTES", 1000)
    source = csv_file(table, 'id,text\na,One\nb,"never closed\n' + "c,Three\n" * 500)
    with pytest.raises(SourceUnavailable, match=r"is CSV up to line 3 .*a quote that is never closed"):
        await look(source)


async def test_a_table_in_a_spreadsheets_utf_8_is_read(table: Path) -> None:
    run = await look(csv_file(table, b"\xef\xbb\xbfid;text\r\na;One\r\n"))
    assert list(run.listings) == ["a"]


async def test_a_long_text_in_a_table_is_read_whole(table: Path) -> None:
    source = csv_file(table, "id,text\na," + "word " * 100_000)
    run = await look(source)
    assert len(said(await source.read(run.listings["a"]))) > 400_000


async def test_a_large_file_is_listed_in_pieces(file: Path) -> None:
    lines = [json.dumps({"id": str(n), "text": f"Number {n}."}) for n in range(2_000)]
    source = jsonl(file, *lines)
    listings = source.listings(Past(None, {}))
    async for _ in listings:
        break
    file.unlink()
    assert len([one async for one in listings]) == 2_001


def test_a_file_of_records_is_recognised_by_its_path(file: Path, tmp_path: Path) -> None:
    assert KIND.recognise(str(file)) is None
    file.touch()
    assert KIND.recognise(str(file)) == {"path": str(file)}
    assert KIND.recognise(str(tmp_path)) is None
