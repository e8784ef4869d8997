"""The tables of what answers lean on word for word, and of the notes on what changed there."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import UtcDateTime, metadata
from bot.storage.words import Words

# `document`, `source` and `path` are those of where the words stand now, wherever they were moved to.
leanings = sa.Table(
    "leanings",
    metadata,
    sa.Column("question_id", sa.String(40), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # the citation's
    sa.Column("document", sa.String(32), nullable=False, index=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("title", Words, nullable=False),
    sa.Column("heading", sa.JSON, nullable=False),
    sa.Column("text", Words, nullable=False),
    sa.Column("cited_at", UtcDateTime, nullable=False, index=True),
    sa.Column("checked", sa.String(64), nullable=False, server_default=""),  # the document's digest then
    sa.Column("now", sa.String(32)),  # a digest of what stands in their place; NULL: the words stand
    sa.Column("noted", sa.String(32)),  # the same, of which people were told
    sa.Column("noted_at", UtcDateTime),
    sa.Column("recall", sa.String(32), index=True),  # the note that tells of it
)

# One note for one thread, or for one person alone, on what changed at a time.
recalls = sa.Table(
    "recalls",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("question_id", sa.String(40), nullable=False),  # the newest answer in the thread that it is about
    sa.Column("channel", sa.String(40), nullable=False),
    sa.Column("person", sa.String(40)),  # whom alone it is for
    sa.Column("noticed_at", UtcDateTime, nullable=False, index=True),
    sa.Column("state", sa.String(12), nullable=False, index=True),  # waiting, telling, told, counted, dropped
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("worker", sa.String(32)),  # who is telling
    sa.Column("told_at", UtcDateTime),
    sa.Column("why", sa.String(80)),  # it was dropped
    sa.Column("counted_in", sa.String(32), index=True),  # the message that tells of it among others
)
