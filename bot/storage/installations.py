"""Who installed the bot by OAuth. Only the database of the settings as they stand holds rows of these: that of each
workspace, which has the same tables, holds its content."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import UtcDateTime, metadata

_ENCRYPTED = {"encrypted": True}
"""What `switchboard keys rotate` finds columns by."""

installations = sa.Table(
    "installations",
    metadata,
    # A workspace's id (T…), or an organisation's (E…) where one installation serves all its workspaces.
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("enterprise", sa.String(40)),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("bot_user", sa.String(40), nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("installed_by", sa.String(40), nullable=False),
    sa.Column("installed_at", UtcDateTime, nullable=False),
    sa.Column("bot_token", sa.Text, nullable=False, info=_ENCRYPTED),
    sa.Column("refresh_token", sa.Text, info=_ENCRYPTED),
    sa.Column("expires_at", UtcDateTime),
    # Grows with each new token: whoever has an older one reads again.
    sa.Column("version", sa.Integer, nullable=False),
    # Who renews the token now, and until when nobody else does.
    sa.Column("claim", sa.String(40)),
    sa.Column("claimed_until", UtcDateTime),
    # Why somebody has to look after its token, and since when Slack refuses it without saying that it is gone.
    sa.Column("problem", sa.Text),
    sa.Column("refused_at", UtcDateTime),
)

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),  # a workspace's
    sa.Column("enterprise", sa.String(40)),
    # The installation that serves it, kept when that is gone.
    sa.Column("installation", sa.String(40), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    # Set when it left; its data goes after `delete_at`, and was gone at `deleted_at`.
    sa.Column("left_at", UtcDateTime),
    sa.Column("left_how", sa.Text),
    sa.Column("delete_at", UtcDateTime),
    sa.Column("deleted_at", UtcDateTime),
)

oauth_states = sa.Table(
    "oauth_states",
    metadata,
    sa.Column("state", sa.String(64), primary_key=True),  # its SHA-256: who reads the table cannot use it
    sa.Column("expires_at", UtcDateTime, nullable=False),
)
