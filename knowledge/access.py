"""Who may read a document: reader scopes, as strings.

A scope is "outsiders" (anybody here: guests and people of other companies too), "everyone" (all full members),
"channel:C123" (whoever can read that channel) or "user:U123" (one person). A document carries the scopes that may read
it, a question those that its whole audience has; the document is readable where they meet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from knowledge.errors import InvalidScope

EVERYONE = "everyone"
OUTSIDERS = "outsiders"
PUBLIC = frozenset({EVERYONE})
MEMBERS = frozenset({EVERYONE, OUTSIDERS})
"""What every full member has: their own knowledge, and what outsiders may read too."""
_SCOPE = re.compile(r"everyone|outsiders|(?:channel|user):[A-Za-z0-9][A-Za-z0-9._-]*")


def channel(identifier: str) -> str:
    """The scope of a channel's members. Raises InvalidScope."""
    return parse_scope(f"channel:{identifier}")


def user(identifier: str) -> str:
    """The scope of one person. Raises InvalidScope."""
    return parse_scope(f"user:{identifier}")


@lru_cache(1024)  # a question of one who is in hundreds of channels asks for them all
def parse_scope(text: str) -> str:
    """The scope that `text` words, spaces around it cut. Raises InvalidScope."""
    scope = text.strip()
    if not _SCOPE.fullmatch(scope):
        raise InvalidScope(
            f"“{text}” does not say who may read: write “everyone”, “outsiders” (guests and other companies too), "
            "“channel:C…” with a channel's id, or “user:U…” with a person's id."
        )
    return scope


def parse_scopes(texts: Iterable[str]) -> frozenset[str]:
    """All of `texts` as scopes. Raises InvalidScope for the first that is none."""
    return frozenset(parse_scope(text) for text in texts)


def readable(readers: frozenset[str], scopes: frozenset[str]) -> bool:
    """Whether a document for `readers` may be shown to an audience that has `scopes`."""
    return not readers.isdisjoint(scopes)


def held(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes of an audience, checked: who reads what everyone reads, reads what outsiders may read too.

    Raises InvalidScope.
    """
    parsed = parse_scopes(scopes)
    return parsed | MEMBERS if EVERYONE in parsed else parsed


def to_key(readers: frozenset[str]) -> str:
    """The readers as one string, the same for the same set, as the store keeps them."""
    return " ".join(sorted(readers))


def from_key(key: str) -> frozenset[str]:
    """The readers that `to_key` made a string of."""
    return frozenset(key.split())
