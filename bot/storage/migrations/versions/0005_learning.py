"""What was learned, who chooses, and which model stands behind a name."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "learned",
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
    )
    op.create_table(
        "promotions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("strategy", sa.String(20)),
        sa.Column("model", sa.String(200)),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("by", sa.String(40), nullable=False),
        sa.Column("undoes", sa.Integer),
        sa.Column("undone_by", sa.String(40)),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "model_identities",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("identity", sa.String(300), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True)),
    )


def downgrade() -> None:
    op.drop_table("model_identities")
    op.drop_table("promotions")
    op.drop_table("learned")
