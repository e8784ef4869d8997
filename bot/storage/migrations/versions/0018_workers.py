"""Which process works on what, for how long it is believed to live, and which messages hold the replies."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "workers",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "reply_parts",
        sa.Column("question_id", sa.String(40), primary_key=True),
        sa.Column("part", sa.String(12), primary_key=True),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("thread", sa.String(40)),
        sa.Column("after", sa.String(40), nullable=False),
        sa.Column("ts", sa.String(40)),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_reply_parts_begun_at", "reply_parts", ["begun_at"])
    op.create_index("ix_reply_parts_message", "reply_parts", ["channel", "ts"])
    op.add_column("inbox", sa.Column("worker", sa.String(32)))
    op.add_column("inbox", sa.Column("reference", sa.String(40), nullable=False, server_default=""))
    op.add_column("inbox", sa.Column("channel", sa.String(40)))
    op.add_column("inbox", sa.Column("ts", sa.String(40)))
    op.add_column("inbox", sa.Column("revision", sa.Integer, nullable=False, server_default="0"))
    op.add_column("inbox", sa.Column("gone", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("ix_inbox_message", "inbox", ["channel", "ts"])
    op.add_column("ledger", sa.Column("worker", sa.String(32)))


def downgrade() -> None:
    op.drop_column("ledger", "worker")
    op.drop_index("ix_inbox_message", "inbox")
    for column in ("gone", "revision", "ts", "channel", "reference", "worker"):
        op.drop_column("inbox", column)
    op.drop_table("reply_parts")
    op.drop_table("workers")
