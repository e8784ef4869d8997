"""The tables of training runs: what was ordered, how far it has come, and what came of it."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import ExactDecimal, UtcDateTime, metadata
from bot.storage.words import Words

tuning_runs = sa.Table(
    "tuning_runs",
    metadata,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("tuner", sa.String(12), nullable=False),  # local, hosted, command, import
    sa.Column("dataset", sa.String(64), nullable=False, index=True),
    sa.Column("base", sa.String(400), nullable=False),  # the card's name, or a folder
    sa.Column("parameters", sa.JSON, nullable=False),
    sa.Column("state", sa.String(12), nullable=False, index=True),  # ordered, running, succeeded, failed, …
    sa.Column("job", sa.String(200)),  # the server's id; NULL until it was begun
    sa.Column("result", sa.String(400)),  # a folder, or the name that a server gave
    sa.Column("problem", Words),  # why it failed, or what is odd
    sa.Column("ordered_by", sa.String(40), nullable=False),
    sa.Column("ordered_at", UtcDateTime, nullable=False, index=True),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("held", ExactDecimal),  # US dollars that it may cost at most; NULL where unknown
    sa.Column("cost", ExactDecimal),
    sa.Column("tokens", sa.Integer),  # that were trained on
    sa.Column("worker", sa.String(32)),  # the process that leads it
    sa.Column("withdrawn_at", UtcDateTime),  # words that it was trained on were withdrawn: it is to be retired
    sa.Column("card", sa.JSON),  # the model card that it was registered with
    sa.Column("registered_by", sa.String(40)),
    sa.Column("registered_at", UtcDateTime),
    sa.Column("retired_by", sa.String(40)),
    sa.Column("retired_at", UtcDateTime),
)

tuning_steps = sa.Table(
    "tuning_steps",
    metadata,
    sa.Column("run", sa.String(12), primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True),
    sa.Column("figures", sa.JSON, nullable=False),  # loss, eval_loss, seconds, … by name
    sa.Column("checkpoint", sa.String(400)),
)
