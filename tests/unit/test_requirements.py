"""Holds tests/requirements.toml against the tests: what is promised is shown, and every test file shows a promise."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEHAVIOURS = tomllib.loads((ROOT / "tests" / "requirements.toml").read_text(encoding="utf-8"))["behaviour"]


def _functions(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds) and node.name.startswith("test_")}


def test_every_promised_behaviour_names_tests_that_exist() -> None:
    missing = []
    for behaviour in BEHAVIOURS:
        assert behaviour["tests"], behaviour["says"]
        for named in behaviour["tests"]:
            path, _, function = named.partition("::")
            file = ROOT / "tests" / path
            if not file.is_file() or (function and function not in _functions(file)):
                missing.append(f"{named} ({behaviour['says']})")
    assert missing == []


def test_every_test_file_shows_a_promised_behaviour() -> None:
    named = {test.partition("::")[0] for behaviour in BEHAVIOURS for test in behaviour["tests"]}
    files = {str(file.relative_to(ROOT / "tests")) for file in (ROOT / "tests").rglob("test_*.py")}
    assert files - named == set()


def test_no_behaviour_is_promised_twice() -> None:
    says = [behaviour["says"] for behaviour in BEHAVIOURS]
    assert len(says) == len(set(says))
