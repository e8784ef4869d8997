"""Sources, documents, chunks, embeddings and problems."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the tables as `knowledge.schema` words them."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "knowledge_sources",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("refreshed", moment),
        sa.Column("seconds", sa.Float),
    )
    op.create_table(
        "knowledge_documents",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("source", sa.Text, sa.ForeignKey("knowledge_sources.name", ondelete="CASCADE"), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("url", sa.Text),
        sa.Column("readers", sa.Text, nullable=False),
        sa.Column("updated", moment),
        sa.Column("author", sa.Text),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.UniqueConstraint("source", "path", name="uq_knowledge_documents_path"),
    )
    op.create_table(
        "knowledge_chunks",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column(
            "document_id",
            sa.String(32),
            sa.ForeignKey("knowledge_documents.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("heading", sa.JSON, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_knowledge_chunks_document_id", "knowledge_chunks", ["document_id"])
    op.create_index("ix_knowledge_chunks_digest", "knowledge_chunks", ["digest"])
    op.create_table(
        "knowledge_embeddings",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "knowledge_problems",
        sa.Column("source", sa.Text, sa.ForeignKey("knowledge_sources.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drops the tables; all of it can be read from the sources again."""
    for table in ("problems", "embeddings", "chunks", "documents", "sources"):
        op.drop_table(f"knowledge_{table}")
