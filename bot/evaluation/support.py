"""Whether what an answer says stands in the passages that it was written from."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.models.relevance import content_words
from bot.models.units import Unit, plain, split
from knowledge.documents import Passage
from knowledge.embedding.base import Embedder

SHARE = 0.6
"""A sentence is supported where one passage has this share of its content words, …

With these two numbers 2.4% of 250 sentences of XQuAD's English articles were taken to stand in six other paragraphs of
the same article, and all that had lost a quarter of their words in their own."""
COSINE = 0.7
"""… or a unit that is this near to it in meaning; and all of its numbers, whichever of the two it is."""
_FEWEST_WORDS = 2
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


async def supported(said: str, passages: Sequence[Passage], embedder: Embedder) -> float | None:
    """Share (0 to 1) of the answer's sentences that one of the passages supports; None where it says nothing.

    A number that the passage does not have makes a sentence unsupported: what is made up shows there first.
    """
    claims = [text for unit in split(said) for text in _claims(unit)]
    claims = [claim for claim in claims if len(content_words(claim)) >= _FEWEST_WORDS]
    if not claims:
        return None
    texts = [" ".join((passage.title, *passage.heading, passage.text)) for passage in passages]
    known = [
        (content_words(text), frozenset(_NUMBER.findall(text)), passage)
        for text, passage in zip(texts, passages, strict=True)
    ]
    good = 0
    for claim in claims:
        own, numbers = content_words(claim), frozenset(_NUMBER.findall(claim))
        fitting = [(len(own & has) / len(own), passage) for has, figures, passage in known if numbers <= figures]
        share, nearest = max(fitting, key=lambda each: each[0], default=(0.0, None))
        good += share >= SHARE or (nearest is not None and await _means_the_same(claim, nearest, embedder))
    return good / len(claims)


def _claims(unit: Unit) -> Sequence[str]:
    """A sentence, or each item of a list and each row of a table."""
    return [plain(line) for line in unit.lines] or [unit.words]


async def _means_the_same(claim: str, passage: Passage, embedder: Embedder) -> bool:
    """Whether a unit of the passage says it in other words."""
    units = [unit.words for unit in split(passage.text)]
    if not units:
        return False
    first, *others = await embedder.embed([claim, *units])
    return max(float(first @ other) for other in others) >= COSINE
