"""What a model is given of files."""

from __future__ import annotations

from words_embedder import WordsEmbedder

from bot.files.passages import MOST_TOKENS, left_out, passages_of
from bot.models.tokens import estimate_tokens
from knowledge.documents import Block, BlockKind, Content


def text(*paragraphs: str) -> Content:
    return Content(tuple(Block(BlockKind.PARAGRAPH, paragraph) for paragraph in paragraphs))


def heading(words: str, level: int) -> Block:
    return Block(BlockKind.HEADING, words, level)


async def test_short_files_come_whole_in_their_order_under_their_headings() -> None:
    said = Block(BlockKind.PARAGRAPH, "Doors open at eight.")
    pages = Content((heading("Office", 1), heading("Hours", 2), said, heading("Pets", 2), said))
    found, sizes = await passages_of([("a.md", pages), ("b.txt", text("One.", "Two."))], "hours?", WordsEmbedder())
    assert [(one.title, one.heading, one.text) for one in found] == [
        ("the attached a.md", ("Office", "Hours"), "Doors open at eight."),
        ("the attached a.md", ("Office", "Pets"), "Doors open at eight."),
        ("the attached b.txt", (), "One.\n\nTwo."),
    ]
    assert left_out(sizes, found) == ()


async def test_two_files_of_one_name_are_told_apart() -> None:
    found, _ = await passages_of([("a.txt", text("x")), ("a.txt", text("y"))], "x?", WordsEmbedder())
    assert [one.title for one in found] == ["the attached a.txt", "the attached a.txt (2)"]


async def test_a_file_of_headings_alone_is_read_by_them() -> None:
    found, _ = await passages_of([("a.md", Content((heading("One", 1), heading("Two", 1))))], "x?", WordsEmbedder())
    assert [one.text for one in found] == ["One\n\nTwo"]


async def test_of_a_long_table_the_row_that_is_asked_for_comes_first_under_its_head() -> None:
    rows = "\n".join(f"| T{n} | {n * 7} |" for n in range(20_000))
    table = Content((Block(BlockKind.TABLE, f"| team | cost |\n| --- | --- |\n{rows}"),))
    found, sizes = await passages_of([("b.csv", table)], "What did T1723 cost?", WordsEmbedder())
    assert found[0].text.startswith("| team | cost |\n| --- | --- |\n")
    assert "| T1723 | 12061 |" in found[0].text
    assert sum(estimate_tokens(one.text) for one in found) <= MOST_TOKENS
    (note,) = left_out(sizes, found)
    assert note.startswith("b.csv is too long to be read whole: I read ")
    assert left_out(sizes, ()) == ("There was no room for b.csv, so I did not read it. Ask about it alone.",)


async def test_few_parts_are_compared_by_meaning_however_long_the_file_is() -> None:
    embedder = WordsEmbedder()
    long = text(*(f"Paragraph {n} of many that say nearly the same thing about forms." for n in range(9_000)))
    await passages_of([("long.txt", long)], "forms?", embedder)
    assert len(embedder.embedded) <= 121
