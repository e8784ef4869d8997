"""The table of what answers and examples rest on."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import metadata

# `subject` is the id of a question or of an example. `readers` are those that the document had when it was used: they
# count where it is gone. A row with the document "" says only that nothing else is missing.
bases = sa.Table(
    "bases",
    metadata,
    sa.Column("subject", sa.String(40), primary_key=True),
    sa.Column("document", sa.String(80), primary_key=True),
    sa.Column("readers", sa.Text, nullable=False),
)
