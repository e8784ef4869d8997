"""Which embedding model each living process wants."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the table, with nothing in it."""
    op.create_table(
        "knowledge_processes",
        sa.Column("worker", sa.Text, primary_key=True),
        sa.Column("wanted", sa.Text, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
    )


def downgrade() -> None:
    """Takes it away."""
    op.drop_table("knowledge_processes")
