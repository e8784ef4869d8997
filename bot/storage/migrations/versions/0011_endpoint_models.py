"""What the servers last listed."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "endpoint_models",
        sa.Column("provider", sa.String(60), primary_key=True),
        sa.Column("model", sa.String(200), primary_key=True),
        sa.Column("first_listed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_listed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_since", sa.DateTime(timezone=True)),
        sa.Column("shutdown", sa.Date),
    )


def downgrade() -> None:
    op.drop_table("endpoint_models")
