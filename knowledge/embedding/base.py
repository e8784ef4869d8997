"""The port of embedding models. Implementations: `knowledge.embedding.minilm`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from knowledge.documents import Vector
from knowledge.embedding.words import QuestionWords


class Embedder(Protocol):
    """Turns texts into vectors of unit length, so that a dot product is a cosine."""

    @property
    def name(self) -> str:
        """Names the model and its build: vectors of different names are never compared."""
        ...

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        ...

    @property
    def max_tokens(self) -> int:
        """The longest text, in the model's own tokens, that is read whole."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vector:
        """One row for each text: float32 of shape (len(texts), dimensions), each of length 1."""
        ...

    async def embed_query(self, text: str) -> Vector:
        """The vector of a question, shape (dimensions,); never queued behind `embed`."""
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens the text has, without the marks that the model sets at its ends."""
        ...

    def count_all_tokens(self, texts: Sequence[str]) -> list[int]:
        """The same for many texts at once, faster. Call it in a worker thread."""
        ...

    async def close(self) -> None:
        """Frees the model. Nothing may be embedded afterwards."""
        ...


@runtime_checkable
class CloseEmbedder(Embedder, Protocol):
    """An embedder whose words can be compared too (see `knowledge.embedding.words`)."""

    async def embed_closely(self, texts: Sequence[str]) -> tuple[Vector, list[bytes]]:
        """The vectors as `embed` gives them, and each text's packed words."""
        ...

    async def embed_query_closely(self, text: str) -> tuple[Vector, QuestionWords]:
        """The vector of a question, and its words."""
        ...
