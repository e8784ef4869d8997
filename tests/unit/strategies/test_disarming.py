"""What a model writes loses its power, whatever it is dressed as."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest
from attacks import CALLS, IMAGES, LINKS, MARKUP, PREVIEWS
from slack_reading import read

from bot.domain import Message, Prompt, StrategyName
from bot.strategies.addresses import same
from bot.strategies.citing import Citing
from bot.strategies.disarming import told, uncalled

ROOT = Path(__file__).resolve().parents[3]
SECRET = "canary0123456789"
PROMPT = Prompt(
    strategy=StrategyName.RAG,
    question="Is https://ci.example up?",
    messages=(Message("system", "s"), Message("user", f"The phrase is {SECRET}."), Message("user", "q")),
)


def shown(text: str, size: int) -> str:
    citing = Citing(PROMPT)
    return "".join([*(citing.feed(text[at : at + size]) for at in range(0, len(text), size)), citing.close()])


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("payload", [*LINKS, *IMAGES, *PREVIEWS, *MARKUP, *CALLS])
def test_nothing_of_an_attack_comes_alive_however_it_is_cut(payload: str, size: int) -> None:
    text = payload.replace("{I}", "x").replace("{S}", SECRET)
    bare = read("whole", {"markdown_text": text})
    assert bare.addresses or bare.in_code or bare.calls
    seen = read("whole", {"markdown_text": shown(f"Well: {text}\n\nThat is all.", size)})
    assert (seen.addresses, seen.pictures, seen.calls) == ([], [], [])
    assert not any(SECRET in address for address in seen.in_code)


@pytest.mark.parametrize(
    "text",
    [
        "Run `os.path.join` or node.js, version 1.2.3, at 10.0.0.1, e.g. now. It is done.Then go.",
        "Use List<String>, a < b and <your-name>; mail is @work; C:\\Users\\x is a path.",
        "| a | b |\n|---|---|\n| 1 | `x[0]` |",
        "Ein Satz – „mit Zeichen“: 50 % & mehr. 数据在这里。然后结束。",
        "```python\nimport os  # here\nx = d[1](2)\n```\nand ~~that~~ **this** _too_",
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_honest_answer_stays_as_it_is(text: str, size: int) -> None:
    assert shown(text, size) == text


def test_names_that_look_like_addresses_are_shown_as_code() -> None:
    assert shown("See README.md and main.py.", 4) == "See `README.md` and `main.py`."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://Docs.Example:443", "https://docs.example/"),
        ("https://docs.example/%c3%a4", "https://docs.example/ä"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ],
)
def test_one_address_is_written_in_many_ways(one: str, other: str) -> None:
    assert same(one) == same(other)


@pytest.mark.parametrize(
    "other",
    [
        "https://docs.example/b",
        "https://docs.example/?q=1",
        "https://docs.example/#q",
        "http://docs.example/",
        "https://docs.example:8443/",
        "https://docs.example@evil.example/",
        "https://dоcs.example/",
        "https://a.docs.example/",
    ],
)
def test_another_path_query_host_or_user_is_another_address(other: str) -> None:
    assert same("https://docs.example/") != same(other)


def test_the_words_of_others_in_our_sentences_have_no_power() -> None:
    text = told("<!channel> [x](https://evil.example/) evil.example @here `code` <https://a.example|b>")
    assert text == "channel x `evil.example` (at)here `code` b"
    assert uncalled("<@U0MAYA> and <!subteam^S1|@devs>, a@here.example") == "U0MAYA and devs, a@here.example"


@pytest.mark.parametrize(
    "text",
    [piece * 10_000 for piece in ("a.", "[", "<", "`", "a@", "http:", "![[", "](", "日本語。", "&#", "<a ", "x ")],
)
def test_hostile_texts_take_no_longer_than_others(text: str) -> None:
    started = time.process_time()
    seen = read("whole", {"markdown_text": shown(text, 50)[-500:]})
    assert seen.addresses == []
    assert time.process_time() - started < 20  # seconds; quadratic work would take minutes


def test_no_message_shows_previews() -> None:
    posts, mentioned = [], 0
    for file in [*(ROOT / "handlers").rglob("*.py"), *(ROOT / "bot").rglob("*.py")]:
        text = file.read_text(encoding="utf-8")
        mentioned += text.count("chat_postMessage")
        for node in ast.walk(ast.parse(text)):
            called = isinstance(node, ast.Call) and [node.func, *node.args]
            names = [getattr(one, "attr", "") for one in called or ()]
            if isinstance(node, ast.Call) and "chat_postMessage" in names:
                posts.append((file.name, {word.arg for word in node.keywords}))
    assert len(posts) == mentioned > 0  # none is written in a way that is not looked at here
    # None stands for **fields, which hold both: handlers.posts builds them in one place.
    assert [file for file, words in posts if not ({"unfurl_links", "unfurl_media"} <= words or None in words)] == []
