from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_up_secrets import made_up

from bot.logs import FIELDS, TEXTS, mask
from bot.tracebacks import places

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("kind", "text", "value"), made_up()[::7])
def test_a_secret_is_masked_by_its_kind(kind: str, text: str, value: str) -> None:
    assert value not in mask(f"failed with {text}")
    assert f"[secret: {kind}]" in mask(f"failed with {text}")


def test_a_password_in_an_address_is_masked() -> None:
    masked = "postgresql+psycopg://bot:[secret: password in an address]@db/x"
    assert mask("postgresql+psycopg://bot:geheim@db/x") == masked


def test_plain_text_stays() -> None:
    assert mask("ask-me about risk-free tasks") == "ask-me about risk-free tasks"


def test_a_logged_traceback_and_a_librarys_line_hold_no_secret() -> None:
    code = (
        "import logging, structlog; from bot.logs import configure_logs, show_texts\n"
        "configure_logs(); show_texts(True)\n"
        "try: raise ValueError('key sk-proj-topsecret99 refused')\n"
        "except ValueError: structlog.get_logger('bot.x').exception('call_failed', token='xoxb-topsecret99')\n"
        "logging.getLogger('slack_sdk').error('sent xapp-topsecret99')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.count("[secret: ") >= 3
    assert "topsecret" not in done.stderr
    assert "call_failed" in done.stderr


def test_without_texts_an_exception_and_a_librarys_line_are_named_and_their_words_left_out() -> None:
    code = (
        "import logging, structlog; from bot.logs import configure_logs; configure_logs()\n"
        "try: open('/nowhere/heliotrope')\n"
        "except OSError as error:\n"
        "    try: raise ValueError('heliotrope') from error\n"
        "    except ValueError:\n"
        "        structlog.get_logger('bot.x').exception('call_failed', said='heliotrope', odd='heliotrope')\n"
        "structlog.get_logger('bot.x').warning('somebody said heliotrope')\n"
        "logging.getLogger('slack_sdk').error('heliotrope')\n"
        "logging.getLogger('slack_sdk').error('status %s', 500)\n"
        "try: int('heliotrope')\n"
        "except ValueError: logging.getLogger('slack_sdk').exception('heliotrope')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    failed, unnamed, library, template, caught = map(json.loads, done.stderr.splitlines())
    assert "heliotrope" not in done.stderr
    assert (failed["event"], failed["exception_kind"]) == ("call_failed", "ValueError")
    assert "FileNotFoundError (2 No such file or directory)" in failed["exception"]
    assert "line 4, in <module>" in failed["exception"]
    assert unnamed["event"] == "unnamed_event"
    assert (library["event"], library["logger"], library["where"]) == ("library_line", "slack_sdk", "<string>:8")
    assert template["event"] == "status %s"
    assert caught["exception_kind"] == "ValueError"


def test_a_group_of_exceptions_is_named_with_all_that_are_in_it() -> None:
    group = ExceptionGroup("heliotrope", [ValueError("heliotrope"), PermissionError(13, "Permission denied", "/x")])
    told = places(group)
    assert "heliotrope" not in told
    assert "builtins.ValueError" in told
    assert "builtins.PermissionError (13 Permission denied)" in told


def test_every_field_that_is_logged_is_declared() -> None:
    undeclared = [f"{where}: {name}" for where, name in _logged() if name not in FIELDS | TEXTS | {"exc_info"}]
    assert undeclared == [], "Add it to FIELDS of bot/logs.py, or to TEXTS where it may hold anybody's words."
    assert FIELDS.isdisjoint(TEXTS)
    assert "exc_info" not in FIELDS, "an exception is shown by its kind and place alone"


def _logged() -> Iterator[tuple[str, str]]:
    """Every field of a log line in the code, with its place."""
    for room in ("bot", "handlers", "knowledge"):
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    of, does = ast.unparse(node.func.value), node.func.attr
                    if of in {"log", "_log"} or does == "bound_contextvars":
                        yield from ((f"{file.name}:{node.lineno}", str(each.arg)) for each in node.keywords if each.arg)
