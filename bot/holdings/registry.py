"""Which column of which table holds whom. A table or column that is not declared here fails a test: nobody can forget
what nobody knows of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FORGOTTEN = "forgotten"
"""Stands for a person or place that was forgotten, where something else of the row has to stay."""


@dataclass(frozen=True, slots=True)
class Held:
    """One table. Every column is in exactly one of these, names with spaces between.

    `owner`: the person whose row it is. `actor`: a person who did something for the team. `place`: a channel.
    `question`: the question that the row belongs to. `key`: a person, channel or thread, as the column `scope` says.
    `readers`: reader scopes. `copies`: may hold a question's or answer's text word for word. `text`: may name anybody.
    `plain`: holds nobody. `parent`: rows that belong to those of another table, as (column, table, column).

    `sent`: Slack's payload, which says who sent it from where. `document`: source and path of one.
    `digest`: a document's id in a row that stays, since it says who may read what was made from it.

    `emptied`: what stays of a row that is forgotten; None: the row goes. `cache`: goes whole, since it can be made
    anew. `kept`: why the table is left as it is.
    """

    what: str
    owner: str = ""
    actor: str = ""
    place: str = ""
    question: str = ""
    key: str = ""
    readers: str = ""
    copies: str = ""
    text: str = ""
    sent: str = ""
    document: str = ""
    digest: str = ""
    plain: str = ""
    parent: tuple[str, str, str] | None = None
    emptied: Mapping[str, Any] | None = None
    cache: bool = False
    kept: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is declared."""
        declared = (self.owner, self.actor, self.place, self.question, self.key, self.readers, self.copies, self.text)
        others = (self.sent, self.document, self.digest, self.plain, self.parent[0] if self.parent else "")
        return tuple(" ".join((*declared, *others)).split())

    @property
    def texts(self) -> tuple[str, ...]:
        """Columns that may name anybody."""
        return tuple(f"{self.text} {self.copies} {self.sent}".split())


_EMPTY_QUESTION = {"text": "", "answer": None, "receipt": None, "scopes": "[]", "thread": None, "answer_ts": None}

_TEAM = (
    "Documents are the team's, and come back as their source has them: change it there, or forget the document with "
    "`--document`."
)

REGISTRY: Mapping[str, Held] = {
    "inbox": Held(
        "events of Slack that wait or failed",
        sent="payload",
        place="channel",
        text="problem",
        plain="event_id kind state attempts received_at finished_at worker reference ts revision gone",
    ),
    "workers": Held("processes that live", plain="id until"),
    "reply_parts": Held(
        "where replies stand in Slack",
        place="channel",
        question="question_id",
        plain="part thread after ts settled stopped begun_at",
    ),
    "conversations": Held(
        "messages of threads",
        owner="author",
        place="channel",
        question="question_id",
        text="text",
        plain="thread ts role deleted",
    ),
    "questions": Held(
        "questions with their answers and receipts",
        owner="asker",
        place="channel",
        readers="scopes",
        text="text answer receipt",
        plain="id workspace place_kind thread private asked_at answer_ts",
        emptied=_EMPTY_QUESTION,
    ),
    "ledger": Held(
        "model calls and their costs",
        owner="asker",
        place="channel",
        text="note",
        plain="id question_id purpose attempt provider model strategy workspace worker started_at reserved seconds "
        "prompt_tokens completion_tokens cached_tokens cache_written_tokens reasoning_tokens input_audio_tokens "
        "output_audio_tokens input_image_tokens output_image_tokens audio_ms images estimated cost price_version "
        "outcome served request_id first_cost first_price_version repriced_at",
        emptied={},
    ),
    "ledger_days": Held("finished days of the ledger, added up", plain="since until token kept_at value", cache=True),
    "ledger_changes": Held("which days of the ledger changed", plain="id started_at"),
    "posted_reports": Held(
        "reports that were posted", place="channel", plain="report part claim began_at claimed_at ts"
    ),
    "budgets": Held("budgets", key="key", actor="set_by", text="reason", plain="id scope period amount hard set_at"),
    "budget_use": Held(
        "what was spent of budgets",
        parent=("budget", "budgets", "id"),
        plain="since until spent held unknown told claimed_at",
    ),
    "feedback": Held(
        "thumbs and comments", owner="person", question="question_id", text="comment", plain="value reason given_at"
    ),
    "labels": Held("what people made of answers", owner="person", question="question_id", plain="signal given_at"),
    "learned": Held("what was learned from all labels together", text="value", plain="name version made_at"),
    "promotions": Held(
        "who chooses from when on",
        actor="by undone_by",
        text="why",
        plain="id at state strategy model undoes undone_at",
    ),
    "model_identities": Held("which model a name stood for", plain="name identity since"),
    "alternatives": Held(
        "questions asked again another way", owner="asked_by", question="question_id first_id", plain="asked_at"
    ),
    "comparisons": Held(
        "answers side by side", owner="asked_by", question="question_id", plain="id answers blind asked_at"
    ),
    "comparison_votes": Held(
        "votes on them", owner="person", parent=("comparison", "comparisons", "id"), plain="choice voted_at"
    ),
    "told_ends": Held("ends of models that were told", plain="model day stage claimed_at told_at"),
    "shadows": Held(
        "answers that were never shown",
        question="question_id",
        text="answer detail",
        plain="at state changed_at share taken_strategy taken_model strategy model chance others held cost judge_held "
        "judge_cost measure taken_quality other_quality",
        emptied={"answer": None, "detail": ""},
    ),
    "examples": Held(
        "reviewed examples",
        actor="saved_by author reviewed_by retired_by flagged_by",
        readers="readers",
        copies="question answer",
        text="tags retired_why flagged_why",
        digest="flagged_document",
        plain="id saved_at embedder vector answer_vector valid_until hits version retired_at flagged_at",
    ),
    "example_uses": Held(
        "answers that were written from examples", question="question_id", parent=("example_id", "examples", "id")
    ),
    "golden_questions": Held(
        "golden questions that people kept",
        actor="author reviewed_by retired_by flagged_by",
        place="channel",
        question="question_id",
        readers="readers",
        copies="question answer",
        text="source retired_why flagged_why",
        digest="flagged_document",
        plain="id kept_at example_id retired_at flagged_at",
    ),
    "marks": Held(
        "messages that were marked as answers",
        actor="author marked_by decided_by",
        place="channel",
        question="question_id",
        plain="id ts thread marked_at state times card worker example_id golden_id document",
    ),
    "training_consents": Held(
        "who lets their words be trained on", owner="person", actor="set_by", plain="allowed set_at"
    ),
    "tuning_datasets": Held(
        "training data", actor="made_by", readers="audience", text="report", plain="id made_at rows withdrawn_at"
    ),
    "tuning_runs": Held(
        "training runs",
        actor="ordered_by registered_by retired_by",
        text="base parameters result problem card",
        plain="id tuner dataset state job ordered_at ended_at held cost tokens worker withdrawn_at registered_at "
        "retired_at",
    ),
    "tuning_steps": Held("their figures", parent=("run", "tuning_runs", "id"), plain="step figures checkpoint"),
    "tuning_rows": Held(
        "rows of training data",
        owner="asker author",
        question="subject",
        copies="question answer rejected",
        plain="dataset position part origin said_at",
    ),
    "bases": Held("what answers and examples rest on", question="subject", readers="readers", digest="document"),
    "leanings": Held(
        "passages that answers cite",
        question="question_id",
        document="source path",
        text="title heading text",
        plain="number document cited_at checked now noted noted_at recall",
    ),
    "recalls": Held(
        "notes on sources that changed",
        owner="person",
        place="channel",
        question="question_id",
        plain="id noticed_at state tries worker told_at why counted_in",
    ),
    "owners": Held("who looks after channels and sources", key="key", actor="person set_by", plain="scope set_at"),
    "hand_offs": Held(
        "questions that a person was wanted for",
        owner="wanted_by",
        actor="owner",
        question="question_id",
        plain="why wanted_at state due worker",
    ),
    "pins": Held("pinned models", key="key", actor="set_by", text="reason", plain="scope model strategy set_at"),
    "allow_lists": Held(
        "which models may be used", key="key", actor="set_by", text="reason", plain="scope entries set_at"
    ),
    "trials": Held(
        "trials of models in channels",
        place="channel running",
        actor="started_by stopped_by",
        text="reason",
        plain="id model share started_at ends_at stopped_at",
    ),
    "trial_questions": Held("their questions", question="question_id", parent=("trial", "trials", "id"), plain="drawn"),
    "rollouts": Held("roll-outs of models", actor="changed_by", text="reason", plain="model stage step changed_at"),
    "rollout_shares": Held("shares of channels' questions for them", place="channel", plain="model share"),
    "rollout_questions": Held("their questions", question="question_id", plain="model step drawn"),
    "regressions": Held("what tuned models lost beside others", plain="model model_id base made_at parts"),
    "channel_settings": Held(
        "settings of channels", place="channel", actor="set_by", plain="value stay_local recall set_at"
    ),
    "job_runs": Held("runs of jobs", text="problem", plain="job fire_at started_at finished_at worker"),
    "added_sources": Held(
        "sources that were added", actor="added_by", readers="readers", text="options", plain="name kind added_at"
    ),
    "told_problems": Held(
        "problems of sources that were told", document="source path", text="sentence", plain="told_at"
    ),
    "evaluation_runs": Held(
        "evaluations",
        readers="audience",
        text="name source settings",
        plain="id started finished data questions index_version models prompts scorers judge ways budget spent "
        "unpriced",
    ),
    "evaluation_questions": Held(
        "golden questions of evaluations",
        question="id",
        text="text expected",
        plain="run position grouping features weighed left_out",
    ),
    "evaluation_cells": Held(
        "their answers",
        question="question",
        text="answer detail",
        plain="run strategy model outcome quality scores cost seconds",
    ),
    "endpoint_models": Held("what servers list", plain="provider model first_listed last_listed gone_since shutdown"),
    "model_answers": Held(
        "answers kept so that evaluations pay once",
        plain="key provider model text cost seconds answered_at",
        cache=True,
    ),
    "audit_log": Held(
        "who changed what",
        actor="who",
        text="subject before after reason",
        plain="id at action reference previous digest",
        kept="It says who changed what, and each entry seals the one before; `switchboard audit drop` ends it by age.",
    ),
    "installations": Held(
        "workspaces that installed the bot",
        actor="installed_by",
        text="name problem",
        plain="id enterprise bot_user scopes installed_at bot_token refresh_token expires_at version claim "
        "claimed_until refused_at",
    ),
    "tenants": Held(
        "workspaces that have a database of their own",
        text="name left_how",
        plain="id enterprise installation opened_at left_at delete_at deleted_at",
    ),
    "oauth_states": Held("installations under way", plain="state expires_at"),
    "taken_signatures": Held("signatures of Slack's requests, for minutes", plain="signature at"),
    "asked_lately": Held("who asked in the last minute", text="subject", plain="reference at"),
    "knowledge_sources": Held(
        "sources of knowledge",
        readers="restricted_to",
        text="state",
        plain="name kind refreshed seconds born restricted",
        kept=_TEAM,
    ),
    "knowledge_standing": Held(
        "how far the knowledge is written", plain="one house number logged floor chunks checksum"
    ),
    "knowledge_changes": Held("keys of texts that changed", plain="number added removed moved"),
    "knowledge_follows": Held("documents that an event told of", document="source path", plain="number"),
    "knowledge_leases": Held("what one process at a time does", plain="name holder until turns finished"),
    "knowledge_processes": Held("which embedding model each process wants", plain="worker wanted failing until"),
    "knowledge_shared_indexes": Held("how far an index on a server is written", plain="name stamp trouble"),
    "knowledge_documents": Held(
        "documents",
        readers="readers",
        text="title url author path anchor tags",
        plain="id source version updated digest language",
        kept=_TEAM,
    ),
    "knowledge_chunks": Held(
        "their texts",
        text="heading text",
        plain="key position digest own line",
        parent=("document_id", "knowledge_documents", "id"),
        kept=_TEAM,
    ),
    "knowledge_embeddings": Held("vectors of texts", plain="digest model vector words"),
    "knowledge_fingerprints": Held("numbers that find like texts", plain="digest first second third"),
    "knowledge_problems": Held(
        "documents that could not be read", text="path sentence", plain="source version", kept=_TEAM
    ),
    "knowledge_imports": Held(
        "records of imported files", text="path record problem", plain="source file position", kept=_TEAM
    ),
    "knowledge_saved": Held("threads and files that were saved from Slack", place="channel", document="source path"),
    "knowledge_forgotten": Held(
        "digests of documents that stay out",
        plain="document at",
        kept="It is a digest alone, and keeps the document out when its source lists it again.",
    ),
}
