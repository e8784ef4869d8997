"""Secrets and personal data in a text: found by their shapes, and put behind a name that says what stood there.

One pass over a text, linear in its length: every pattern begins with what few texts hold, and what it repeats is
bounded. A mask is the same for every value of a kind ("[secret: GitHub token]"), so texts that differ in a secret alone
stay alike, and nothing of the value is left.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from knowledge.personal import PERSONAL
from knowledge.secret_shapes import SHAPES, Shape

VERSION = "1"
"""Changes with the shapes: what was indexed with others is read once more."""
KINDS = tuple(dict.fromkeys(shape.name for shape in SHAPES))
_LONG, _SHORT = 16, 8
_ENOUGH = 2.8
"""Bits a character: words of a language repeat their letters more than keys do, at the lengths of keys."""
_PLACEHOLDERS = frozenset(
    {"password", "passwd", "passphrase", "pass", "pwd", "pw", "secret", "token", "key", "apikey", "example", "changeme"}
    | {"postgres", "user", "username", "test", "none", "null", "true", "false", "string", "your_password", "mypassword"}
)
# The name of a variable, a variable, stars, one character many times, an address, a path.
_IS_NAME = re.compile(
    r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[$%].*|[x*.#\-]+|(.)\1+|(?:https?|file|env|op|vault|ssm)[:/].*|[~./].*"
)
_WORDS = re.compile(r"[A-Za-z]+\d?(?:[_.\-/][A-Za-z]*\d{0,2}){0,12}")


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without what was found in it, and the kinds of that, each once, in their order."""

    text: str
    kinds: tuple[str, ...] = ()


class Masking:
    """Finds and masks. `personal`: personal data too."""

    def __init__(self, *, personal: bool = False) -> None:
        self.personal = personal

    @property
    def version(self) -> str:
        """What was masked by another version is to be masked anew."""
        return f"{VERSION}p" if self.personal else VERSION

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self.masked(text).text

    def masked(self, text: str) -> Masked:
        """The text without secrets, and what they were."""
        kinds: dict[str, None] = {}
        lower = text.lower()
        for shape in SHAPES:
            if any(hint in lower for hint in shape.hints):
                text = _pattern(shape.pattern).sub(_put(shape, kinds), text)
        if self.personal:
            for kind in PERSONAL:
                text = kind.masked(text)
        return Masked(text, tuple(kinds))


SECRETS = Masking()
"""Masks secrets, whatever is set."""
_of_process = [SECRETS]


def use(wanted: Masking) -> None:
    """From now on this process masks so, whatever is written, sent or indexed."""
    _of_process[0] = wanted


def masking() -> Masking:
    """How this process masks."""
    return _of_process[0]


def warning(kinds: Iterable[str], where: str = "Your message") -> str:
    """One sentence for whoever sent these kinds of secrets, in a message or in a file; "" for none."""
    found = [*kinds]
    if not found:
        return ""
    names = ", ".join(f"a {kind}" if kind[0].lower() not in "aeiou" else f"an {kind}" for kind in found)
    return (
        f"{where} held what looks like {names}. I masked it before a model or my memory got it. It still stands "
        "in Slack, so please replace it where it comes from, and delete the message."
    )


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _put(shape: Shape, kinds: dict[str, None]) -> Callable[[re.Match[str]], str]:
    has_value = "(?P<value>" in shape.pattern

    def one(match: re.Match[str]) -> str:
        group = "value" if has_value else 0
        value = match[group]
        named = match.groupdict().get("name", "") or ""
        if shape.is_random and not looks_random(value, _SHORT if named[:2].lower() in ("pa", "pw") else _LONG):
            return match[0]
        if has_value and is_placeholder(value):
            return match[0]
        kinds[shape.name] = None
        before, after = match[0][: match.start(group) - match.start()], match[0][match.end(group) - match.start() :]
        return f"{before}[secret: {shape.name}]{after}"

    return one


def is_placeholder(value: str) -> bool:
    """Whether a value only stands for one: a variable, a path, "changeme"."""
    return value.lower().strip("<>{}$") in _PLACEHOLDERS or _IS_NAME.fullmatch(value) is not None


def looks_random(value: str, fewest: int) -> bool:
    """Whether a value of at least `fewest` characters looks made by a machine, or by somebody who was told to."""
    if len(value) < fewest or is_placeholder(value) or _WORDS.fullmatch(value):
        return False
    has_letters, has_digits = any(c.isalpha() for c in value), any(c.isdigit() for c in value)
    counts = Counter(value)
    entropy = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return has_letters and has_digits and entropy >= min(_ENOUGH, math.log2(len(value)) * 0.8)
