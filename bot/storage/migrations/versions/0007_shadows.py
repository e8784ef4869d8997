"""Shadow runs."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "shadows",
        sa.Column("question_id", sa.String(40), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("share", sa.Float, nullable=False),
        sa.Column("taken_strategy", sa.String(20)),
        sa.Column("taken_model", sa.String(200)),
        sa.Column("strategy", sa.String(20)),
        sa.Column("model", sa.String(200)),
        sa.Column("chance", sa.Float),
        sa.Column("others", sa.Integer),
        sa.Column("held", sa.String(40)),
        sa.Column("cost", sa.String(40)),
        sa.Column("judge_held", sa.String(40)),
        sa.Column("judge_cost", sa.String(40)),
        sa.Column("answer", sa.Text),
        sa.Column("measure", sa.String(20)),
        sa.Column("taken_quality", sa.Float),
        sa.Column("other_quality", sa.Float),
    )


def downgrade() -> None:
    op.drop_table("shadows")
