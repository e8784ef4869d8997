"""The table of golden questions that people kept: what somebody asked, and what a person answered."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import UtcDateTime, metadata
from bot.storage.words import Words

golden_questions = sa.Table(
    "golden_questions",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("question", Words, nullable=False),
    sa.Column("answer", Words, nullable=False),
    sa.Column("readers", sa.JSON, nullable=False),
    sa.Column("question_id", sa.String(40), nullable=False, index=True),  # which one the answer was given to
    sa.Column("channel", sa.String(40), nullable=False),
    sa.Column("source", sa.Text, nullable=False),  # where the answer stands: a link
    sa.Column("author", sa.String(40), nullable=False),  # whose words the answer is
    sa.Column("reviewed_by", sa.String(40), nullable=False),
    sa.Column("kept_at", UtcDateTime, nullable=False),
    sa.Column("example_id", sa.String(40), index=True),  # the example that was kept with it, and which it goes with
    sa.Column("retired_by", sa.String(40)),
    sa.Column("retired_at", UtcDateTime),  # NULL: in use
    sa.Column("retired_why", Words),
    sa.Column("flagged_by", sa.String(40)),
    sa.Column("flagged_at", UtcDateTime),  # NULL: nothing speaks against it
    sa.Column("flagged_why", Words),
    sa.Column("flagged_document", sa.String(80)),  # as of examples
)
