"""One error vocabulary for the package: each subclass is a decision that a caller takes.

The text of every error is a sentence for a person: it names the thing and the way out.
"""

from __future__ import annotations


class KnowledgeError(Exception):
    """Base of all errors that the package raises on purpose. `str(error)` may be shown to a person."""


class ModelMissing(KnowledgeError):
    """The embedding model is not there, or is not the one that was expected: prepare it."""


class EmbeddingUnavailable(KnowledgeError):
    """The embedding model cannot be asked now (its endpoint fails): words alone are searched, and nothing is added."""


class SourceUnavailable(KnowledgeError):
    """A whole source cannot be reached (a folder that is missing); what is known of it is kept."""


class DocumentUnreadable(KnowledgeError):
    """One document holds nothing that can be read; the others go on. Reading it again would change nothing."""


class DocumentUnreachable(DocumentUnreadable):
    """One document cannot be read now (refused, vanished, a disk error); the next refresh tries again."""


class RefreshStopped(KnowledgeError):
    """The knowledge was closed while it was refreshed; the next refresh goes on from there."""


class UnknownSource(KnowledgeError):
    """No source has this name."""


class InvalidScope(KnowledgeError):
    """A reader is not one of "everyone", "channel:C…" and "user:U…"."""


class StoreUnavailable(KnowledgeError):
    """The database of knowledge could not be read or written; nothing was lost."""


class StorageFull(StoreUnavailable):
    """There is no room to write. What was written before is whole; free some space and refresh again."""


class KnowledgeInUse(KnowledgeError):
    """Another process holds the knowledge folder."""


class IndexBroken(KnowledgeError):
    """A search index cannot be used; it can be rebuilt from the database."""


class IndexAway(IndexBroken):
    """A search index cannot be asked now (its server is down, hangs or refuses); what it holds may be whole."""
