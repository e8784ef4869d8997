"""Examples as CSV: what is taken, what is left out and why, and what cannot be read."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bot.domain import Example
from bot.errors import UnusableExamples
from bot.learning.example_csv import MOST_ROWS, Parsed, parse, summary, written
from bot.learning.reviewed import Draft, Reviewed
from knowledge.access import PUBLIC

TODAY = date(2026, 11, 20)


def parsed(text: str | bytes) -> Parsed:
    return parse(text if isinstance(text, bytes) else text.encode(), "team.csv", TODAY)


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("mark", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_is_read_with_commas_or_semicolons_with_or_without_bom(bom: bytes, mark: str, end: str) -> None:
    rows = (
        ("Question", "Answer", "tags", "valid_until"),
        ("When?", '"On Tue\nand Thu"', '"ops, #Deploys"', "2027-01-31"),
    )
    found = parsed(bom + end.join(mark.join(row) for row in rows).encode())
    tags, last = ("ops", "deploys"), date(2027, 1, 31)
    assert found.drafts == [Draft(question="When?", answer="On Tue\nand Thu", tags=tags, valid_until=last)]
    assert (found.lines, found.left_out, found.extra) == ([2], [], ())


def test_each_line_that_is_left_out_says_why_and_the_others_are_taken() -> None:
    found = parsed(
        "question,answer,tags,valid_until,owner\n"
        '"How\nmany?",Two.,,,x\n'
        "Where?,,,,\n"
        ",Here.,,,\n"
        "When?,Now.,,2020-01-01,\n"
        "When?,Now.,,tomorrow,\n"
        f"Who?,Me.,{'t' * 200},,\n"
        f"What?,{'x' * 3001},,,\n"
        "Why?,So.,,,,,,\n"
        ",,,,\n"
    )
    assert [draft.question for draft in found.drafts] == ["How\nmany?"]
    assert found.left_out == [
        "line 4 has no answer",
        "line 5 has no question",
        "line 6 ended on 2020-01-01, which is past",
        "line 7 has “tomorrow” as its last day, which is no date such as 2027-01-31",
        "line 8 has a tag of 200 characters (“tttttttttttttttttttt…”), and 40 fit",
        "line 9 has 3,001 characters in its answer, and 3,000 fit",
        "line 10 has 8 cells, and the first line 5",
    ]
    assert found.extra == ("owner",)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "team.csv is empty. The first line names the columns: question, answer, tags, valid_until"),
        (b"question,reply\nHow?,So.", "team.csv has no column “answer”"),
        (b"How?,So.\n", "team.csv has no column “question”"),
        ("question,answer\nWie?,F\xfcnf".encode("latin-1"), "team.csv is not UTF-8: line 2 has a byte"),
        (b"\xff\xfeq\x00u\x00", "team.csv is not UTF-8: line 1"),
        (
            b"question,answer\n" + b"How?,So.\n" * 10_000,
            "team.csv has 10,000 examples, and 2,000 fit at once. Split it.",
        ),
        (b"question,answer\n" + b"x" * 5_000_000, "team.csv has 5.0 MB, and 5 fit. Split it."),
        (
            b'question,answer\n"' + b"x" * 200_000 + b'",So.',
            "team.csv cannot be read as CSV from line 2 on: field larger",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_way_out(data: bytes, sentence: str) -> None:
    with pytest.raises(UnusableExamples, match=sentence.replace("(", "\\(")):
        parsed(data)


def test_as_many_as_fit_are_taken() -> None:
    assert len(parsed(b"question,answer\n" + b"How?,So.\n" * MOST_ROWS).drafts) == MOST_ROWS


def test_what_is_written_is_read_again_word_for_word_and_runs_in_no_spreadsheet() -> None:
    answers = ("=HYPERLINK(1)", "-1 is left", "@team, ask", 'say "so",\nthen; go', "'quoted'", "plain")
    examples = [
        Reviewed(
            example=Example(id=str(number), question="How?", answer=answer, readers=PUBLIC, tags=("a", "b c")),
            kept_by="U1",
            saved_at=datetime(2026, 1, 1, tzinfo=UTC),
            valid_until=date(2027, 1, 31),
        )
        for number, answer in enumerate(answers)
    ]
    text = written(examples)
    assert "\nHow?,=" not in text.replace("\r", "")
    found = parsed(text)
    assert [draft.answer for draft in found.drafts] == list(answers)
    assert {(draft.tags, draft.valid_until) for draft in found.drafts} == {(("a", "b c"), date(2027, 1, 31))}


def test_the_summary_counts_and_names_what_was_left_out() -> None:
    assert summary(12, 3, ["line 7 has no answer"]) == (
        "12 kept, 3 merged with ones that asked the same, 1 left out: line 7 has no answer."
    )
    many = [f"line {number} has no answer" for number in range(2, 10)]
    assert summary(0, 0, many, ["owner"]).endswith(
        "line 6 has no answer and 3 more. I passed over what I do not know: “owner”."
    )
