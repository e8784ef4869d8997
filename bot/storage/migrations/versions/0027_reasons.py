"""Why a thumb is down, and which document speaks against an example."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("feedback", sa.Column("reason", sa.String(20)))
    op.add_column("examples", sa.Column("flagged_document", sa.String(80)))


def downgrade() -> None:
    op.drop_column("examples", "flagged_document")
    op.drop_column("feedback", "reason")
