"""What answers lean on word for word, notes on what changed there, and which channels want none."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.create_table(
        "leanings",
        sa.Column("question_id", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("document", sa.String(32), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("heading", sa.JSON, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("cited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked", sa.String(64), nullable=False, server_default=""),
        sa.Column("now", sa.String(32)),
        sa.Column("noted", sa.String(32)),
        sa.Column("noted_at", sa.DateTime(timezone=True)),
        sa.Column("recall", sa.String(32)),
    )
    for column in ("document", "cited_at", "recall"):
        op.create_index(f"ix_leanings_{column}", "leanings", [column])
    op.create_table(
        "recalls",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("question_id", sa.String(40), nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("person", sa.String(40)),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("worker", sa.String(32)),
        sa.Column("told_at", sa.DateTime(timezone=True)),
        sa.Column("why", sa.String(80)),
        sa.Column("counted_in", sa.String(32)),
    )
    for column in ("noticed_at", "state", "counted_in"):
        op.create_index(f"ix_recalls_{column}", "recalls", [column])
    op.add_column("channel_settings", sa.Column("recall", sa.Boolean, nullable=False, server_default=sa.true()))


def downgrade() -> None:
    op.drop_column("channel_settings", "recall")
    op.drop_table("recalls")
    op.drop_table("leanings")
