"""What the doors remember for minutes: signatures that were taken, and who asked lately."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "taken_signatures",
        sa.Column("signature", sa.String(80), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_taken_signatures_at", "taken_signatures", ["at"])
    op.create_table(
        "asked_lately",
        sa.Column("subject", sa.String(60), primary_key=True),
        sa.Column("reference", sa.String(80), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_asked_lately_at", "asked_lately", ["at"])


def downgrade() -> None:
    op.drop_table("asked_lately")
    op.drop_table("taken_signatures")
