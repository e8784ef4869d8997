"""Training runs: what was ordered, how far it has come, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_table(
        "tuning_runs",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("tuner", sa.String(12), nullable=False),
        sa.Column("dataset", sa.String(64), nullable=False, index=True),
        sa.Column("base", sa.String(400), nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("state", sa.String(12), nullable=False, index=True),
        sa.Column("job", sa.String(200)),
        sa.Column("result", sa.String(400)),
        sa.Column("problem", sa.Text),
        sa.Column("ordered_by", sa.String(40), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("held", sa.String(40)),
        sa.Column("cost", sa.String(40)),
        sa.Column("tokens", sa.Integer),
        sa.Column("worker", sa.String(32)),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.Column("card", sa.JSON),
        sa.Column("registered_by", sa.String(40)),
        sa.Column("registered_at", sa.DateTime(timezone=True)),
        sa.Column("retired_by", sa.String(40)),
        sa.Column("retired_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "tuning_steps",
        sa.Column("run", sa.String(12), primary_key=True),
        sa.Column("step", sa.Integer, primary_key=True),
        sa.Column("figures", sa.JSON, nullable=False),
        sa.Column("checkpoint", sa.String(400)),
    )


def downgrade() -> None:
    op.drop_table("tuning_steps")
    op.drop_table("tuning_runs")
