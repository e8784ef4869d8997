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
    "conversations": "text",
    "questions": "text|answer",
}
MAY: dict[str, str] = {}


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
