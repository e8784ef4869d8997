"""The tables of what people say and settle, of models and of jobs; the others stand in the modules beside it."""

from __future__ import annotations

import sqlalchemy as sa

from bot.storage.columns import UtcDateTime, metadata
from bot.storage.words import Words

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("event_id", sa.String(80), primary_key=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("state", sa.String(12), nullable=False, index=True),  # waiting, working, done, failed
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("problem", Words),
    sa.Column("worker", sa.String(32)),  # whose work it is; NULL: nobody's
    sa.Column("reference", sa.String(40), nullable=False, server_default=""),  # the correlation id of all attempts
    sa.Column("channel", sa.String(40)),  # the message that it is about, where there is one
    sa.Column("ts", sa.String(40)),
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),  # how often that message was changed
    sa.Column("gone", sa.Boolean, nullable=False, server_default=sa.false()),  # … and whether it was deleted
    sa.Index("ix_inbox_message", "channel", "ts"),
)

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("channel", sa.String(40), primary_key=True),
    sa.Column("thread", sa.String(40), primary_key=True),
    sa.Column("ts", sa.String(40), primary_key=True),
    sa.Column("role", sa.String(12), nullable=False),  # user, assistant
    sa.Column("author", sa.String(40), nullable=False),
    sa.Column("text", Words, nullable=False),
    sa.Column("question_id", sa.String(40)),
    sa.Column("deleted", sa.Boolean, nullable=False, default=False),
)

questions = sa.Table(
    "questions",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("text", Words, nullable=False),
    sa.Column("asker", sa.String(40), nullable=False),
    sa.Column("workspace", sa.String(40), nullable=False),
    sa.Column("channel", sa.String(40), nullable=False),
    sa.Column("place_kind", sa.String(20), nullable=False),
    sa.Column("thread", sa.String(40)),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("private", sa.Boolean, nullable=False, default=False),
    sa.Column("asked_at", UtcDateTime, nullable=False, index=True),
    sa.Column("answer_ts", sa.String(40)),
    sa.Column("answer", Words),
    sa.Column("receipt", sa.JSON),
)
sa.Index("ix_questions_thread", questions.c.channel, questions.c.thread)

feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("question_id", sa.String(40), primary_key=True),
    sa.Column("person", sa.String(40), primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),  # 1 or -1
    sa.Column("comment", Words),
    sa.Column("reason", sa.String(20)),  # of a thumb down: see bot.learning.feedback
    sa.Column("given_at", UtcDateTime, nullable=False, index=True),
)

# Everything from which one may learn how good an answer was; feedback above is what people said with a thumb.
labels = sa.Table(
    "labels",
    metadata,
    sa.Column("question_id", sa.String(40), primary_key=True),
    sa.Column("person", sa.String(40), primary_key=True),
    sa.Column("signal", sa.String(20), primary_key=True),
    sa.Column("given_at", UtcDateTime, nullable=False, index=True),
)

# What was made from the labels and from evaluations, by name; `version` is that of its form.
learned = sa.Table(
    "learned",
    metadata,
    sa.Column("name", sa.String(20), primary_key=True),  # bandit, replay, gain
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("value", sa.JSON, nullable=False),
)

# Who chooses from when on: the newest entry holds. An undo is an entry too, which names the one that it undoes.
promotions = sa.Table(
    "promotions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),  # estimates, learned, best fixed
    sa.Column("strategy", sa.String(20)),  # with `model`: the best fixed way of then
    sa.Column("model", sa.String(200)),
    sa.Column("why", Words, nullable=False),
    sa.Column("by", sa.String(40), nullable=False),  # a job or a person
    sa.Column("undoes", sa.Integer),
    sa.Column("undone_by", sa.String(40)),
    sa.Column("undone_at", UtcDateTime),
)

# Which model a card's name stood for: once another stands behind it, what was learned of the first one is void.
model_identities = sa.Table(
    "model_identities",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("identity", sa.String(300), nullable=False),
    sa.Column("since", UtcDateTime),  # NULL: always, as far as is known
)

# Questions that were asked once more another way: which one came before, and who asked for it.
alternatives = sa.Table(
    "alternatives",
    metadata,
    sa.Column("question_id", sa.String(40), primary_key=True),
    sa.Column("first_id", sa.String(40), nullable=False, index=True),
    sa.Column("asked_by", sa.String(40), nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
)

# Questions that several ways answered side by side, and what people thought of the answers.
comparisons = sa.Table(
    "comparisons",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("question_id", sa.String(40), nullable=False),  # the first answer's
    sa.Column("answers", sa.JSON, nullable=False),  # question id, strategy and model of each, in their order
    sa.Column("blind", sa.Boolean, nullable=False),
    sa.Column("asked_by", sa.String(40), nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
)

comparison_votes = sa.Table(
    "comparison_votes",
    metadata,
    sa.Column("comparison", sa.String(40), primary_key=True),
    sa.Column("person", sa.String(40), primary_key=True),
    sa.Column("choice", sa.Integer),  # the place of the best answer; NULL: they are alike
    sa.Column("voted_at", UtcDateTime, nullable=False),
)

# Ends of models that were told: the stage is the number of days before the end.
told_ends = sa.Table(
    "told_ends",
    metadata,
    sa.Column("model", sa.String(200), primary_key=True),
    sa.Column("day", sa.String(10), primary_key=True),  # of the end
    sa.Column("stage", sa.Integer, primary_key=True),
    sa.Column("claimed_at", UtcDateTime, nullable=False),
    sa.Column("told_at", UtcDateTime),
)

examples = sa.Table(
    "examples",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("question", Words, nullable=False),
    sa.Column("answer", Words, nullable=False),
    sa.Column("readers", sa.JSON, nullable=False),
    sa.Column("saved_by", sa.String(40), nullable=False),
    sa.Column("saved_at", UtcDateTime, nullable=False),
    sa.Column("embedder", sa.String(80), nullable=False),
    sa.Column("vector", sa.LargeBinary, nullable=False),  # the question's: float32, little endian
    sa.Column("answer_vector", sa.LargeBinary),  # by the same embedder; NULL: not made yet
    sa.Column("tags", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("author", sa.String(40), nullable=False, server_default=""),  # whose words the answer is; "": the bot's
    sa.Column("reviewed_by", sa.String(40), nullable=False, server_default=""),  # who changed it last; "": saved_by
    sa.Column("valid_until", sa.String(10)),  # the last day, as 2026-12-31; NULL: for good
    sa.Column("hits", sa.Integer, nullable=False, server_default="0"),  # prompts that it was in
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),  # one more with each change
    sa.Column("retired_by", sa.String(40)),
    sa.Column("retired_at", UtcDateTime),  # NULL: in use
    sa.Column("retired_why", Words),
    sa.Column("flagged_by", sa.String(40)),
    sa.Column("flagged_at", UtcDateTime),  # NULL: nothing speaks against it
    sa.Column("flagged_why", Words),
    sa.Column("flagged_document", sa.String(80)),  # whose words are in `flagged_why`; NULL: nobody's
)

pins = sa.Table(
    "pins",
    metadata,
    sa.Column("scope", sa.String(12), primary_key=True),  # thread, person, channel, workspace
    sa.Column("key", sa.String(90), primary_key=True),  # "" for the workspace
    sa.Column("model", sa.String(200)),
    sa.Column("strategy", sa.String(20)),
    sa.Column("set_by", sa.String(40), nullable=False),
    sa.Column("set_at", UtcDateTime, nullable=False),
    sa.Column("reason", Words),
)

# Which models may be used: names, and filters such as provider:ollama. Without a row all may.
allow_lists = sa.Table(
    "allow_lists",
    metadata,
    sa.Column("scope", sa.String(12), primary_key=True),  # workspace, channel
    sa.Column("key", sa.String(40), primary_key=True),  # "" for the workspace
    sa.Column("entries", sa.JSON, nullable=False),
    sa.Column("reason", Words),
    sa.Column("set_by", sa.String(40), nullable=False),
    sa.Column("set_at", UtcDateTime, nullable=False),
)

# What admins set for a channel besides its pins.
channel_settings = sa.Table(
    "channel_settings",
    metadata,
    sa.Column("channel", sa.String(40), primary_key=True),
    sa.Column("value", sa.String(12)),  # frugal, balanced, best; NULL: as configured
    sa.Column("stay_local", sa.Boolean, nullable=False, default=False),
    sa.Column("recall", sa.Boolean, nullable=False, server_default=sa.true()),  # told of sources that change
    sa.Column("set_by", sa.String(40), nullable=False),
    sa.Column("set_at", UtcDateTime, nullable=False),
)

job_runs = sa.Table(
    "job_runs",
    metadata,
    sa.Column("job", sa.String(60), primary_key=True),
    sa.Column("fire_at", UtcDateTime, primary_key=True),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("problem", Words),
    sa.Column("worker", sa.String(32)),  # whose it is for as long as that one lives
)

# Sources of knowledge that somebody added while the bot ran; those of the configuration stand there alone.
added_sources = sa.Table(
    "added_sources",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("options", sa.JSON, nullable=False),
    sa.Column("readers", sa.Text, nullable=False),
    sa.Column("added_by", sa.String(40), nullable=False),
    sa.Column("added_at", UtcDateTime, nullable=False),
)

# Problems of sources that were told in Slack, so that none is told twice, not even by the next process.
told_problems = sa.Table(
    "told_problems",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("sentence", Words, nullable=False),
    sa.Column("told_at", UtcDateTime, nullable=False),
)

endpoint_models = sa.Table(
    "endpoint_models",
    metadata,
    sa.Column("provider", sa.String(60), primary_key=True),
    sa.Column("model", sa.String(200), primary_key=True),  # as the server lists it
    sa.Column("first_listed", UtcDateTime, nullable=False),
    sa.Column("last_listed", UtcDateTime, nullable=False),
    sa.Column("gone_since", UtcDateTime),  # the first list without it; None while it is listed
    sa.Column("shutdown", sa.Date),  # as the server says it
)
