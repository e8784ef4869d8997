"""Why a model was pinned, which models may be used where, and trials of a model in a channel."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table("pins") as batch:
        batch.add_column(sa.Column("reason", sa.Text))
    op.create_table(
        "allow_lists",
        sa.Column("scope", sa.String(12), primary_key=True),
        sa.Column("key", sa.String(40), primary_key=True),
        sa.Column("entries", sa.JSON, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("set_by", sa.String(40), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "trials",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("channel", sa.String(40), nullable=False, index=True),
        sa.Column("running", sa.String(40), unique=True),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("share", sa.Float, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("started_by", sa.String(40), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True)),
        sa.Column("stopped_by", sa.String(40)),
        sa.Column("stopped_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "trial_questions",
        sa.Column("question_id", sa.String(40), primary_key=True),
        sa.Column("trial", sa.Integer, nullable=False, index=True),
        sa.Column("drawn", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("trial_questions")
    op.drop_table("trials")
    op.drop_table("allow_lists")
    op.execute(sa.text("DELETE FROM pins WHERE scope = 'workspace'"))  # an older version knows no such scope
    with op.batch_alter_table("pins") as batch:
        batch.drop_column("reason")
