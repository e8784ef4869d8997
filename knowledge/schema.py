"""The tables of knowledge: the truth that every search index is rebuilt from. SQLite and PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

metadata = sa.MetaData()


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment with its zone: SQLite drops the zone, so everything is kept in UTC and comes back in UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """The moment in UTC; one without a zone is a mistake of the caller."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """The moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


sources = sa.Table(
    "knowledge_sources",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("refreshed", UtcDateTime),
    sa.Column("seconds", sa.Float),
    # Where the source goes on from: kept after what it listed before has been written.
    sa.Column("state", sa.Text),
    # Numbers of writes (see `knowledge.change_log`): the one that this row came with, so that a source which was
    # forgotten and came again is another one; and the last that gave all its documents the readers of `restricted_to`.
    sa.Column("born", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("restricted", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("restricted_to", sa.Text),
)

documents = sa.Table(
    "knowledge_documents",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("source", sa.Text, sa.ForeignKey("knowledge_sources.name", ondelete="CASCADE"), nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("url", sa.Text),
    sa.Column("readers", sa.Text, nullable=False),
    sa.Column("updated", UtcDateTime),
    sa.Column("author", sa.Text),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("tags", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("anchor", sa.Text),
    sa.Column("language", sa.Text),
    sa.UniqueConstraint("source", "path", name="uq_knowledge_documents_path"),
)

# Keys are never used twice (hence AUTOINCREMENT on SQLite): an index that is behind may name a chunk that is gone, but
# never another one.
chunks = sa.Table(
    "knowledge_chunks",
    metadata,
    sa.Column("key", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column(
        "document_id",
        sa.String(32),
        sa.ForeignKey("knowledge_documents.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("heading", sa.JSON, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    # `own` is the digest of the chunk's own words, `digest` that of the vector it is found by: another's where the
    # chunk says nearly the same as one that was there before.
    sa.Column("digest", sa.String(64), nullable=False, index=True),
    sa.Column("own", sa.String(64), nullable=False, server_default=""),
    sa.Column("line", sa.Integer, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)

# A cache by content: nothing is embedded twice, and no index needs the model to be rebuilt.
embeddings = sa.Table(
    "knowledge_embeddings",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),
    # What late interaction compares (see `knowledge.embedding.words`); NULL where the model has no such thing.
    sa.Column("words", sa.LargeBinary),
)

# How texts that say nearly the same are found: each of the three numbers is equal for most pairs of such texts.
fingerprints = sa.Table(
    "knowledge_fingerprints",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("first", sa.BigInteger, nullable=False, index=True),
    sa.Column("second", sa.BigInteger, nullable=False, index=True),
    sa.Column("third", sa.BigInteger, nullable=False, index=True),
)

# What could not be read. `version` is the listing's, so that the same broken file is not opened at every refresh.
problems = sa.Table(
    "knowledge_problems",
    metadata,
    sa.Column("source", sa.Text, sa.ForeignKey("knowledge_sources.name", ondelete="CASCADE"), primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
)

# Documents that somebody wanted forgotten: they stay out when their source lists them again. The id is a digest of
# source and path, and tells neither.
forgotten = sa.Table(
    "knowledge_forgotten",
    metadata,
    sa.Column("document", sa.String(32), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
)

# The records of files that were imported, in their order: `record` as JSON, without secrets, or the `problem` of a line
# that is none. `file` is the digest of the file as it was, so that nobody takes the rows of the next one for its own.
imports = sa.Table(
    "knowledge_imports",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("file", sa.String(64), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("record", sa.Text),
    sa.Column("problem", sa.Text),
    sa.Index("ix_knowledge_imports_path", "source", "path"),
)

# What people saved from Slack one by one: `path` names the thread or file, beginning with its `channel`.
saved = sa.Table(
    "knowledge_saved",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
)

# One row. `number` is that of the last write, `logged` that of the last one in `changes`, which has all after `floor`;
# `chunks` and `checksum` are the count of all chunks and the sum of their keys (see `knowledge.key_sum`).
standing = sa.Table(
    "knowledge_standing",
    metadata,
    sa.Column("one", sa.Integer, primary_key=True),
    sa.Column("house", sa.String(32), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("logged", sa.BigInteger, nullable=False),
    sa.Column("floor", sa.BigInteger, nullable=False),
    sa.Column("chunks", sa.BigInteger, nullable=False),
    sa.Column("checksum", sa.BigInteger, nullable=False),
)

# What each write did to chunks: their keys, eight bytes each.
changes = sa.Table(
    "knowledge_changes",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("added", sa.LargeBinary, nullable=False),
    sa.Column("removed", sa.LargeBinary, nullable=False),
    sa.Column("moved", sa.LargeBinary, nullable=False),
)

# When an event told of a document: what was read of it before that is not written any more.
follows = sa.Table(
    "knowledge_follows",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)

# What one process at a time does. `until` is in seconds since 1970 by the database's clock; `turns` counts how often
# it was begun, `finished` is the last of these that came to a good end.
leases = sa.Table(
    "knowledge_leases",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", sa.Double, nullable=False),
    sa.Column("turns", sa.BigInteger, nullable=False),
    sa.Column("finished", sa.BigInteger, nullable=False),
)

# Search indexes that all processes have in common, on a Chroma server: the stamp of each (see `knowledge.stamp`), and
# why nobody may use it now ("" where all may).
shared_indexes = sa.Table(
    "knowledge_shared_indexes",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("stamp", sa.JSON, nullable=False),
    sa.Column("trouble", sa.Text, nullable=False),
)

# Which embedding model each process wants, why which of its indexes could not be rebuilt, and until when it counts as
# living without another sign of life.
processes = sa.Table(
    "knowledge_processes",
    metadata,
    sa.Column("worker", sa.Text, primary_key=True),
    sa.Column("wanted", sa.Text, nullable=False),
    sa.Column("failing", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("until", sa.Double, nullable=False),
)
