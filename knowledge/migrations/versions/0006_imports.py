"""Records of imported files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table; files that were imported before are taken in when the program opens its sources."""
    op.create_table(
        "knowledge_imports",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("file", sa.String(64), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("record", sa.Text),
        sa.Column("problem", sa.Text),
        sa.Index("ix_knowledge_imports_path", "source", "path"),
    )


def downgrade() -> None:
    """Takes it away: what was imported has to be imported again."""
    op.drop_table("knowledge_imports")
