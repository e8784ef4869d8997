"""The questions about the design documents: three kinds of them, each with a document that says what is quoted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
DOCUMENTS = HERE.parents[2] / "shared/data/docs/k8s-enhancements"


def questions() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / "k8s_questions.jsonl").read_text("utf-8").splitlines()]


def test_there_are_as_many_of_each_kind() -> None:
    assert Counter(one["kind"] for one in questions()) == {"identifier": 24, "question": 24, "paraphrase": 24}
    assert len({one["id"] for one in questions()}) == 72


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the design documents are not there")
@pytest.mark.parametrize("question", questions(), ids=lambda question: str(question["id"]))
def test_every_quote_stands_in_a_document_that_answers(question: dict[str, Any]) -> None:
    texts = [(DOCUMENTS / path).read_text("utf-8") for path in question["answers"]]
    assert any(question["quote"] in text for text in texts)
