"""The stamps of indexes that all processes have in common, on a Chroma server."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table, with nothing in it."""
    op.create_table(
        "knowledge_shared_indexes",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("stamp", sa.JSON, nullable=False),
        sa.Column("trouble", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Takes it away; what is on a server stays there until a newer version clears it."""
    op.drop_table("knowledge_shared_indexes")
