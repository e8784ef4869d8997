"""What admins set for a channel, and which question was asked again another way."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "alternatives",
        sa.Column("question_id", sa.String(40), primary_key=True),
        sa.Column("first_id", sa.String(40), nullable=False, index=True),
        sa.Column("asked_by", sa.String(40), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "channel_settings",
        sa.Column("channel", sa.String(40), primary_key=True),
        sa.Column("value", sa.String(12)),
        sa.Column("stay_local", sa.Boolean, nullable=False),
        sa.Column("set_by", sa.String(40), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("channel_settings")
    op.drop_table("alternatives")
