"""Golden questions from files: what is taken, and a sentence for all that is not."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from bot.errors import UnusableGolden
from bot.evaluation.golden import TOLD, GoldenSet, in_fair_order
from bot.evaluation.golden_file import read_golden


def written(folder: Path, *lines: object, name: str = "golden.jsonl") -> Path:
    file = folder / name
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), "utf-8")
    return file


def read(folder: Path, *lines: object, name: str = "golden.jsonl") -> GoldenSet:
    return read_golden(written(folder, *lines, name=name))


def refusal(file: Path) -> str:
    with pytest.raises(UnusableGolden) as refused:
        read_golden(file)
    return str(refused.value)


def test_a_line_has_a_question_and_what_is_expected(tmp_path: Path) -> None:
    golden = read(
        tmp_path,
        {"question": "How long is a rollback?", "answer": ["two minutes", 2], "group": "deploying", "id": 7},
        {"question": "Who may deploy?", "source": "deploying.md", "strategy": "rag"},
        {"question": "Greet somebody.", "rubric": "It is friendly."},
    ).questions
    assert [one.answers for one in golden] == [("two minutes", "2"), (), ()]
    assert [one.sources for one in golden] == [(), ("deploying.md",), ()]
    assert golden[2].rubric == "It is friendly."
    assert [one.line for one in golden] == [1, 2, 3]
    assert (golden[0].id, golden[0].group, golden[1].strategy) == ("7", "deploying", "rag")


def test_a_question_without_a_group_is_a_group_of_its_own(tmp_path: Path) -> None:
    golden = read(tmp_path, {"question": "A b?", "answer": "c"}, {"question": "D e?", "answer": "c"}).questions
    assert len({one.group for one in golden}) == 2


def test_csv_says_the_same_as_jsonl(tmp_path: Path) -> None:
    row = {"question": "How long, then?", "answer": "two minutes", "source": "a.md", "group": "x", "id": "q1"}
    lines = ("question;answer;source;group;id", '"How long, then?";two minutes;a.md;x;q1')
    assert read(tmp_path, *lines, name="golden.csv").digest == read(tmp_path, row).digest


def test_everything_that_cannot_be_used_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    golden = read(
        tmp_path,
        {"question": "Good?", "answer": "yes"},
        {"answer": "yes"},
        {"question": "What else?"},
        "no json",
        [1],
        {"question": "Which?", "answer": "x", "strategy": "ragg"},
        {"question": "  ", "answer": "x"},
        {"question": "Which \0 one?", "answer": "x"},
    )
    told = "\n".join(golden.problems)
    assert len(golden.questions) == 1
    assert "Line 2: it has no question." in told
    assert "Line 3: it expects nothing. Give it an answer, a source or a rubric." in told
    assert "Line 4: it is no JSON" in told
    assert "Line 5: it is no JSON object" in told
    assert "Line 6: strategy" in told
    assert "Line 7: its question cannot be answered" in told
    assert "Line 8: it holds a NUL character" in told


def test_of_very_many_problems_the_first_are_told_and_the_others_counted(tmp_path: Path) -> None:
    golden = read(tmp_path, {"question": "Good?", "answer": "yes"}, *["no json"] * (TOLD + 30))
    assert len(golden.problems) == TOLD + 1
    assert golden.problems[-1] == "And 30 more like these."


def test_a_field_that_is_not_known_is_told_with_the_nearest(tmp_path: Path) -> None:
    notes = read(tmp_path, {"question": "Good?", "answer": "yes", "gruop": "a"}).notes
    assert any("“gruop” is not known" in note and "“group”" in note for note in notes)


def test_a_question_that_stands_twice_with_the_same_expectation_is_taken_once(tmp_path: Path) -> None:
    golden = read(
        tmp_path, {"question": "How long is it?", "answer": "x"}, {"question": "hello, how long IS it", "answer": "x"}
    )
    assert len(golden.questions) == 1
    assert golden.problems == ("Lines 1 and 2 say the same; the question is taken once.",)


def test_questions_that_contradict_each_other_are_left_out_with_both_lines(tmp_path: Path) -> None:
    golden = read(
        tmp_path,
        {"question": "How long is it?", "answer": "two minutes"},
        {"question": "Who?", "answer": "Ana"},
        {"question": "How long is it?", "answer": "an hour"},
    )
    assert [one.question for one in golden.questions] == ["Who?"]
    assert golden.problems[0].startswith("Lines 1 and 3 ask the same and expect different things; both are left out.")


def test_two_questions_cannot_share_an_id(tmp_path: Path) -> None:
    golden = read(
        tmp_path, {"id": 1, "question": "Who?", "answer": "Ana"}, {"id": "1", "question": "What?", "answer": "x"}
    )
    assert [one.question for one in golden.questions] == ["Who?"]
    assert "Lines 1 and 2 have the same id “1”" in golden.problems[0]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "It is empty."),
        (b"\n\n", "It is empty."),
        ("{}\n".encode("utf-16"), "Save it in UTF-8"),
        ('{"question": "Größe?", "answer": "x"}\n'.encode("latin-1"), "Line 1: it is not in UTF-8"),
        (b'{"question": "Who?"}\n', "Line 1: it expects nothing"),
    ],
)
def test_a_file_without_anything_usable_says_why_and_shows_a_line(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "golden.jsonl"
    file.write_bytes(content)
    sentence = refusal(file)
    assert told in sentence
    assert "UTF-16" in sentence or '{"question": ' in sentence


def test_a_file_that_is_missing_or_of_another_kind_is_named(tmp_path: Path) -> None:
    assert "cannot be read (No such file" in refusal(tmp_path / "golden.jsonl")
    assert "its name must end in .jsonl" in refusal(tmp_path / "golden.xlsx")
    file = tmp_path / "golden.csv"
    file.write_text('question,answer\n"Who?,Ana\n', "utf-8")
    assert "line 2" in refusal(file)


def test_a_few_questions_of_one_group_say_what_they_cannot_show(tmp_path: Path) -> None:
    rows = [{"question": f"Question {n}?", "answer": "x", "group": "all", "strategy": "rag"} for n in range(3)]
    notes = "\n".join(read(tmp_path, *rows).notes)
    assert "With 3 questions every interval is wide" in notes
    assert "refitted from 30 questions on; there are 3" in notes
    assert "All questions are of one group (“all”), so none can be held out" in notes
    assert "All questions are meant for rag" in notes


def test_enough_questions_of_several_groups_have_nothing_to_note(tmp_path: Path) -> None:
    assert read(tmp_path, *({"question": f"Question {n}?", "answer": "x"} for n in range(30))).notes == ()


def test_the_digest_tells_expectations_apart_and_not_the_order(tmp_path: Path) -> None:
    one, other = {"question": "Who?", "answer": "Ana"}, {"question": "What?", "answer": "x"}
    assert read(tmp_path, one, other).digest == read(tmp_path, other, "", one).digest
    assert read(tmp_path, one, other).digest != read(tmp_path, one, other | {"answer": "y"}).digest


def test_fifty_thousand_questions_are_read_and_sampled_by_group(tmp_path: Path) -> None:
    rows = ({"question": f"What is {n}?", "answer": str(n), "group": f"g{n % 10 // 9}"} for n in range(50_000))
    file = written(tmp_path, *rows)
    golden = read_golden(file)
    assert len(golden.questions) == 50_000
    shares = Counter(one.group for one in golden.limited(100).questions)
    assert shares == {"g0": 90, "g1": 10}


def test_every_first_part_of_the_order_holds_each_group_with_its_share(tmp_path: Path) -> None:
    rows = [{"question": f"Question {n}?", "answer": "x", "group": "ab"[n % 4 == 0]} for n in range(80)]
    ordered = in_fair_order(read(tmp_path, *rows).questions)
    assert [one.id for one in ordered] == [one.id for one in in_fair_order(ordered[::-1])]
    for size in (8, 20, 40):
        assert abs(sum(one.group == "b" for one in ordered[:size]) - size / 4) <= 1
