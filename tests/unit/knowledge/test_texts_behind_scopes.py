"""Every query that reads the words of documents, examples, threads and answers, and why it may."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
WORDS = {
    "chunks": "text|heading",
    "documents": "title",
    "examples": "question|answer",
    "golden_questions": "question|answer",
    "conversations": "text",
    "questions": "text|answer",
}
SCOPED = "takes the scopes of whoever reads"
INDEXES = "feeds the indexes and the embedding model, which give keys and numbers back"
WRITES = "compares what is there with what is written, and hands no words out"
NO_WORDS = "gives ids, versions and numbers, no words"
BY_ID = "one question by its id: who shows it asks Places.may_read before, and Bases for what its answer rests on"
ADMITTED = "for a shadow run, which asks who would read the answer now, and Bases, before anything goes out"
OPERATOR = "for whoever has a shell on the machine, and with it the database"
MAY = {
    "bot/conversations.py:turns": SCOPED,
    "bot/evaluation/agreement.py:with_people": "counts thumbs, and hands no words out",
    "bot/evaluation/runs.py:load": "golden questions of a run, " + OPERATOR,
    "bot/evaluation/shadow_admission.py:_in_its_thread": ADMITTED,
    "bot/evaluation/shadow_admission.py:_row": ADMITTED,
    "bot/evaluation/shadow_scores.py:_kept": ADMITTED,
    "bot/evaluation/shadows.py:_where": NO_WORDS,
    "bot/evaluation/shadows.py:fresh": NO_WORDS,
    "bot/evaluation/succession.py:_answered_by": NO_WORDS,
    "bot/evaluation/thumbs.py:golden_from_thumbs": SCOPED,
    "bot/explanations.py:last": OPERATOR,
    "bot/holdings/documents.py:subject_of": "a document that is to be forgotten, " + OPERATOR,
    "bot/holdings/forgetting.py:_copies": "deletes copies of texts, and hands no words out",
    "bot/learning/example_shelf.py:_read": "a copy in memory, which `Examples.nearest` and `all` give out by scopes",
    "bot/learning/examples.py:_read": "which `listed` and `one` give out by scopes",
    "bot/learning/experience.py:read": NO_WORDS,
    "bot/learning/golden_questions.py:listed": SCOPED,
    "bot/fine_tuning.py:golden_of": "questions that are kept out of training data, and hands no words out",
    "bot/learning/flagging.py:answer": NO_WORDS,
    "bot/people/coverage.py:_asked": "gives out words of public channels alone, and all to "
    + OPERATOR.removeprefix("for "),
    "bot/recall/noticing.py:_to_tell": NO_WORDS,
    "bot/selection/questions.py:_row": BY_ID,
    "bot/tuning/figures.py:_asked": "what was asked in public places, to count and to name topics, " + OPERATOR,
    "knowledge/contents.py:_FIND": "the query of `find`, which takes what the search may reach",
    "knowledge/contents.py:indexed": INDEXES,
    "knowledge/contents.py:pieces_of": SCOPED + ", or holds the words against those of an answer and hands none out",
    "knowledge/contents.py:titles": SCOPED,
    "knowledge/contents.py:vectors": INDEXES,
    "knowledge/kept_vectors.py:_originals": INDEXES,
    "knowledge/kept_vectors.py:without_vector": INDEXES,
    "knowledge/store.py:known": NO_WORDS,
    "knowledge/store.py:write": WRITES,
}
"""A new query that reads words is entered here, with its reason."""


def _queries() -> set[str]:
    """The functions, or names of constants, whose queries name a table whole or one of its columns with words."""
    found = set()
    for file in sorted(each for package in ("bot", "handlers", "knowledge") for each in (ROOT / package).rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if "migrations" in file.parts:
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                name = node.name
            elif isinstance(node, ast.Assign) and node in tree.body:
                name = ast.unparse(node.targets[0])
            else:
                continue
            code = ast.unparse(node)
            if "select(" in code and any(_named(code, table, columns) for table, columns in WORDS.items()):
                found.add(f"{file.relative_to(ROOT)}:{name}")
    return found


def _named(code: str, table: str, columns: str) -> bool:
    column = rf"\b{table}\.c\.({columns})\b|\b{table}\.c\[|FACET_COLUMNS.*\b{table}\b"
    return bool(re.search(rf"select\({table}\)|{column}", code, re.DOTALL))


def test_words_are_read_only_where_it_is_known_why() -> None:
    assert _queries() == set(MAY)
