"""Every table of the bot's own state. The knowledge store keeps its tables itself."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from bot.storage.words import Words

metadata = sa.MetaData()


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment in UTC: SQLite drops the time zone, so it is put back on the way out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone cannot be stored; give it one.")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class ExactDecimal(sa.TypeDecorator[Decimal]):
    """An exact decimal kept as text: SQLite has no decimals and floats would lose the cents of a cent."""

    impl = sa.String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else format(value, "f")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Picodollars(sa.TypeDecorator[Decimal]):
    """US dollars to twelve decimals, kept as a whole number of millionths of a millionth: a database adds integers
    exactly and fast. Finer amounts are rounded half to even; at most 9.2 million dollars fit."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value.scaleb(12).to_integral_value(ROUND_HALF_EVEN))

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        amount = Decimal(value).scaleb(-12).normalize()  # without the zeros behind it
        return amount if amount.as_tuple().exponent <= 0 else amount.quantize(Decimal(1))  # type: ignore[operator]


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
