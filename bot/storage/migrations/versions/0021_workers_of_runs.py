"""Which process is at a run of a job."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("job_runs", sa.Column("worker", sa.String(32)))


def downgrade() -> None:
    op.drop_column("job_runs", "worker")
