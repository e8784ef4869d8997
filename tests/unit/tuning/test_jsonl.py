"""A file of training data is looked through line by line, and each mistake is a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from training_rows import row

from bot.errors import UnusableTraining
from bot.models.cards import ModelCard
from bot.tuning.jsonl import check
from bot.tuning.row import chat_line, preference_line, prompted

SMALL = ModelCard(name="small", provider="own", context_window=200)


def line(question: object = "How?", answer: object = "So.") -> str:
    return json.dumps({"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]})


def told(folder: Path, *lines: str | bytes, model: ModelCard | None = None) -> list[str]:
    file = folder / "rows.jsonl"
    file.write_bytes(b"\n".join(one.encode() if isinstance(one, str) else one for one in lines) + b"\n")
    return list(check(file, model).problems)


GOOD = [line(f"Question {n}?", f"Answer {n}.") for n in range(12)]


def test_a_good_file_has_no_problems(tmp_path: Path) -> None:
    assert told(tmp_path, "﻿" + GOOD[0], *GOOD[1:], "") == []


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (b'{"messages": [{"role": "user", "content": "caf\xe9"}]}', "Line 4: byte 47 is not UTF-8"),
        ('{"messages": [', "Line 4: it is no JSON"),
        ('["messages"]', "Line 4: it has no messages"),
        ('{"prompt": "How?", "completion": "So."}', "Line 4: it has no messages"),
        ('{"messages": [{"role": "user", "content": "How?"}]}', "Line 4: it has no turn of the assistant"),
        (
            '{"messages": [{"role": "assistant", "content": "So."}, {"role": "user", "content": "How?"}]}',
            "Line 4: its last turn is the user's",
        ),
        (line("How?", ""), "Line 4: message 2 (assistant) says nothing"),
        (line(7, "So."), "Line 4: message 1 (user) says nothing"),
        ('{"messages": [{"role": "bot", "content": "So."}]}', "Line 4: message 1 has the role “bot”. There are:"),
        ('{"messages": ["So."]}', "Line 4: message 1 is no object"),
        (line("word " * 300), "Line 4: it has 3"),
    ],
)
def test_a_bad_line_is_told_with_its_number(tmp_path: Path, bad: str | bytes, says: str) -> None:
    (problem,) = told(tmp_path, *GOOD[:3], bad, *GOOD[3:], model=SMALL)
    assert problem.startswith(says), problem


def test_a_row_over_the_window_is_told_with_the_window(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, *GOOD, line("word " * 300), model=SMALL)
    assert "the window of small is 200. Shorten it, or split it." in problem


def test_nine_rows_are_too_few(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, *GOOD[:9])
    assert problem == "The file has 9 rows that can be trained on; at least 10 are needed, 50 to 100 advised."


def test_one_label_is_told(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, *[line(f"Question {n}?", "Ask  Sam") for n in range(12)])
    assert "All 12 rows have the same answer" in problem


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnusableTraining, match="cannot be read"):
        check(tmp_path / "none.jsonl")


def test_the_lines_that_are_made_are_what_providers_take(tmp_path: Path) -> None:
    rows = [row(f"Hi all, question {n}?", f"Answer “{n}”.", n) for n in range(12)]
    assert told(tmp_path, *map(chat_line, rows)) == []
    made = json.loads(chat_line(rows[3]))
    assert list(made) == ["messages"]
    assert [message["role"] for message in made["messages"]] == ["system", "user", "assistant"]
    assert made["messages"][:2] == prompted("question 3?")
    pair = json.loads(preference_line(row("How?", "Better.", 1, "choice", rejected="Worse.")))
    assert set(pair) == {"input", "preferred_output", "non_preferred_output"}
    assert pair["input"]["messages"] == prompted("How?")
    assert pair["preferred_output"] == [{"role": "assistant", "content": "Better."}]
    assert pair["non_preferred_output"] == [{"role": "assistant", "content": "Worse."}]
