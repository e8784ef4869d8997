from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from knowledge.chunking import Chunker
from knowledge.documents import Chunk
from knowledge.embedding.minilm import MAX_TOKENS, MiniLM
from knowledge.sources.parsers.markdown import parse_text

WORDS = ("the", "deploy", "runs", "at", "night", "and", "rolls", "back", "when", "its", "health", "check", "fails")


def prose(words: int) -> str:
    """Sentences of ten words."""
    stream = itertools.islice(itertools.cycle(WORDS), words)
    return " ".join(f"{word}." if place % 10 == 9 else word for place, word in enumerate(stream))


def split(encoder: MiniLM, text: str) -> list[Chunk]:
    content = parse_text(text)
    return Chunker(encoder.count_all_tokens, MAX_TOKENS).split(content.title or "Guide", content)


def tokens(encoder: MiniLM, chunks: Sequence[Chunk]) -> list[int]:
    return encoder.count_all_tokens([chunk.embedded for chunk in chunks])


def test_a_chunk_is_searched_with_all_headings_above_it(encoder: MiniLM) -> None:
    text = f"# Runbook\n\n## Deploys\n\n### Rolling back\n\n{prose(80)}\n\n## Alerts\n\n{prose(80)}"
    back, alerts = split(encoder, text)
    assert back.heading == ("Runbook", "Deploys", "Rolling back")
    assert back.embedded.startswith("Runbook > Deploys > Rolling back\n")
    assert alerts.heading == ("Runbook", "Alerts")
    assert "Rolling back" not in alerts.embedded


def test_no_chunk_is_longer_than_the_model_reads(encoder: MiniLM) -> None:
    table = "| name | use |\n|---|---|\n" + "\n".join(f"| item-{n} | {prose(8)} |" for n in range(60))
    code = "```python\n" + "\n".join(f"value_{n} = compute(<{n}>, [a](b))" for n in range(120)) + "\n```"
    items = "\n".join(f"- {prose(20)}" for _ in range(40))
    deep = "# " + prose(60) + "\n\n## " + prose(60)
    text = f"{deep}\n\n{prose(900)}\n\n{table}\n\n{code}\n\n{items}\n\n{'x' * 9000}"
    chunks = split(encoder, text)
    assert len(chunks) > 10
    assert max(tokens(encoder, chunks)) <= MAX_TOKENS - 2


def test_nothing_of_a_long_text_is_lost(encoder: MiniLM) -> None:
    numbered = " ".join(f"word{n}" for n in range(2000))
    items = "\n".join(f"- item{n} {prose(5)}" for n in range(80))
    found = " ".join(chunk.text for chunk in split(encoder, f"# Long\n\n{numbered}\n\n## List\n\n{items}"))
    assert [n for n in range(2000) if f"word{n}" not in found] == []
    assert [n for n in range(80) if f"item{n} " not in found] == []


def test_a_list_that_fits_stays_whole(encoder: MiniLM) -> None:
    items = "\n".join(f"- step {n}" for n in range(12))
    chunks = split(encoder, f"# Steps\n\n{prose(140)}\n\n{items}\n\n{prose(140)}")
    assert sum(items in chunk.text for chunk in chunks) == 1


def test_the_head_of_a_long_table_is_repeated(encoder: MiniLM) -> None:
    rows = "\n".join(f"| host-{n} | {prose(10)} |" for n in range(50))
    chunks = split(encoder, f"# Hosts\n\n| host | purpose |\n|---|---|\n{rows}")
    assert len(chunks) > 2
    assert all(chunk.text.startswith("| host | purpose |") for chunk in chunks)


def test_long_code_is_cut_between_lines_and_fenced_again(encoder: MiniLM) -> None:
    lines = [f"    result_{n} = call_service(argument_{n})" for n in range(90)]
    chunks = split(encoder, "# Code\n\n```python\n" + "\n".join(lines) + "\n```")
    assert len(chunks) > 2
    for chunk in chunks:
        first, *body, last = chunk.text.splitlines()
        assert (first, last) == ("```python", "```")
        assert set(body) <= set(lines)


def test_small_sections_that_belong_together_are_one_chunk(encoder: MiniLM) -> None:
    text = "# Contacts\n\n## Mail\n\nAsk ops@example.org.\n\n## Phone\n\nCall 4711.\n\n## Chat\n\nWrite in #ops."
    (chunk,) = split(encoder, text)
    assert chunk.heading == ("Contacts",)
    assert all(word in chunk.embedded for word in ("Mail", "ops@example.org", "Phone", "4711", "Chat", "#ops"))


def test_small_sections_of_different_chapters_stay_apart(encoder: MiniLM) -> None:
    text = "# Guide\n\n## One\n\n### A\n\nfirst words\n\n## Two\n\n### B\n\nsecond words"
    assert [chunk.heading for chunk in split(encoder, text)] == [("Guide", "One", "A"), ("Guide", "Two", "B")]


def test_the_same_text_gives_the_same_digests(encoder: MiniLM) -> None:
    text = f"# Guide\n\n{prose(600)}"
    assert [c.digest for c in split(encoder, text)] == [c.digest for c in split(encoder, text)]
    assert [c.digest for c in split(encoder, text)] != [
        c.digest for c in split(encoder, text.replace("Guide", "Other"))
    ]


def test_links_are_searched_by_their_words_and_shown_with_their_address(encoder: MiniLM) -> None:
    (chunk,) = split(encoder, "# Guide\n\nRead the [runbook](https://example.org/very/long/address) first.")
    assert "https://example.org/very/long/address" in chunk.text
    assert "Read the runbook first." in chunk.embedded
    assert "example.org" not in chunk.embedded


def test_a_document_of_headings_alone_is_found_by_them(encoder: MiniLM) -> None:
    (chunk,) = split(encoder, "# Vacation policy\n\n## Sick leave")
    assert "Vacation policy" in chunk.text
    assert "Sick leave" in chunk.text


def test_a_document_without_text_has_no_chunks(encoder: MiniLM) -> None:
    assert split(encoder, " \n\n") == []


def test_a_word_of_signs_a_long_address_and_a_fence_in_a_list_never_make_a_chunk_too_long(encoder: MiniLM) -> None:
    address = "https://example.org/index.html?" + "&".join(f"test_{n}=%5Bdriver-{n}%5D" for n in range(80))
    items = "\n".join(f"- step {n}:\n  ```sh\n  run --flag-{n} [a](b{n}) <tag-{n}>\n  ```" for n in range(60))
    table = "\n".join(f"CEL {'-' * 120} {n}" for n in range(20))
    chunks = split(encoder, f"# Odd\n\n{'-' * 900}\n\nsee {address}\n\n{items}\n\n```\n{table}\n```")
    assert max(tokens(encoder, chunks)) <= MAX_TOKENS - 2
    assert any("step 59" in chunk.text for chunk in chunks)


@pytest.mark.parametrize(
    "sentence",
    [
        "每个版本都要在星期二发布，发布之前必须检查全部测试。",
        "リリースは毎週火曜日に行います。",
        "ระบบจะเริ่มทำงานใหม่ทุกวันอังคารหลังเที่ยงคืน",
    ],
)
def test_a_language_without_spaces_is_split_after_its_sentences_and_nothing_is_lost(
    encoder: MiniLM, sentence: str
) -> None:
    chunks = split(encoder, "# 说明\n\n" + sentence * 60)
    assert len(chunks) > 1
    assert "".join(chunk.text for chunk in chunks).count(sentence) + len(chunks) >= 60
    assert "".join(chunk.text.replace(" ", "") for chunk in chunks) == sentence * 60
    assert max(tokens(encoder, chunks)) <= MAX_TOKENS - 2
    if "。" in sentence:
        assert all(chunk.text.endswith("。") for chunk in chunks)


def test_each_chunk_knows_the_line_that_it_begins_at(encoder: MiniLM) -> None:
    rows = "\n".join(f"| host-{n} | {prose(10)} |" for n in range(50))
    code = "\n".join(f"    result_{n} = call_service(argument_{n})" for n in range(90))
    items = "\n".join(f"- item-{n} {prose(12)}" for n in range(60))
    sentences = "\n".join(f"Sentence-{n} has {prose(9)}." for n in range(60))
    text = (
        f"---\ntitle: Lines\n---\n# Lines\n\n## One\n\n{prose(80)}\n\n"
        f"## Table\n\n| host | purpose |\n|---|---|\n{rows}\n\n"
        f"## Code\n\n```python\n{code}\n```\n\n## List\n\n{items}\n\n## Prose\n\n{sentences}\n"
    )
    lines = text.split("\n")
    chunks = split(encoder, text)
    assert len(chunks) > 12
    for chunk in chunks:
        first = chunk.text.splitlines()[0]
        if first.startswith("| host | purpose") and "host-0 " not in chunk.text:
            first = chunk.text.splitlines()[2]
        if first.startswith("```") and "result_0 " not in chunk.text:
            first = chunk.text.splitlines()[1]
        assert first[:20] in "\n".join(lines[chunk.line - 1 : chunk.line + 1]), (chunk.line, first)


def test_in_a_conversation_no_words_lose_the_name_of_who_said_them(encoder: MiniLM) -> None:
    turns = [
        f"**Maya** (2026-01-02): {prose(400)}",
        "**Ben** (2026-01-03):",
        "```sh\n" + "\n".join(f"restart --service number-{n} --now" for n in range(60)) + "\n```",
        f"**Maya** (2026-01-03): {prose(30)}",
        f"{prose(220)}",
    ]
    chunks = split(encoder, "\n\n".join(turns))
    assert len(chunks) > 5
    for chunk in chunks:
        assert chunk.text.startswith(("**Maya** (2026-01-02):", "**Ben** (2026-01-03):", "**Maya** (2026-01-03):"))
        assert not chunk.text.endswith("):")
    assert all("**Ben**" in chunk.text for chunk in chunks if "restart --service" in chunk.text)
    assert max(tokens(encoder, chunks)) <= MAX_TOKENS - 2
