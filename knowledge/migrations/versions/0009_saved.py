"""The list of what people saved from Slack."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# What was saved has the channel before the thread or file; a channel that is a source itself has not.
_KNOWN = """
SELECT source, path FROM knowledge_documents
UNION
SELECT source, path FROM knowledge_problems
"""


def upgrade() -> None:
    """Adds the table with the documents that are known; lists that were kept in files are taken in when the program
    opens its sources."""
    table = op.create_table(
        "knowledge_saved",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
    )
    known = op.get_bind().execute(
        sa.text(
            f"SELECT known.source, known.path FROM ({_KNOWN}) AS known "  # noqa: S608 - words of this file alone
            "JOIN knowledge_sources ON knowledge_sources.name = known.source "
            "WHERE knowledge_sources.kind = 'slack' AND path LIKE '%/%' AND path NOT LIKE 'files/%'"
        )
    )
    rows = [{"source": source, "path": path, "channel": path.partition("/")[0]} for source, path in known]
    op.bulk_insert(table, rows)


def downgrade() -> None:
    """Takes it away: a version before this one goes by the documents that are known."""
    op.drop_table("knowledge_saved")
