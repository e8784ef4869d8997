"""Messages that people marked as the answer to a question, and questions found by their thread."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.create_table(
        "marks",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("ts", sa.String(40), nullable=False),
        sa.Column("thread", sa.String(40), nullable=False),
        sa.Column("question_id", sa.String(40), nullable=False),
        sa.Column("author", sa.String(40), nullable=False),
        sa.Column("marked_by", sa.String(40), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("card", sa.String(40)),
        sa.Column("worker", sa.String(32)),
        sa.Column("decided_by", sa.String(40)),
        sa.Column("example_id", sa.String(40)),
        sa.Column("golden_id", sa.String(40)),
        sa.Column("document", sa.String(12)),
        sa.UniqueConstraint("channel", "ts"),
    )
    op.create_index("ix_marks_question_id", "marks", ["question_id"])
    op.create_index("ix_questions_thread", "questions", ["channel", "thread"])


def downgrade() -> None:
    op.drop_index("ix_questions_thread", "questions")
    op.drop_table("marks")
