"""The tables of evaluations, trials and shadows."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import ExactDecimal, UtcDateTime, metadata
from bot.storage.words import Words

# Trials: a share of a channel's questions that another model answers.
trials = sa.Table(
    "trials",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("channel", sa.String(40), nullable=False, index=True),
    sa.Column("running", sa.String(40), unique=True),  # the channel until it ended, so that one runs at a time
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("share", sa.Float, nullable=False),
    sa.Column("reason", Words),
    sa.Column("started_by", sa.String(40), nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("ends_at", UtcDateTime),  # NULL: until it is stopped
    sa.Column("stopped_by", sa.String(40)),
    sa.Column("stopped_at", UtcDateTime),
)

# Which questions were part of a trial, and on which side.
trial_questions = sa.Table(
    "trial_questions",
    metadata,
    sa.Column("question_id", sa.String(40), primary_key=True),
    sa.Column("trial", sa.Integer, nullable=False, index=True),
    sa.Column("drawn", sa.Boolean, nullable=False),
)

# Shadow runs: questions that one other option answered as well, never shown, and how the two answers compare.
shadows = sa.Table(
    "shadows",
    metadata,
    sa.Column("question_id", sa.String(40), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("state", sa.String(12), nullable=False),  # asking, answered, judging, scored; else why it ended
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.Column("detail", Words, nullable=False, default=""),
    sa.Column("share", sa.Float, nullable=False),  # of all questions that were drawn then
    sa.Column("taken_strategy", sa.String(20)),
    sa.Column("taken_model", sa.String(200)),
    sa.Column("strategy", sa.String(20)),  # with `model`: the other option that was drawn
    sa.Column("model", sa.String(200)),
    sa.Column("chance", sa.Float),  # with which it was drawn, among `others`
    sa.Column("others", sa.Integer),
    sa.Column("held", ExactDecimal),  # the most that the answer may cost; NULL before it is asked
    sa.Column("cost", ExactDecimal),  # US dollars; NULL where unknown
    sa.Column("judge_held", ExactDecimal),
    sa.Column("judge_cost", ExactDecimal),
    sa.Column("answer", Words),  # forgotten once it is scored
    sa.Column("measure", sa.String(20)),  # judge, reference, supported
    sa.Column("taken_quality", sa.Float),
    sa.Column("other_quality", sa.Float),
)

# Evaluations: a run, its questions, what each way made of them, and every answer that was paid for.
evaluation_runs = sa.Table(
    "evaluation_runs",
    metadata,
    sa.Column("id", sa.String(12), primary_key=True),
    sa.Column("name", sa.String(120), nullable=False, unique=True),
    sa.Column("started", UtcDateTime, nullable=False, index=True),
    sa.Column("finished", UtcDateTime),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("data", sa.String(64), nullable=False),
    sa.Column("questions", sa.Integer, nullable=False),
    sa.Column("index_version", sa.Text, nullable=False),
    sa.Column("models", sa.JSON, nullable=False),
    sa.Column("prompts", sa.String(64), nullable=False),
    sa.Column("scorers", sa.JSON, nullable=False),
    sa.Column("judge", sa.String(200)),
    sa.Column("audience", sa.JSON, nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("ways", sa.JSON, nullable=False),  # strategy and model, in the order of the columns
    sa.Column("budget", ExactDecimal),
    sa.Column("spent", ExactDecimal, nullable=False),
    sa.Column("unpriced", sa.Integer, nullable=False),
)

evaluation_questions = sa.Table(
    "evaluation_questions",
    metadata,
    sa.Column("run", sa.String(12), primary_key=True),
    sa.Column("id", sa.String(120), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("text", Words, nullable=False),
    sa.Column("grouping", sa.Text, nullable=False),
    sa.Column("expected", sa.JSON, nullable=False),  # answers, sources, rubric, strategy
    sa.Column("features", sa.JSON),  # NULL until the evidence was looked for
    sa.Column("weighed", sa.JSON),
    sa.Column("left_out", sa.Integer, nullable=False, default=0),  # examples of the question itself
)

evaluation_cells = sa.Table(
    "evaluation_cells",
    metadata,
    sa.Column("run", sa.String(12), primary_key=True),
    sa.Column("question", sa.String(120), primary_key=True),
    sa.Column("strategy", sa.String(20), primary_key=True),
    sa.Column("model", sa.String(200), primary_key=True),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("quality", sa.Float),
    sa.Column("scores", sa.JSON, nullable=False),
    sa.Column("cost", ExactDecimal),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("answer", Words, nullable=False),
    sa.Column("detail", Words, nullable=False),  # why there is no answer or no judgement
)

model_answers = sa.Table(
    "model_answers",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),  # a digest of all that the model was asked
    sa.Column("provider", sa.String(60), nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("text", Words, nullable=False),
    sa.Column("cost", ExactDecimal),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("answered_at", UtcDateTime, nullable=False),
)
