"""When a process claimed to tell that a share of a budget is spent."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("budget_use", sa.Column("claimed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    with op.batch_alter_table("budget_use") as budget_use:
        budget_use.drop_column("claimed_at")
