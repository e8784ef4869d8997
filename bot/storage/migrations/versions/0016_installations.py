"""Who installed the bot by OAuth, the workspaces that are served, and the states of installations under way."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "installations",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("enterprise", sa.String(40)),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("bot_user", sa.String(40), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("installed_by", sa.String(40), nullable=False),
        sa.Column("installed_at", _MOMENT, nullable=False),
        sa.Column("bot_token", sa.Text, nullable=False),
        sa.Column("refresh_token", sa.Text),
        sa.Column("expires_at", _MOMENT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("claim", sa.String(40)),
        sa.Column("claimed_until", _MOMENT),
        sa.Column("problem", sa.Text),
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("enterprise", sa.String(40)),
        sa.Column("installation", sa.String(40), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("left_at", _MOMENT),
        sa.Column("left_how", sa.Text),
        sa.Column("delete_at", _MOMENT),
        sa.Column("deleted_at", _MOMENT),
    )
    op.create_table(
        "oauth_states",
        sa.Column("state", sa.String(64), primary_key=True),
        sa.Column("expires_at", _MOMENT, nullable=False),
    )


def downgrade() -> None:
    for table in ("oauth_states", "tenants", "installations"):
        op.drop_table(table)
