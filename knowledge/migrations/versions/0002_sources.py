"""What sources go on from, tags, languages, links to lines, and texts that say nearly the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns and the table of fingerprints; a chunk that is there is its own twin."""
    op.add_column("knowledge_sources", sa.Column("state", sa.Text))
    op.add_column("knowledge_documents", sa.Column("tags", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("knowledge_documents", sa.Column("anchor", sa.Text))
    op.add_column("knowledge_documents", sa.Column("language", sa.Text))
    op.add_column("knowledge_chunks", sa.Column("own", sa.String(64), nullable=False, server_default=""))
    op.add_column("knowledge_chunks", sa.Column("line", sa.Integer, nullable=False, server_default="0"))
    op.execute("UPDATE knowledge_chunks SET own = digest")
    op.create_table(
        "knowledge_fingerprints",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("second", sa.BigInteger, nullable=False),
        sa.Column("third", sa.BigInteger, nullable=False),
    )
    for name in ("first", "second", "third"):
        op.create_index(f"ix_knowledge_fingerprints_{name}", "knowledge_fingerprints", [name])


def downgrade() -> None:
    """Takes them away again; they are found anew when the sources are read."""
    op.drop_table("knowledge_fingerprints")
    for table, columns in (("chunks", ("line", "own")), ("documents", ("language", "anchor", "tags"))):
        for column in columns:
            op.drop_column(f"knowledge_{table}", column)
    op.drop_column("knowledge_sources", "state")
