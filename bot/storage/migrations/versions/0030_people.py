"""Who looks after channels and sources, and questions that a person was wanted for."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.create_table(
        "owners",
        sa.Column("scope", sa.String(12), primary_key=True),
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("set_by", sa.String(40), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "hand_offs",
        sa.Column("question_id", sa.String(40), primary_key=True),
        sa.Column("wanted_by", sa.String(40), nullable=False),
        sa.Column("owner", sa.String(40)),
        sa.Column("why", sa.String(12), nullable=False),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True)),
        sa.Column("worker", sa.String(32)),
    )
    for column in ("wanted_at", "state"):
        op.create_index(f"ix_hand_offs_{column}", "hand_offs", [column])


def downgrade() -> None:
    op.drop_table("hand_offs")
    op.drop_table("owners")
