"""Evaluations, and the answers that were paid for."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "evaluation_runs",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("name", sa.String(120), nullable=False, unique=True),
        sa.Column("started", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("finished", sa.DateTime(timezone=True)),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("data", sa.String(64), nullable=False),
        sa.Column("questions", sa.Integer, nullable=False),
        sa.Column("index_version", sa.Text, nullable=False),
        sa.Column("models", sa.JSON, nullable=False),
        sa.Column("prompts", sa.String(64), nullable=False),
        sa.Column("scorers", sa.JSON, nullable=False),
        sa.Column("judge", sa.String(200)),
        sa.Column("audience", sa.JSON, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("ways", sa.JSON, nullable=False),
        sa.Column("budget", sa.String(40)),
        sa.Column("spent", sa.String(40), nullable=False),
        sa.Column("unpriced", sa.Integer, nullable=False),
    )
    op.create_table(
        "evaluation_questions",
        sa.Column("run", sa.String(12), primary_key=True),
        sa.Column("id", sa.String(120), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("grouping", sa.Text, nullable=False),
        sa.Column("expected", sa.JSON, nullable=False),
        sa.Column("features", sa.JSON),
        sa.Column("weighed", sa.JSON),
        sa.Column("left_out", sa.Integer, nullable=False),
    )
    op.create_table(
        "evaluation_cells",
        sa.Column("run", sa.String(12), primary_key=True),
        sa.Column("question", sa.String(120), primary_key=True),
        sa.Column("strategy", sa.String(20), primary_key=True),
        sa.Column("model", sa.String(200), primary_key=True),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("quality", sa.Float),
        sa.Column("scores", sa.JSON, nullable=False),
        sa.Column("cost", sa.String(40)),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_table(
        "model_answers",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("provider", sa.String(60), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("cost", sa.String(40)),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    for name in ("model_answers", "evaluation_cells", "evaluation_questions", "evaluation_runs"):
        op.drop_table(name)
