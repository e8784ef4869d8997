"""Which stage of its roll-out a model is at."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "rollouts",
        sa.Column("model", sa.String(200), primary_key=True),
        sa.Column("stage", sa.String(12), nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("changed_by", sa.String(40), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text),
    )
    op.create_table(
        "rollout_shares",
        sa.Column("model", sa.String(200), primary_key=True),
        sa.Column("channel", sa.String(40), primary_key=True),
        sa.Column("share", sa.Float, nullable=False),
    )
    op.create_table(
        "rollout_questions",
        sa.Column("question_id", sa.String(40), primary_key=True),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("drawn", sa.Boolean, nullable=False),
    )
    op.create_index("ix_rollout_questions_model", "rollout_questions", ["model", "step"])


def downgrade() -> None:
    for name in ("rollout_questions", "rollout_shares", "rollouts"):
        op.drop_table(name)
