"""Which indexes each living process could not rebuild."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column: nothing is known to fail."""
    op.add_column("knowledge_processes", sa.Column("failing", sa.JSON, nullable=False, server_default="{}"))


def downgrade() -> None:
    """Takes it away."""
    op.drop_column("knowledge_processes", "failing")
