"""Who changed what: the table that is only ever added to."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import UtcDateTime, metadata

# Triggers of the database refuse every change of a row, and let one be deleted only where a later row says that the
# log was dropped up to its id: who rebuilds the table (a batch migration does) has to make them again.
audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("who", sa.String(80), nullable=False),  # a Slack id, "command line", or the name of a job
    sa.Column("action", sa.String(40), nullable=False),  # one of bot.audit.Action
    sa.Column("subject", sa.String(200), nullable=False),  # such as "channel C0ENG", "the workspace", "source wiki"
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("reference", sa.String(40), nullable=False),  # the correlation id, "" where there was none
    sa.Column("previous", sa.String(64), nullable=False),  # the digest of the row before, "" in the first
    sa.Column("digest", sa.String(64), nullable=False),  # SHA-256 over all of the above but the id
)
