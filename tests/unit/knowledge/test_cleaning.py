from __future__ import annotations

from datetime import UTC, datetime

import pytest

from knowledge.documents import Block, BlockKind
from knowledge.sources.parsers.cleaning import cleaned
from knowledge.sources.parsers.frontmatter import FrontMatter, read_front_matter
from knowledge.sources.parsers.html import parse
from knowledge.sources.parsers.markdown import parse_text

WORDS = Block(BlockKind.PARAGRAPH, "What the page says.")


def paragraph(text: str) -> Block:
    return Block(BlockKind.PARAGRAPH, text)


@pytest.mark.parametrize(
    "text",
    [
        "SPDX-License-Identifier: Apache-2.0",
        "Copyright 2019 The Authors.\n\nLicensed under the Apache License, Version 2.0 (the “License”)",
        "Permission is hereby granted, free of charge, to any person obtaining a copy",
        "Edit this page on GitHub",
        "Was this page helpful? Yes No",
        "We use cookies to improve your experience. Accept all cookies",
        "© 2026 Example Ltd. All rights reserved.",
        "Back to top",
        ".. contents:: Inhalt",
    ],
)
def test_what_only_furnishes_a_page_is_left_out(text: str) -> None:
    assert cleaned([paragraph(text), WORDS, WORDS]) == (WORDS, WORDS)
    assert cleaned([WORDS, WORDS, paragraph(text)]) == (WORDS, WORDS)


@pytest.mark.parametrize(
    "text",
    [
        "To edit this page on GitHub you need an account; ask the docs team.",
        "We used cookies in the old login and tokens in the new one.",
        "The contents of the package are listed below.",
        "Our copyright policy applies to every repository.",
    ],
)
def test_what_speaks_of_such_things_stays(text: str) -> None:
    assert cleaned([paragraph(text), WORDS]) == (paragraph(text), WORDS)


def test_a_licence_in_the_middle_of_a_text_stays_and_so_does_a_licence_file() -> None:
    licence = paragraph("This part is licensed under the MIT licence.")
    assert licence in cleaned([WORDS] * 4 + [licence] + [WORDS] * 4)
    assert cleaned([Block(BlockKind.HEADING, "Licence", 1), licence]) == (
        Block(BlockKind.HEADING, "Licence", 1),
        licence,
    )


def test_front_matter_in_yaml_tells_title_tags_date_and_authors() -> None:
    text = "---\ntitle: Rolling back\ntags: [deploy, 'On Call']\ncategories: ops\nlastmod: 2026-03-04\nauthors:\n"
    text += "  - name: Ada\n  - Ben\n---\nwords\n"
    front = read_front_matter(text)
    assert (front.title, front.author, front.tags) == (
        "Rolling back",
        "Ada, Ben",
        frozenset({"deploy", "on call", "ops"}),
    )
    assert front.updated == datetime(2026, 3, 4, tzinfo=UTC)
    content = parse_text(text)
    assert (content.title, content.author, content.updated) == (front.title, front.author, front.updated)
    assert content.tags == front.tags
    assert [(block.text, block.line) for block in content.blocks] == [("words", 10)]


def test_front_matter_in_toml_is_read_too() -> None:
    front = read_front_matter('+++\ntitle = "Hugo"\ndate = 2026-03-04T05:06:07Z\ntags = ["a", "b"]\n+++\nwords')
    assert (front.title, front.tags) == ("Hugo", frozenset({"a", "b"}))
    assert front.updated == datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "front",
    [
        "title: one: two: three\ntags: [unclosed",
        "title: !!python/object/apply:os.system ['true']",
        "- a list\n- and no fields",
        "updated: the day before yesterday\ndate: 99999999999",
        "a: &a [x]\nb: &b [*a, *a]\ntags: &c [*b, *b]\ntitle: [*c]",
        "title: " + "[" * 5_000,
    ],
)
def test_broken_or_hostile_front_matter_does_no_harm(front: str) -> None:
    content = parse_text(f"---\n{front}\n---\n# Heading\n\nwords\n")
    assert [block.text for block in content.blocks] == ["Heading", "words"]
    assert content.updated is None


def test_a_text_without_front_matter_has_none() -> None:
    assert read_front_matter("words\n---\ntitle: no\n---\n") == FrontMatter()


def test_a_table_of_contents_of_a_web_page_is_left_out_and_other_links_stay() -> None:
    page = b"""<body><h1>Guide</h1><ul><li><a href="#one">One</a></li><li><a href="#two">Two</a></li></ul>
    <p>words</p><ul><li><a href="/other">Another page</a></li></ul>
    <ul><li><a href="#one">One</a> is what you need when the queue is full.</li></ul></body>"""
    texts = [block.text for block in parse(page, "a.html").blocks]
    assert texts == ["Guide", "words", "- Another page", "- One is what you need when the queue is full."]
