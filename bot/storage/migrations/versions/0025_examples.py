"""What is known of an example: its tags, author, last day, uses, flags and retirement."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_ADDED = (
    lambda: sa.Column("answer_vector", sa.LargeBinary),
    lambda: sa.Column("tags", sa.JSON, nullable=False, server_default="[]"),
    lambda: sa.Column("author", sa.String(40), nullable=False, server_default=""),
    lambda: sa.Column("reviewed_by", sa.String(40), nullable=False, server_default=""),
    lambda: sa.Column("valid_until", sa.String(10)),
    lambda: sa.Column("hits", sa.Integer, nullable=False, server_default="0"),
    lambda: sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    lambda: sa.Column("retired_by", sa.String(40)),
    lambda: sa.Column("retired_at", sa.DateTime(timezone=True)),
    lambda: sa.Column("retired_why", sa.Text),
    lambda: sa.Column("flagged_by", sa.String(40)),
    lambda: sa.Column("flagged_at", sa.DateTime(timezone=True)),
    lambda: sa.Column("flagged_why", sa.Text),
)


def upgrade() -> None:
    for column in _ADDED:
        op.add_column("examples", column())
    op.create_table(
        "example_uses",
        sa.Column("example_id", sa.String(40), primary_key=True),
        sa.Column("question_id", sa.String(40), primary_key=True),
    )
    op.create_index("ix_example_uses_question", "example_uses", ["question_id"])


def downgrade() -> None:
    op.drop_table("example_uses")
    for column in reversed(_ADDED):
        op.drop_column("examples", column().name)
