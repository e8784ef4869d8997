"""The tables of fine-tuning: who lets their words be trained on, the data sets, and the lineage of each row."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import UtcDateTime, metadata
from bot.storage.words import Words

# What a person said of it; without a row the setting `tuning.consent` alone counts.
training_consents = sa.Table(
    "training_consents",
    metadata,
    sa.Column("person", sa.String(40), primary_key=True),
    sa.Column("allowed", sa.Boolean, nullable=False),
    sa.Column("set_by", sa.String(40), nullable=False),
    sa.Column("set_at", UtcDateTime, nullable=False),
)

tuning_datasets = sa.Table(
    "tuning_datasets",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),  # SHA-256 of its files
    sa.Column("made_at", UtcDateTime, nullable=False, index=True),
    sa.Column("made_by", sa.String(40), nullable=False),
    sa.Column("audience", sa.JSON, nullable=False),  # scopes: who may read every one of its rows
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("report", sa.JSON, nullable=False),
    sa.Column("withdrawn_at", UtcDateTime),  # when words of somebody were taken out of it: it is whole no more
)

# `subject`: the id of the question or of the example that the row is from. `asker` wrote the question, `author` the
# answer or reviewed it; "" where nobody knows, or where the bot did.
tuning_rows = sa.Table(
    "tuning_rows",
    metadata,
    sa.Column("dataset", sa.String(64), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("part", sa.String(12), nullable=False),  # train, validation, preferences
    sa.Column("origin", sa.String(12), nullable=False),  # example, person, thumb, choice
    sa.Column("subject", sa.String(40), nullable=False, index=True),
    sa.Column("asker", sa.String(40), nullable=False, index=True),
    sa.Column("author", sa.String(40), nullable=False, index=True),
    sa.Column("said_at", UtcDateTime, nullable=False),
    sa.Column("question", Words, nullable=False),
    sa.Column("answer", Words, nullable=False),
    sa.Column("rejected", Words),  # the answer that was left, of a preference
)
