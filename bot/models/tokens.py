"""How many tokens a text has for a model: by tiktoken where its files are there, else estimated and marked so."""

from __future__ import annotations

import hashlib
import os
import string
from dataclasses import dataclass
from pathlib import Path

import tiktoken
from tiktoken.model import encoding_name_for_model

from bot.domain import Image

FALLBACK = "o200k_base"

MOST_IMAGE_TOKENS = 4_000
"""The most that a picture of 1568 pixels takes: 1,536 patches by up to 2.46 tokens (OpenAI's guide to images and
vision); others take fewer."""

# tiktoken names a cached file by the SHA-1 of its address and, where the content is not the expected one, deletes it
# and downloads. Both are looked at here first, so that it never tries.
_FILES = {
    "o200k_base": (
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    "cl100k_base": (
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
}

# None: its file is there and sound. Each takes 35 to 75 MB, and one of an older model may never be asked for.
_loaded: dict[str, tiktoken.Encoding | None] = {}


@dataclass(frozen=True, slots=True)
class TokenCount:
    """`estimated` is true where the model's own encoding is not known or its file is not there."""

    tokens: int
    estimated: bool


def load_encodings(folder: Path) -> tuple[str, ...]:
    """Finds the encodings whose files lie in `folder`, and returns the names of those that can now be used.

    Loads the newest, which takes half a second: call it in a worker thread. Missing or damaged files are left out;
    nothing is ever downloaded.
    """
    for name, (file, sha256) in _FILES.items():
        path = folder / file
        if name in _loaded or not path.is_file():
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            continue
        os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
        _loaded[name] = tiktoken.get_encoding(name) if name == FALLBACK else None
    return tuple(_loaded)


def count_tokens(text: str, model_id: str) -> TokenCount:
    """The tokens of `text` for the model that its server knows as `model_id`.

    Models that tiktoken does not know are counted with its newest encoding and marked as estimated.
    """
    known = _encoding_name(model_id)
    encoding = _encoding(known or FALLBACK)
    if encoding is None:
        return TokenCount(estimate_tokens(text), estimated=True)
    return TokenCount(len(encoding.encode_ordinary(text)), estimated=known is None)


def estimate_tokens(text: str) -> int:
    """One token for four bytes of UTF-8, rounded up.

    OpenAI's rule of thumb is four characters of English (help.openai.com, "What are tokens and how to count them?"),
    where a character is a byte; other scripts take more bytes and more tokens a character.
    """
    return -(-len(text.encode()) // 4)


def image_tokens(image: Image) -> int:
    """What a picture takes, where no server says it: a token for 750 pixels (Anthropic's guide to vision)."""
    return -(-image.width * image.height // 750)


def _encoding(name: str) -> tiktoken.Encoding | None:
    """The encoding, loaded (0.2 s) where it is asked for the first time."""
    if name in _loaded and _loaded[name] is None:
        _loaded[name] = tiktoken.get_encoding(name)
    return _loaded.get(name)


def _encoding_name(model_id: str) -> str | None:
    try:
        name = encoding_name_for_model(model_id.rsplit("/", 1)[-1])
    except KeyError:
        return None
    return "o200k_base" if name == "o200k_harmony" else name  # the same but for its control tokens


_LETTERS, _DIGITS, _ASCII = string.ascii_letters.encode(), string.digits.encode(), bytes(range(128))
_LETTER, _DIGIT, _MARK, _BYTE = 42, 80, 90, 75
"""Tokens of a hundred letters, digits, other marks, and bytes of other scripts: on documents, code, tables and messages
in 24 languages, 0.12% had more by one of tiktoken's two encodings, by 14% at most (docs/costs.md)."""
_TOKENS_A_MESSAGE = 10


def most_tokens(text: str) -> int:
    """What a text takes at most, nearly always, in a time that does not count: tokenizing would take milliseconds."""
    raw = text.encode("utf-8", "surrogatepass")
    others = raw.translate(None, _LETTERS)
    letters = len(raw) - len(others)
    rest = others.translate(None, _DIGITS + b" ")
    beyond = len(rest.translate(None, _ASCII))
    digits = len(others) - others.count(b" ") - len(rest)
    hundredths = _LETTER * letters + _DIGIT * digits + _MARK * (len(rest) - beyond) + _BYTE * beyond
    return -(-hundredths // 100) + _TOKENS_A_MESSAGE
