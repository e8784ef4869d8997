"""The commands, over real stores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import warm
from typer.testing import CliRunner, Result

from bot.cli import app

DOCUMENT = "# Rolling back a release\nTo roll back a release, run `undo` and name the release that worked.\n"


@pytest.fixture
def folder(tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deploying.md").write_text(DOCUMENT)
    (tmp_path / "switchboard.toml").write_text(f'models_dir = "{models_dir}"\n[[knowledge.folders]]\npath = "docs"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def switchboard(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def refused(folder: Path, *arguments: str) -> str:
    """What a person reads on the error channel when a command ends with status 1."""
    done = warm.switchboard(*arguments, cwd=folder)
    assert done.status == 1
    assert "Traceback" not in done.err
    return done.err


def test_ask_answers_with_the_source_and_the_receipt(folder: Path) -> None:
    told = switchboard("ask", "How do I roll back a release?").stdout
    assert "undo" in told
    assert "[1] " in told
    assert "offline · rag · $0 · " in told


def test_ask_says_what_was_searched_where_nothing_answers(folder: Path) -> None:
    told = switchboard("ask", "Which auditors look at our encryption keys in Lisbon?").stdout
    assert "I searched 1 source (docs) for “Which auditors look at our encryption keys in Lisbon?”" in told
    assert "`switchboard knowledge import` adds a file." in told


def test_ask_gives_the_whole_answer_as_json(folder: Path) -> None:
    answer = json.loads(switchboard("ask", "How do I roll back a release?", "--json").stdout)
    assert "undo" in answer["text"]
    assert answer["citations"][0]["number"] == 1
    assert answer["receipt"]["choice"]["option"]["model"] == "offline"
    assert answer["receipt"]["outcome"] == "answered"


def test_ask_with_the_channel_reads_what_its_members_may_read(folder: Path) -> None:
    (folder / "pay").mkdir()
    (folder / "pay" / "bands.md").write_text("# Salary band\nThe salary band of robot smiths is 61,000 euros.\n")
    with (folder / "switchboard.toml").open("a") as config:
        config.write('[[knowledge.folders]]\npath = "pay"\nreaders = ["channel:C0PAY"]\n')
    question = "What is the salary band of robot smiths?"
    assert "61,000" not in switchboard("ask", question).stdout
    assert "61,000" in switchboard("ask", question, "--channel", "C0PAY").stdout


def test_refresh_says_what_changed_and_names_what_it_could_not_read(folder: Path) -> None:
    (folder / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    told = switchboard("refresh").stdout
    assert "1 new" in told
    assert "broken.pdf" in told
    (folder / "docs" / "deploying.md").unlink()
    assert "1 removed" in switchboard("refresh").stdout


def test_report_says_in_one_line_that_the_week_was_empty_and_in_another_who_chooses(folder: Path) -> None:
    empty, who = switchboard("report").stdout.splitlines()
    assert empty.startswith("No model was called last week")
    assert who.startswith("Not yet measured on your questions: the shipped estimates choose.")


def test_report_counts_this_weeks_answers_and_exports_them(folder: Path) -> None:
    switchboard("ask", "How do I roll back a release?")
    assert switchboard("report", "--weeks-ago", "0").stdout.startswith("This week's 1 answer cost nothing")
    rows = switchboard("report", "--weeks-ago", "0", "--csv").stdout.splitlines()
    assert len(rows) == 2
    assert "offline" in rows[1]


def test_models_lists_which_can_be_used_and_shows_what_one_needs(folder: Path) -> None:
    assert "offline" in switchboard("models").stdout
    hosted = next(
        line.split()[0] for line in switchboard("models").stdout.splitlines() if " openai " in line and line[0] != " "
    )
    assert "OPENAI_API_KEY" in switchboard("models", hosted).stdout


def test_knowledge_shows_the_sources_and_search_finds_in_them(folder: Path) -> None:
    assert "never" in switchboard("knowledge").stdout
    switchboard("refresh")
    assert "1 documents" in switchboard("knowledge").stdout
    assert "undo" in switchboard("search", "roll back").stdout
    (passage,) = json.loads(switchboard("search", "roll back", "--json").stdout)
    assert passage["path"] == "deploying.md"


def test_search_finds_what_the_named_readers_may_read(folder: Path) -> None:
    (folder / "pay.jsonl").write_text('{"id": "band", "text": "The salary band of robot smiths is 61,000 euros."}\n')
    switchboard("knowledge", "import", "pay.jsonl", "--readers", "channel:C0PAY")
    assert "61,000" not in switchboard("search", "salary of robot smiths").stdout
    assert "61,000" in switchboard("search", "salary of robot smiths", "--as", "channel:C0PAY").stdout
    assert "does not say who may read" in refused(folder, "search", "salary", "--as", "maya")


def test_an_imported_file_stays_known_when_it_is_deleted_and_again_imports_what_changed(folder: Path) -> None:
    file = folder / "faq.jsonl"
    file.write_text(
        '{"id": "vpn", "text": "The VPN is reached at port 4711."}\n'
        '{"id": "mug", "text": "Mugs are in the second cupboard."}\n{"id": 3}\n'
    )
    told = switchboard("knowledge", "import", "faq.jsonl").stdout
    assert "faq: 2 documents (2 new" in told
    assert "line 3" in told.lower()
    file.unlink()
    assert "0 new, 0 changed, 0 removed" in switchboard("refresh").stdout.split("faq:")[1]
    file.write_text('{"id": "vpn", "text": "The VPN is reached at port 4712."}\n')
    assert "0 new, 1 changed, 1 removed" in switchboard("knowledge", "import", "faq.jsonl").stdout
    assert "4712" in switchboard("search", "VPN port").stdout


def test_a_source_that_was_imported_can_be_forgotten_and_a_configured_one_says_where_it_stands(folder: Path) -> None:
    (folder / "faq.jsonl").write_text('{"id": "vpn", "text": "The VPN is reached at port 4711."}\n')
    switchboard("knowledge", "import", "faq.jsonl")
    switchboard("knowledge", "forget", "faq")
    assert "4711" not in switchboard("search", "VPN port").stdout
    assert "faq" not in switchboard("knowledge").stdout
    assert "“docs” stands in the configuration" in refused(folder, "knowledge", "forget", "docs")
    assert "The sources are: “docs”" in refused(folder, "knowledge", "forget", "faq")


def test_an_import_does_not_take_the_name_of_another_source(folder: Path) -> None:
    (folder / "docs.jsonl").write_text('{"id": "vpn", "text": "The VPN is reached at port 4711."}\n')
    assert "--name" in refused(folder, "knowledge", "import", "docs.jsonl")


def test_a_batch_of_questions_becomes_a_run_in_which_each_document_stands_once(folder: Path) -> None:
    sections = "".join(f"## Part {n}\n\n{'The undo command is told again here. ' * 40}\n\n" for n in range(4))
    (folder / "docs" / "long.md").write_text(f"# Undo\n\n{sections}")
    (folder / "faq.jsonl").write_text('{"_id": "vpn", "text": "The VPN is reached at port 4711."}\n')
    switchboard("knowledge", "import", "faq.jsonl")
    switchboard("refresh")
    (folder / "queries.jsonl").write_text(
        '{"_id": "q 1", "text": "How do I undo a release?"}\n\n{"id": 2, "text": "VPN port"}\n'
    )
    switchboard("search", "--batch", "queries.jsonl", "--k", "3", "--trec", "run.txt")
    rows = [line.split() for line in (folder / "run.txt").read_text().splitlines()]
    assert {row[0] for row in rows} == {"q-1", "2"}
    assert next(row[2] for row in rows if row[0] == "2") == "vpn"
    first = [row for row in rows if row[0] == "q-1"]
    assert {row[2] for row in first} >= {"deploying.md", "long.md"}
    assert len({row[2] for row in first}) == len(first)
    assert [row[3] for row in first] == [str(rank) for rank in range(1, len(first) + 1)]
    scores = [float(row[4]) for row in first]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)


def test_a_line_that_is_no_question_is_named_and_no_run_is_written(folder: Path) -> None:
    (folder / "queries.jsonl").write_text('{"id": 1, "text": "VPN"}\n{"id": 2}\n')
    assert "Line 2 of queries.jsonl" in refused(folder, "search", "--batch", "queries.jsonl", "--trec", "run.txt")
    assert not (folder / "run.txt").exists()


def test_config_check_shows_where_each_value_comes_from(folder: Path) -> None:
    told = switchboard("config", "check").stdout
    assert "switchboard.toml" in told
    assert "The configuration is sound." in told


def test_doctor_looks_at_everything_without_a_network(folder: Path) -> None:
    findings = {each["name"]: each for each in json.loads(switchboard("doctor", "--json").stdout)}
    assert {findings[name]["state"] for name in ("configuration", "disk", "database", "models: offline")} == {"ok"}
    assert findings["slack"]["state"] == "note"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('[report]\nschedule = "0 9 * * 1"\n', "report.schedule: “0 9 * * 1” is no schedule"),
        ('[models]\ndefault = "offlien"\n', "Did you mean offline"),
        ('[[knowledge.folders]]\npath = "docs"\nreaders = ["all"]\n', "knowledge.folders, docs"),
    ],
)
def test_config_check_refuses_what_only_other_rooms_know(folder: Path, lines: str, told: str) -> None:
    (folder / "switchboard.toml").write_text(lines)
    assert told in refused(folder, "config", "check")


def test_doctor_says_what_to_do_about_a_refused_token(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret-token")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "shh")
    monkeypatch.setenv("SWITCHBOARD_SLACK__BASE_URL", "http://127.0.0.1:9/api/")
    done = switchboard("doctor", "--json")
    findings = {each["name"]: each for each in json.loads(done.stdout)}
    assert done.exit_code == 1
    assert findings["slack token"]["state"] == "failed"
    assert "cannot be reached" in findings["slack token"]["sentence"]
    assert "secret-token" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ask", "What?", "--strategy", "guess"), "There is no strategy “guess”"),
        (("ask", "What?", "--model", "offlien"), "Did you mean offline"),
        (("ask", "   "), ""),
        (("run", "--config", "missing.toml"), "There is no configuration file missing.toml"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_1(folder: Path, arguments: tuple[str, ...], told: str) -> None:
    sentence = refused(folder, *arguments)
    assert told in sentence
    assert sentence.strip()
