"""Golden questions that people kept."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.create_table(
        "golden_questions",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("readers", sa.JSON, nullable=False),
        sa.Column("question_id", sa.String(40), nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("author", sa.String(40), nullable=False),
        sa.Column("reviewed_by", sa.String(40), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("example_id", sa.String(40)),
        sa.Column("retired_by", sa.String(40)),
        sa.Column("retired_at", sa.DateTime(timezone=True)),
        sa.Column("retired_why", sa.Text),
        sa.Column("flagged_by", sa.String(40)),
        sa.Column("flagged_at", sa.DateTime(timezone=True)),
        sa.Column("flagged_why", sa.Text),
        sa.Column("flagged_document", sa.String(80)),
    )
    for column in ("question_id", "example_id"):
        op.create_index(f"ix_golden_questions_{column}", "golden_questions", [column])


def downgrade() -> None:
    op.drop_table("golden_questions")
