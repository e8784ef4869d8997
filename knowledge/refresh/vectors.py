"""The vectors of chunks: those that are kept, those of texts that say nearly the same, and the rest embedded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from knowledge.documents import Vector
from knowledge.embedding.base import Embedder
from knowledge.embedding.checked import embed_closely_checked
from knowledge.kept_vectors import KeptVectors
from knowledge.records import Embedded, Fingerprint, Original, Replacement
from knowledge.refresh.twins import are_twins, fingerprint, original


class Vectors:
    """Finds or makes a vector for every chunk, and none twice: not even while an earlier one is being written."""

    def __init__(self, kept: KeptVectors, embedder: Embedder) -> None:
        self._kept = kept
        self._embedder = embedder
        self._unwritten: dict[int, Embedded] = {}

    async def of(self, replacements: Sequence[Replacement]) -> Embedded:
        """The vectors of some documents' chunks. Call `settle` once they are in the store, or never will be.

        Raises EmbeddingUnavailable where the model fails or answers with what is no vector of its kind.
        """
        texts = {
            chunk.digest: (replacement.document.title, chunk)
            for replacement in replacements
            for chunk in replacement.chunks
        }
        homes = await self._kept.homes(replacement.document.id for replacement in replacements)
        homes = {own: homes.get(own, own) for own in texts}
        vectors = await self._known(homes.values())
        missing = [original(*texts[own]) for own, home in homes.items() if home not in vectors]
        fresh: dict[str, Original] = {}
        prints: dict[str, Fingerprint] = {}
        words: dict[str, bytes | None] = {}
        if missing:
            found = await self._twins(missing, prints)
            vectors |= await self._known(home for home in found.values() if home not in vectors)
            for text in missing:
                home = found[text.digest]
                if home not in vectors and home not in fresh:  # its own, or gone since it was found
                    fresh[text.digest] = text
                    home = text.digest
                homes[text.digest] = home
            wanted = [texts[digest][1].embedded for digest in fresh]
            made, packed = await embed_closely_checked(self._embedder, wanted)
            vectors |= dict(zip(fresh, made, strict=True))
            words = dict(zip(fresh, packed, strict=True))
        embedded = Embedded(homes, vectors, fresh, {digest: prints[digest] for digest in fresh}, words)
        self._unwritten[id(embedded)] = embedded
        return embedded

    def settle(self, embedded: Embedded) -> None:
        """The store has these now, or need not have them."""
        self._unwritten.pop(id(embedded), None)

    async def _known(self, digests: Iterable[str]) -> dict[str, Vector]:
        wanted = set(digests)
        found = {d: one.vectors[d] for one in self._unwritten.values() for d in wanted & one.vectors.keys()}
        return found | await self._kept.cached(wanted - found.keys(), self._embedder.name)

    async def _twins(self, missing: Sequence[Original], prints: dict[str, Fingerprint]) -> dict[str, str]:
        """For each text the digest that its vector is kept under; fills `prints`."""
        prints |= await asyncio.to_thread(lambda: {text.digest: fingerprint(text) for text in missing})
        there = await self._kept.twins(prints.values(), self._embedder.name)
        unwritten = {d: one.fingerprints[d] for one in self._unwritten.values() for d in one.fresh}
        there += [one.fresh[d] for one in self._unwritten.values() for d in one.fresh]
        return await asyncio.to_thread(_homes, missing, there, prints | unwritten)


def _homes(missing: Sequence[Original], there: Sequence[Original], prints: Mapping[str, Fingerprint]) -> dict[str, str]:
    """The first text that says nearly the same, of those that are there and those that come before."""
    by_number: dict[int, list[Original]] = {}

    def enter(text: Original) -> None:
        for number in _numbers(prints[text.digest] if text.digest in prints else fingerprint(text)):
            by_number.setdefault(number, []).append(text)

    for text in there:
        enter(text)
    homes: dict[str, str] = {}
    for text in missing:
        alike = {one.digest: one for number in _numbers(prints[text.digest]) for one in by_number.get(number, ())}
        homes[text.digest] = next((one.digest for one in alike.values() if are_twins(one, text)), text.digest)
        if homes[text.digest] == text.digest:
            enter(text)
    return homes


def _numbers(print_: Fingerprint) -> tuple[int, int, int]:
    return print_.first, print_.second, print_.third
