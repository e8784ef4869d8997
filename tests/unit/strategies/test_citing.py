from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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
UNARMED = "https[:]//evil[.]example/?stolen=secret"


@pytest.mark.parametrize("size", [0, 1, 2, 9])
@pytest.mark.parametrize(
    ("written", "seen"),
    [
        (f"See [the docs]({EVIL}) now.", "See the docs now."),
        (f'See [the docs]({EVIL} "a title") now.', "See the docs now."),
        (f"See [the docs](<{EVIL}>) now.", "See the docs now."),
        (f"See ![chart]({EVIL}) now.", "See chart now."),
        (f"See {EVIL}.", f"See {UNARMED}."),
        (f"See <{EVIL}> now.", f"See {UNARMED} now."),
        (f"See <{EVIL}|the docs> now.", "See the docs now."),
        (f"See [the docs][x] now.\n[x]: {EVIL}\n", "See the docs now.\n"),
        (f"See [{EVIL}](https://docs.example/b) now.", f"See {UNARMED} now."),
        ("See [run](javascript:alert(1)) now.", "See run) now."),
    ],
)
def test_an_address_that_the_model_made_up_is_no_link(three: Prompt, written: str, seen: str, size: int) -> None:
    text, _ = shown(written, three, size)
    assert text.strip() == seen.strip()


@pytest.mark.parametrize("size", [0, 1, 4])
def test_addresses_of_the_question_and_of_the_passages_themselves_may_be_links(passage: Found, size: int) -> None:
    at = "https://docs.example/d?id=1#top"
    asked = prompt(passage("Open it.", url=at), question="Is https://ci.example up?")
    text, _ = shown(f"Look at [the page]({at}) and HTTPS://CI.example:443/.", asked, size)
    assert text == f"Look at [the page]({at}) and HTTPS://CI.example:443/."


@pytest.mark.parametrize("size", [0, 1, 4])
def test_an_address_in_a_passages_text_is_no_link_but_can_be_copied(passage: Found, size: int) -> None:
    asked = prompt(passage("Open https://grafana.example/d/1 or write to ops@team.example."))
    text, _ = shown(
        "Look at [Grafana](https://grafana.example/d/1), https://grafana.example/d/1, ops@team.example.", asked, size
    )
    assert text == "Look at Grafana, `https://grafana.example/d/1`, `ops@team.example`."


def test_what_an_admin_allows_may_be_a_link_whoever_wrote_it(passage: Found) -> None:
    asked = replace(prompt(passage("Open it.")), links=("team.example",))
    text, _ = shown(
        "[a](https://ci.team.example/x?y=1) [b](https://notteam.example/) [c](https://team.example@evil.example/)",
        asked,
    )
    assert text == "[a](https://ci.team.example/x?y=1) b c"


def test_an_address_that_only_begins_like_a_known_one_is_made_up(passage: Found) -> None:
    asked = prompt(passage("Open https://grafana.example/d first."))
    text, _ = shown("Open [it](https://grafana.example/d?key=secret).", asked)
    assert text == "Open it."


CODE = "Run `curl https://x.example/a[1]` and:\n```sh\ncurl https://x.example | jq '.[2]' # [3]\n```\nDone [2]."


@pytest.mark.parametrize("size", [0, 1, 3, 8])
def test_code_that_was_given_stays_as_it_was_written(passage: Found, size: int) -> None:
    given = prompt(passage("curl https://x.example/a[1]\ncurl https://x.example", "A"), passage("two", "B"))
    text, citing = shown(CODE, given, size)
    assert text == CODE.replace("Done [2]", "Done [1]")
    assert [citation.title for citation in citing.citations] == ["B"]


@pytest.mark.parametrize("size", [0, 1, 3, 8])
def test_an_address_that_was_made_up_is_none_in_code_either_where_there_is_something_to_tell(
    three: Prompt, size: int
) -> None:
    text, _ = shown(CODE, three, size)
    assert text.startswith("Run `curl https[:]//x[.]example/a[1]` and:\n```sh\ncurl https[:]//x[.]example | jq")
    assert shown(CODE, prompt(), size)[0] == CODE.replace(" [2]", "")


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
