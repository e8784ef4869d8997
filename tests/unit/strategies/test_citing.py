from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.domain import Prompt, StrategyName
from bot.strategies.citing import Citing
from knowledge.documents import Passage

Found = Callable[..., Passage]


def prompt(*passages: Passage, question: str = "How?") -> Prompt:
    return Prompt(strategy=StrategyName.RAG, question=question, messages=(), passages=passages)


def shown(text: str, asked: Prompt, size: int = 0) -> tuple[str, Citing]:
    """What is shown of a text that comes in pieces of `size` characters (0: whole)."""
    citing = Citing(asked)
    pieces = [text[at : at + size] for at in range(0, len(text), size)] if size else [text]
    return "".join([*(citing.feed(piece) for piece in pieces), citing.close()]), citing


@pytest.fixture
def three(passage: Found) -> Prompt:
    return prompt(passage("one", "A"), passage("two", "B", url="https://docs.example/b"), passage("three", "C"))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 50])
def test_citations_are_numbered_in_order_of_first_use(three: Prompt, size: int) -> None:
    text, citing = shown("First [3], then [1] and again [3]. Both [1, 3].", three, size)
    assert text == "First [1], then [2] and again [1]. Both [2][1]."
    assert [(citation.number, citation.title) for citation in citing.citations] == [(1, "C"), (2, "A")]


@pytest.mark.parametrize("size", [0, 1, 5])
def test_marks_that_cite_nothing_are_taken_out(three: Prompt, size: int) -> None:
    text, citing = shown("True [2]. Made up [9]. Also [0][4], and [2, 8].", three, size)
    assert text == "True [1]. Made up. Also, and [1]."
    assert [citation.url for citation in citing.citations] == ["https://docs.example/b"]


def test_two_pieces_of_one_section_are_one_source(passage: Found) -> None:
    text, citing = shown("A [1] and b [2].", prompt(passage("one", "A", ("Setup",)), passage("two", "A", ("Setup",))))
    assert text == "A [1] and b [1]."
    assert [citation.title for citation in citing.citations] == ["A › Setup"]


EVIL = "https://evil.example/?stolen=secret"


@pytest.mark.parametrize("size", [0, 1, 2, 9])
@pytest.mark.parametrize(
    ("written", "seen"),
    [
        (f"See [the docs]({EVIL}) now.", "See the docs now."),
        (f'See [the docs]({EVIL} "a title") now.', "See the docs now."),
        (f"See [the docs](<{EVIL}>) now.", "See the docs now."),
        (f"See ![chart]({EVIL}) now.", "See chart now."),
        (f"See {EVIL}.", f"See `{EVIL}`."),
        (f"See <{EVIL}> now.", f"See `{EVIL}` now."),
        (f"See <{EVIL}|the docs> now.", "See the docs now."),
        (f"See [the docs][x] now.\n[x]: {EVIL}\n", "See the docs now.\n"),
        (f"See [{EVIL}](https://docs.example/b) now.", f"See `{EVIL}` now."),
        ("See [run](javascript:alert(1)) now.", None),
    ],
)
def test_an_address_that_the_model_made_up_is_no_link(three: Prompt, written: str, seen: str | None, size: int) -> None:
    text, _ = shown(written, three, size)
    if seen is None:
        assert "javascript:" not in text
    else:
        assert text.strip() == seen.strip() or (size and text.strip().endswith(f"`{EVIL}`"))
    assert f"]({EVIL}" not in text
    assert f"<{EVIL}" not in text
    assert EVIL not in text or f"`{EVIL}`" in text


@pytest.mark.parametrize("size", [0, 1, 4])
def test_addresses_of_the_question_and_the_passages_may_be_repeated(passage: Found, size: int) -> None:
    asked = prompt(passage("Open https://grafana.example/d/1 first."), question="Is https://ci.example up?")
    text, _ = shown("Look at [Grafana](https://grafana.example/d/1) and https://ci.example.", asked, size)
    assert text == "Look at [Grafana](https://grafana.example/d/1) and https://ci.example."


def test_an_address_that_only_begins_like_a_known_one_is_made_up(passage: Found) -> None:
    asked = prompt(passage("Open https://grafana.example/d first."))
    text, _ = shown("Open [it](https://grafana.example/d?key=secret).", asked)
    assert text == "Open it."


@pytest.mark.parametrize("size", [0, 1, 3, 8])
def test_code_stays_as_it_was_written(three: Prompt, size: int) -> None:
    code = "Run `curl https://x.example/a[1]` and:\n```sh\ncurl https://x.example | jq '.[2]' # [3]\n```\nDone [2]."
    text, citing = shown(code, three, size)
    assert text == code.replace("Done [2]", "Done [1]")
    assert [citation.title for citation in citing.citations] == ["B"]


def test_an_index_in_a_plain_answer_is_no_mark() -> None:
    text, _ = shown("Use items[0] here [1].", prompt())
    assert text == "Use items[0] here."


def test_text_is_not_held_back_longer_than_needed(three: Prompt) -> None:
    citing = Citing(three)
    assert citing.feed("The first words of") == "The first words"
    assert citing.feed(" an answer with [2") == " of an answer with"
    assert citing.feed("] and ") == " [1] and"
    assert citing.feed("x" * 2000) != ""


def test_a_citation_quotes_the_passage_in_short(passage: Found) -> None:
    _, citing = shown("Yes [1].", prompt(passage("word\n" * 200)))
    (citation,) = citing.citations
    assert citation.quote.startswith("word word")
    assert citation.quote.endswith("…")
    assert len(citation.quote) <= 280
