"""The nearest known name to one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that is not known: the nearest known one, or where all stand."""
    nearest = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f". Did you mean {nearest[0]}?" if nearest else "; `switchboard config check` lists what there is."
