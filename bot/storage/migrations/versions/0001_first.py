"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.String(80), primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("problem", sa.Text),
    )
    op.create_index("ix_inbox_state", "inbox", ["state"])
    op.create_table(
        "conversations",
        sa.Column("channel", sa.String(40), primary_key=True),
        sa.Column("thread", sa.String(40), primary_key=True),
        sa.Column("ts", sa.String(40), primary_key=True),
        sa.Column("role", sa.String(12), nullable=False),
        sa.Column("author", sa.String(40), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("question_id", sa.String(40)),
        sa.Column("deleted", sa.Boolean, nullable=False),
    )
    op.create_table(
        "questions",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("asker", sa.String(40), nullable=False),
        sa.Column("workspace", sa.String(40), nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("place_kind", sa.String(20), nullable=False),
        sa.Column("thread", sa.String(40)),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("private", sa.Boolean, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_ts", sa.String(40)),
        sa.Column("answer", sa.Text),
        sa.Column("receipt", sa.JSON),
    )
    op.create_index("ix_questions_asked_at", "questions", ["asked_at"])
    op.create_table(
        "ledger",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("question_id", sa.String(40)),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("provider", sa.String(60), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("strategy", sa.String(20)),
        sa.Column("channel", sa.String(40)),
        sa.Column("asker", sa.String(40)),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float),
        sa.Column("prompt_tokens", sa.Integer),
        sa.Column("completion_tokens", sa.Integer),
        sa.Column("cached_tokens", sa.Integer),
        sa.Column("reasoning_tokens", sa.Integer),
        sa.Column("estimated", sa.Boolean, nullable=False),
        sa.Column("cost", sa.String(40)),
        sa.Column("price_version", sa.String(80)),
        sa.Column("outcome", sa.String(20), nullable=False),
    )
    op.create_index("ix_ledger_question_id", "ledger", ["question_id"])
    op.create_index("ix_ledger_started_at", "ledger", ["started_at"])
    op.create_table(
        "feedback",
        sa.Column("question_id", sa.String(40), primary_key=True),
        sa.Column("person", sa.String(40), primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
        sa.Column("comment", sa.Text),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_feedback_given_at", "feedback", ["given_at"])
    op.create_table(
        "examples",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("readers", sa.JSON, nullable=False),
        sa.Column("saved_by", sa.String(40), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("embedder", sa.String(80), nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "pins",
        sa.Column("scope", sa.String(12), primary_key=True),
        sa.Column("key", sa.String(90), primary_key=True),
        sa.Column("model", sa.String(200)),
        sa.Column("strategy", sa.String(20)),
        sa.Column("set_by", sa.String(40), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "job_runs",
        sa.Column("job", sa.String(60), primary_key=True),
        sa.Column("fire_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("problem", sa.Text),
    )


def downgrade() -> None:
    op.drop_table("job_runs")
    op.drop_table("pins")
    op.drop_table("examples")
    op.drop_table("feedback")
    op.drop_table("ledger")
    op.drop_table("questions")
    op.drop_table("conversations")
    op.drop_table("inbox")
