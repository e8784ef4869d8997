"""The table of which answers were written from which examples."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import metadata

example_uses = sa.Table(
    "example_uses",
    metadata,
    sa.Column("example_id", sa.String(40), primary_key=True),
    sa.Column("question_id", sa.String(40), primary_key=True),
)
sa.Index("ix_example_uses_question", example_uses.c.question_id)
