"""The tables of roll-outs: which stage a model is at, which questions were answered by it or without it, and what it
has lost beside another model."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import UtcDateTime, metadata
from bot.storage.words import Words

rollouts = sa.Table(
    "rollouts",
    metadata,
    sa.Column("model", sa.String(200), primary_key=True),
    sa.Column("stage", sa.String(12), nullable=False),  # shadow, canary, full, rolled_back, retired
    sa.Column("step", sa.Integer, nullable=False),  # counts its changes, so that of two at once one is told
    sa.Column("changed_by", sa.String(40), nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.Column("reason", Words),
)

# The canary's share of each channel's questions; "" stands for all other channels.
rollout_shares = sa.Table(
    "rollout_shares",
    metadata,
    sa.Column("model", sa.String(200), primary_key=True),
    sa.Column("channel", sa.String(40), primary_key=True),
    sa.Column("share", sa.Float, nullable=False),
)

# Questions that the model was chosen for: drawn are those that it answers. `step`: of the roll-out then.
rollout_questions = sa.Table(
    "rollout_questions",
    metadata,
    sa.Column("question_id", sa.String(40), primary_key=True),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("drawn", sa.Boolean, nullable=False),
    sa.Index("ix_rollout_questions_model", "model", "step"),
)

# What a model lost on the shipped general and safety questions beside the one that it was tuned from.
regressions = sa.Table(
    "regressions",
    metadata,
    sa.Column("model", sa.String(200), primary_key=True),
    sa.Column("model_id", sa.String(200), nullable=False),  # what its server was asked for
    sa.Column("base", sa.String(200), nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("parts", sa.JSON, nullable=False),  # by set: questions, quality, the base's, low and high of the gain
)
