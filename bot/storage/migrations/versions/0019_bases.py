"""What answers and examples rest on, so that they are shown only to who may read that now."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "bases",
        sa.Column("subject", sa.String(40), primary_key=True),
        sa.Column("document", sa.String(80), primary_key=True),
        sa.Column("readers", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("bases")
