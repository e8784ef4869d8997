"""The words of texts beside their vectors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the column, empty: this build of the model embeds everything anew."""
    op.add_column("knowledge_embeddings", sa.Column("words", sa.LargeBinary))


def downgrade() -> None:
    """Takes it away again."""
    op.drop_column("knowledge_embeddings", "words")
