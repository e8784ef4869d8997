from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from bot.models import tokens
from bot.models.tokens import TokenCount, count_tokens, load_encodings, most_tokens


@pytest.fixture(autouse=True)
def _nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with no encoding loaded, and none can be had from a network."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("counting tokens touched the network")

    monkeypatch.setattr(tokens, "_loaded", {})
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def folder(models_dir: Path) -> Path:
    found = models_dir / "tiktoken"
    if len(list(found.glob("*"))) < 2:
        pytest.skip("the tokenizer files could not be had when this machine was set up")
    return found


def test_without_files_tokens_are_estimated_and_marked(tmp_path: Path) -> None:
    assert load_encodings(tmp_path) == ()
    assert count_tokens("Deploys run on Tuesdays.", "gpt-4o") == TokenCount(6, estimated=True)
    assert count_tokens("", "gpt-4o") == TokenCount(0, estimated=True)


def test_scripts_outside_ascii_are_estimated_higher() -> None:
    assert count_tokens("中文中文", "x").tokens == 3


def test_a_known_model_is_counted_exactly(folder: Path) -> None:
    assert set(load_encodings(folder)) == {"o200k_base", "cl100k_base"}
    assert count_tokens("tiktoken is great!", "gpt-4o") == TokenCount(6, estimated=False)
    assert count_tokens("tiktoken is great!", "gpt-4") == TokenCount(6, estimated=False)
    assert count_tokens("tiktoken is great!", "openai/gpt-oss-20b").estimated is False


def test_an_unknown_model_is_counted_with_the_newest_encoding_and_marked(folder: Path) -> None:
    load_encodings(folder)
    assert count_tokens("tiktoken is great!", "llama-3.3-70b-versatile") == TokenCount(6, estimated=True)


def test_text_that_looks_like_a_control_token_is_only_text(folder: Path) -> None:
    load_encodings(folder)
    assert count_tokens("<|endoftext|>", "gpt-4o").tokens > 1


def test_a_damaged_file_is_left_out_and_left_alone(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "tiktoken"
    shutil.copytree(folder, copy)
    damaged = copy / "fb374d419588a4632f3f557e76b4b70aebbca790"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert load_encodings(copy) == ("cl100k_base",)
    assert damaged.is_file()
    assert count_tokens("tiktoken is great!", "gpt-4o").estimated


def test_what_a_text_takes_at_most_is_below_its_real_count_for_fewer_than_one_text_in_a_hundred(folder: Path) -> None:
    root = Path(__file__).parents[3]
    files = [*root.glob("docs/*.md"), *root.glob("bot/**/*.py"), *root.glob("deploy/**/*.js"), *root.glob("*.lock")]
    languages = [
        "Wie viele Urlaubstage gibt es?",
        "休暇は何日ありますか。",
        "Сколько дней отпуска?",
        "كم عدد أيام الإجازة؟",
    ]
    texts = [text[start : start + 1500] for text in map(_read, files) for start in range(0, len(text), 1500)]
    texts += [said * number for said in languages for number in (1, 50)]
    load_encodings(folder)
    below = sum(most_tokens(text) < max(count_tokens(text, m).tokens for m in ("gpt-4o", "gpt-4")) for text in texts)
    assert len(texts) > 500
    assert below <= len(texts) / 100
    most, real = (sum(map(count, texts)) for count in (most_tokens, lambda text: count_tokens(text, "gpt-4o").tokens))
    assert most < 2 * real, "what is held is no more than twice what is used"


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")
