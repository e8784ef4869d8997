"""The table of messages that people marked as the answer to a question."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import UtcDateTime, metadata

# One row a message, whoever marks it how often: it holds no words, since those of the message count.
marks = sa.Table(
    "marks",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("channel", sa.String(40), nullable=False),
    sa.Column("ts", sa.String(40), nullable=False),
    sa.Column("thread", sa.String(40), nullable=False),
    sa.Column("question_id", sa.String(40), nullable=False, index=True),
    sa.Column("author", sa.String(40), nullable=False),  # whose words the message is
    sa.Column("marked_by", sa.String(40), nullable=False),
    sa.Column("marked_at", UtcDateTime, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),  # open, withdrawn, put off, kept
    sa.Column("times", sa.Integer, nullable=False),  # how often it was opened: an older card's buttons do nothing
    sa.Column("card", sa.String(40)),  # where the review card stands; NULL: nowhere yet
    sa.Column("worker", sa.String(32)),  # who is posting it
    sa.Column("decided_by", sa.String(40)),
    sa.Column("example_id", sa.String(40)),  # what was made of it
    sa.Column("golden_id", sa.String(40)),
    sa.Column("document", sa.String(12)),  # wanted, kept; NULL: none
    sa.UniqueConstraint("channel", "ts"),
)
