"""The tables of what was paid: the ledger, its days and changes, reports, and budgets."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import Picodollars, UtcDateTime, metadata
from bot.storage.words import Words

ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("question_id", sa.String(40), index=True),
    # answer, draft, rewrite, embedding, evaluate, judge, shadow, transcribe, image, compare, fine_tune
    sa.Column("purpose", sa.String(20), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False, default=1),
    sa.Column("provider", sa.String(60), nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("strategy", sa.String(20)),
    sa.Column("workspace", sa.String(40)),
    sa.Column("channel", sa.String(40)),
    sa.Column("asker", sa.String(40)),
    sa.Column("worker", sa.String(32)),  # the process that called; NULL: not known
    sa.Column("started_at", UtcDateTime, nullable=False, index=True),
    sa.Column("reserved", Picodollars),  # the most that it may cost, held before it goes out; NULL: nobody knows
    sa.Column("seconds", sa.Float),
    sa.Column("prompt_tokens", sa.Integer),
    sa.Column("completion_tokens", sa.Integer),
    # Parts of the two above.
    sa.Column("cached_tokens", sa.Integer),
    sa.Column("cache_written_tokens", sa.Integer),
    sa.Column("reasoning_tokens", sa.Integer),
    sa.Column("input_audio_tokens", sa.Integer),
    sa.Column("output_audio_tokens", sa.Integer),
    sa.Column("input_image_tokens", sa.Integer),
    sa.Column("output_image_tokens", sa.Integer),
    # What is sold by the minute and by the piece.
    sa.Column("audio_ms", sa.Integer),
    sa.Column("images", sa.Integer),
    sa.Column("estimated", sa.Boolean, nullable=False, default=False),
    sa.Column("cost", Picodollars),  # NULL where it is not known; `note` says why
    sa.Column("price_version", sa.String(120)),
    sa.Column("outcome", sa.String(20), nullable=False),  # open, answered, stopped, lost, or a ModelError's kind
    sa.Column("served", sa.String(200)),  # the model that the server said answered
    sa.Column("request_id", sa.String(120)),  # the provider's own
    sa.Column("note", Words),  # why the cost is unknown, or what was odd about the usage
    # Where it was priced again: what was first written down.
    sa.Column("first_cost", Picodollars),
    sa.Column("first_price_version", sa.String(120)),
    sa.Column("repriced_at", UtcDateTime),
)

# Finished days of the ledger, added up once: a cache, by the moments between which the day lies in the reports' zone.
ledger_days = sa.Table(
    "ledger_days",
    metadata,
    sa.Column("since", UtcDateTime, primary_key=True),
    sa.Column("until", UtcDateTime, primary_key=True),
    sa.Column("token", sa.String(32), nullable=False),  # another one each time it is written
    sa.Column("kept_at", UtcDateTime, nullable=False),
    sa.Column("value", sa.JSON, nullable=False),
)

# What changed in the ledger an hour or more after its call began, so that its day is added up again. Triggers of the
# database write it: who rebuilds the table `ledger` (a batch migration does) has to make them again.
ledger_changes = sa.Table(
    "ledger_changes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("started_at", UtcDateTime, nullable=False, index=True),
)

# The parts of reports that were posted, or are just being posted: `ts` is NULL until Slack has taken it.
posted_reports = sa.Table(
    "posted_reports",
    metadata,
    sa.Column("report", sa.String(40), primary_key=True),  # such as week-2026-11-16
    sa.Column("channel", sa.String(40), primary_key=True),
    sa.Column("part", sa.String(12), primary_key=True),  # message, table, csv
    sa.Column("claim", sa.String(32), nullable=False),
    sa.Column("began_at", UtcDateTime, nullable=False),  # when it was claimed first: it cannot be there before
    sa.Column("claimed_at", UtcDateTime, nullable=False),
    sa.Column("ts", sa.String(40)),
)

# What may be spent. `key`: the channel's, person's or purpose's name; "" for the whole workspace.
budgets = sa.Table(
    "budgets",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("scope", sa.String(12), nullable=False),  # workspace, channel, person, purpose
    sa.Column("key", sa.String(80), nullable=False),
    sa.Column("period", sa.String(8), nullable=False),  # day, week, month
    sa.Column("amount", Picodollars, nullable=False),
    sa.Column("hard", sa.Boolean, nullable=False),
    sa.Column("reason", Words, nullable=False),
    sa.Column("set_by", sa.String(40), nullable=False),
    sa.Column("set_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("scope", "key", "period", name="uq_budgets_scope_key_period"),
)

# What was spent of a budget in one of its periods, kept beside the ledger's rows and in the same transactions.
budget_use = sa.Table(
    "budget_use",
    metadata,
    sa.Column("budget", sa.Integer, primary_key=True),
    sa.Column("since", UtcDateTime, primary_key=True),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("spent", Picodollars, nullable=False),
    sa.Column("held", Picodollars, nullable=False),  # for calls under way
    sa.Column("unknown", sa.Integer, nullable=False),  # calls whose cost nobody knows
    sa.Column("told", sa.Integer, nullable=False),  # the highest share in percent that was told: 0, 50, 80, 100
    sa.Column("claimed_at", UtcDateTime),  # when a process set about telling the next one; NULL once it has
)
