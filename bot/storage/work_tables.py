"""The tables that tell which process works on what, and which messages of Slack hold what it said."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import UtcDateTime, metadata

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("until", UtcDateTime, nullable=False),  # without a sign of life it is dead then
)

reply_parts = sa.Table(
    "reply_parts",
    metadata,
    sa.Column("question_id", sa.String(40), primary_key=True),
    sa.Column("part", sa.String(12), primary_key=True),  # 0, 1 …: the reply's messages; else see bot.replies
    sa.Column("channel", sa.String(40), nullable=False),
    sa.Column("thread", sa.String(40)),
    sa.Column("after", sa.String(40), nullable=False),  # it can only stand behind this moment of Slack's
    sa.Column("ts", sa.String(40)),  # NULL: it was about to be said
    sa.Column("settled", sa.Boolean, nullable=False),
    sa.Column("stopped", sa.Boolean, nullable=False, server_default=sa.false()),  # a person pressed stop
    sa.Column("begun_at", UtcDateTime, nullable=False, index=True),
)
sa.Index("ix_reply_parts_message", reply_parts.c.channel, reply_parts.c.ts)
