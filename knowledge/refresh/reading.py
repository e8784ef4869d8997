"""One document: read from its source and split, or the reason why it cannot be."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import structlog

from knowledge.chunking import Chunker
from knowledge.documents import BlockKind, Chunk, Content, Document, document_id
from knowledge.embedding.base import Embedder
from knowledge.errors import DocumentUnreadable, SourceUnavailable
from knowledge.language import language_of
from knowledge.records import Replacement
from knowledge.secrets import masking
from knowledge.sources.base import Listing, Reading, Source
from knowledge.sources.parsers.cleaning import cleaned

_LOOKED_AT = 4_000  # characters that tell a document's language
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Broken:
    """A document that could not be read."""

    listing: Listing
    error: DocumentUnreadable


class Reader:
    """Reads and splits documents for one embedding model."""

    def __init__(self, embedder: Embedder) -> None:
        self._chunker = Chunker(embedder.count_all_tokens, embedder.max_tokens)

    async def read(self, source: Source, listing: Listing) -> Replacement | Broken:
        """The document in chunks, or why not. Raises SourceUnavailable where the source as a whole fails meanwhile."""
        try:
            return await self._replacement(source, listing)
        except DocumentUnreadable as error:
            return Broken(listing, error)
        except SourceUnavailable:
            raise
        except Exception as error:  # a parser met what nobody foresaw: this one document's end, and no other's
            _log.exception("knowledge.document_failed", source=source.name, path=listing.path)
            sentence = f"{listing.path} could not be read ({type(error).__name__}); the log says where."
            return Broken(listing, DocumentUnreadable(sentence))

    async def _replacement(self, source: Source, listing: Listing) -> Replacement:
        reading = await asyncio.to_thread(_without_secrets, await source.read(listing))
        document = Document(
            id=document_id(source.name, listing.path),
            source=source.name,
            path=listing.path,
            title=reading.title,
            url=listing.url,
            readers=listing.readers,
            updated=reading.updated,
            author=reading.author,
            digest=reading.digest,
            tags=reading.tags | reading.content.tags,
            anchor=listing.anchor,
        )
        chunks, language = await asyncio.to_thread(self._split, reading)
        return Replacement(replace(document, language=language), listing.version, chunks)

    def _split(self, reading: Reading) -> tuple[list[Chunk], str | None]:
        content = replace(reading.content, blocks=cleaned(reading.content.blocks))
        return self._chunker.split(reading.title, content), _language(content)


def _without_secrets(reading: Reading) -> Reading:
    """What is read is masked before anything is made of it: a secret has no chunk, no vector and no title."""
    mask = masking().text
    blocks = tuple(replace(block, text=mask(block.text)) for block in reading.content.blocks)
    return replace(reading, title=mask(reading.title), content=replace(reading.content, blocks=blocks))


def _language(content: Content) -> str | None:
    """The language of a document, by its first words that are not code."""
    text = ""
    for block in content.blocks:
        if block.kind is not BlockKind.CODE and len(text) < _LOOKED_AT:
            text += block.text[:_LOOKED_AT] + "\n"
    return language_of(text)
