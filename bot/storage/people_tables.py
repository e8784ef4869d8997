"""The tables of who owns what, and of who was asked to help."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import UtcDateTime, metadata

owners = sa.Table(
    "owners",
    metadata,
    sa.Column("scope", sa.String(12), primary_key=True),  # channel, source
    sa.Column("key", sa.String(200), primary_key=True),  # a channel's id, a source's name
    sa.Column("person", sa.String(40), nullable=False),
    sa.Column("set_by", sa.String(40), nullable=False),
    sa.Column("set_at", UtcDateTime, nullable=False),
)

# Questions that somebody wanted a person for: one row a question, whoever presses the button after.
hand_offs = sa.Table(
    "hand_offs",
    metadata,
    sa.Column("question_id", sa.String(40), primary_key=True),
    sa.Column("wanted_by", sa.String(40), nullable=False),
    sa.Column("owner", sa.String(40)),  # who was asked; NULL: the admins' channel, or nobody
    sa.Column("why", sa.String(12), nullable=False),  # channel, source, admins, nobody
    sa.Column("wanted_at", UtcDateTime, nullable=False, index=True),
    sa.Column("state", sa.String(12), nullable=False, index=True),  # asking, asked, followed, answered, dropped
    sa.Column("due", UtcDateTime),  # when the owner is asked once more
    sa.Column("worker", sa.String(32)),  # who is asking once more
)
