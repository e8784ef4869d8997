"""Training data: who lets their words be trained on, the data sets, and the lineage of each row."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "training_consents",
        sa.Column("person", sa.String(40), primary_key=True),
        sa.Column("allowed", sa.Boolean, nullable=False),
        sa.Column("set_by", sa.String(40), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "tuning_datasets",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("made_by", sa.String(40), nullable=False),
        sa.Column("audience", sa.JSON, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("report", sa.JSON, nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "tuning_rows",
        sa.Column("dataset", sa.String(64), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("part", sa.String(12), nullable=False),
        sa.Column("origin", sa.String(12), nullable=False),
        sa.Column("subject", sa.String(40), nullable=False, index=True),
        sa.Column("asker", sa.String(40), nullable=False, index=True),
        sa.Column("author", sa.String(40), nullable=False, index=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("rejected", sa.Text),
    )


def downgrade() -> None:
    op.drop_table("tuning_rows")
    op.drop_table("tuning_datasets")
    op.drop_table("training_consents")
