"""The selector's benchmark on the files of a made-up team: whoever has files of this form can measure it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import warm
from warm import Ended

ROOT = Path(__file__).resolve().parents[2]
STORES = {
    "knowledge": [
        {"id": "keys", "text": "Signing keys are rotated every ninety days by the platform team with the vault tool."},
        {"id": "lunch", "text": "The canteen serves lunch from half past eleven until two, with soup on Fridays."},
    ],
    "examples": [
        {"text": "My badge does not open the door", "answer": "badge"},
        {"text": "The door does not open with my card", "answer": "badge"},
        {"text": "I forgot my laptop password", "answer": "password"},
    ],
    "fine_tuned_prompts": ["Write release notes from these commits", "Turn these commits into release notes"],
}
QUESTIONS = [
    ("rag", "knowledge_hit", "How often are signing keys rotated by the platform team?"),
    ("rag", "knowledge_hit", "When does the canteen serve lunch with soup?"),
    ("few_shot", "example_hit", "The door does not open with my badge"),
    ("fine_tuned", "task_hit", "Write the release notes from these three commits"),
    ("zero_shot", "open_question", "Who wrote the Iliad?"),
    ("zero_shot", "knowledge_miss", "Which vault tool was used before the migration?"),
]


def command(*words: str) -> Ended:
    return warm.script(ROOT / "tests" / "benchmarks" / "selector.py", *words, cwd=ROOT)


@pytest.fixture
def team(tmp_path: Path) -> list[str]:
    (tmp_path / "stores.json").write_text(json.dumps(STORES), encoding="utf-8")
    with (tmp_path / "routes.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("strategy", "kind", "question"), *QUESTIONS])
    return ["--routes", str(tmp_path / "routes.csv"), "--stores", str(tmp_path / "stores.json")]


def test_another_teams_questions_are_scored_each_with_its_prediction(team: list[str], tmp_path: Path) -> None:
    done = command(*team, "--golden", "0", "--json", "--predictions", str(tmp_path / "predictions.csv"))
    assert done.status == 0, done.err
    found = json.loads(done.out)
    assert found["questions"] == len(QUESTIONS)
    assert found["weights_fitted_to_these_questions"] is False
    assert set(found["shipped"]) == {"as asked", "greetings and thanks", "typing errors", "lower case"}
    assert found["shipped"]["as asked"]["accuracy"] > found["always_the_commonest"]["accuracy"]
    with (tmp_path / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["question"] for row in rows] == [question for _, _, question in QUESTIONS]
    right = sum(row["chosen"] == row["strategy"] for row in rows) / len(rows)
    assert right == pytest.approx(found["shipped"]["as asked"]["accuracy"], abs=1e-4)


def test_the_outcomes_of_retrieval_are_never_worse_by_more_than_chance(tmp_path: Path) -> None:
    file = tmp_path / "outcomes.csv"
    with file.open("w", encoding="utf-8", newline="") as lines:
        rows = csv.writer(lines)
        rows.writerow(("dataset", "question", "acc_none", "acc_single", "acc_multi"))
        for number in range(40):
            known = number % 2
            question = (
                f"What is {number} plus {number}?" if known else f"Who directed the film that film {number} copied?"
            )
            rows.writerow((f"set {number % 5}", question, known, known, 1))
    done = command("--outcomes", str(file), "--json", "--predictions", str(tmp_path / "predictions.csv"))
    assert done.status == 0, done.err
    found = json.loads(done.out)["folds_stratified_by_dataset"]
    assert found["best_fixed"] == "multi"
    assert found["accuracy"] >= 0.95
    assert found["cost"] < 13
    assert found["gain_over_the_best_fixed"][1] >= 0


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = command("--routes", str(tmp_path / "none.csv"))
    assert done.status == 1
    assert f"There is no file {tmp_path / 'none.csv'}" in done.err
