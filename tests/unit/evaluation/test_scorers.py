"""Scorers: what each says of an answer, and which one is the quality."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from words_embedder import WordsEmbedder

from bot.evaluation.golden import Golden
from bot.evaluation.scorers import (
    SCORERS,
    Given,
    Scorers,
    bare,
    citation_recall,
    contains,
    exact,
    normalized,
    quality,
    token_f1,
)
from knowledge.documents import Also, Passage


def passage(text: str = "Text.", **fields: object) -> Passage:
    values = {
        "chunk_id": "1",
        "document_id": "1",
        "source": "docs",
        "title": "Deploying",
        "heading": ("Deploying", "Rollback"),
        "url": "https://docs.example/deploying#rollback",
        "updated": datetime(2026, 1, 1, tzinfo=UTC),
        "score": 1.0,
        "similarity": 0.8,
        "lexical": 0.5,
        "path": "guides/deploying.md",
    }
    return Passage(text=text, **values | fields)  # type: ignore[arg-type]


def test_answers_are_compared_as_squad_compares_them() -> None:
    assert normalized("The  Quick, brown “Fox”!") == "quick brown fox"
    assert exact("The answer: 42.", "answer 42") == 1.0
    assert exact("forty-two", "42") == 0.0


def test_contains_wants_the_words_in_a_row_and_whole() -> None:
    assert contains("It takes two minutes in all.", "Two minutes") == 1.0
    assert contains("It takes twenty-two minutes.", "two minutes") == 0.0
    assert contains("It takes minutes, two of them.", "two minutes") == 0.0
    assert contains("Anything", "…") == 0.0


def test_token_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    # One of two words is common: precision 1/3, recall 1/2.
    assert token_f1("two long hours", "two minutes") == pytest.approx(2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2))
    assert token_f1("nothing of it", "two minutes") == 0.0
    assert token_f1("two two minutes", "two minutes minutes") == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "source", ["deploying", "guides/deploying.md", "https://docs.example/deploying", "https://docs.example/deploying/"]
)
def test_a_source_is_known_by_its_title_path_or_link(source: str) -> None:
    assert citation_recall([passage()], [source]) == 1.0


def test_citation_recall_is_the_share_of_the_expected_sources() -> None:
    twin = passage(title="Copy", also=(Also("Runbook", None, "docs", "runbook.md"),))
    assert citation_recall([twin], ["runbook.md", "Holidays"]) == 0.5
    assert citation_recall([], ["Holidays"]) == 0.0


def test_what_surrounds_the_answer_is_not_scored() -> None:
    said = "I am not sure that this answers it. The nearest that I found:\n\n**Two** minutes. [1]\n\n"
    assert bare(said + "_Quoted word for word by the offline model._") == "Two minutes."


async def test_each_scorer_scores_what_the_question_expects() -> None:
    scorers = Scorers(WordsEmbedder())
    given = Given(text="A rollback takes two minutes. [1]", cited=(passage(),), passages=(passage(),))
    golden = Golden(id="1", question="How long?", answers=("an hour", "two minutes"))
    scores = await scorers.scores(golden, given)
    assert scores.keys() == {"exact", "contains", "f1", "similarity", "supported"}
    assert (scores["exact"], scores["contains"]) == (0.0, 1.0)
    sourced = await scorers.scores(Golden(id="1", question="How long?", sources=("Deploying",)), given)
    assert sourced.keys() == {"citation_recall", "supported"}
    assert await Scorers(WordsEmbedder(), ["exact"]).scores(golden, given) == {"exact": 0.0}


async def test_similarity_is_greatest_for_the_nearest_expected_answer() -> None:
    scorers = Scorers(WordsEmbedder(), ["similarity"])
    golden = Golden(id="1", question="How long?", answers=("bananas grow", "two minutes"))
    same = await scorers.scores(golden, Given(text="two minutes"))
    other = await scorers.scores(golden, Given(text="purple elephants"))
    assert same["similarity"] == pytest.approx(1.0)
    assert other["similarity"] < 0.6  # the hashed words of any two texts have something in common


@pytest.mark.parametrize(
    ("said", "share"),
    [
        ("To roll back a release, run the undo command. [1]", 1.0),
        ("To roll back a release, run the undo command. It takes 4 minutes. [1]", 1.0),
        ("To roll back a release, run the undo command. It takes 9 minutes. [1]", 0.5),
        ("Penguins live in Antarctica and eat krill. [1]", 0.0),
        ("- Roll back a release with the undo command.\n- Penguins live in Antarctica.", 0.5),
    ],
)
async def test_support_is_the_share_of_sentences_that_stand_in_a_passage(said: str, share: float) -> None:
    known = passage("To roll back a release, run the undo command. This takes 4 minutes and never longer.")
    scores = await Scorers(WordsEmbedder(), ["supported"]).scores(
        Golden(id="1", question="How?", rubric="x"), Given(text=said, passages=(known,))
    )
    assert scores["supported"] == pytest.approx(share)


async def test_without_passages_there_is_no_support_to_speak_of() -> None:
    golden = Golden(id="1", question="How?", rubric="x")
    assert await Scorers(WordsEmbedder()).scores(golden, Given(text="Penguins live in Antarctica.")) == {}


def test_the_quality_is_the_best_of_the_strongest_scorers_that_apply() -> None:
    every = dict.fromkeys(SCORERS, 0.1)
    assert quality(every | {"contains": 1.0}, judged=False) == 1.0
    assert quality(every | {"similarity": 0.9, "supported": 0.9}, judged=False) == 0.1
    assert quality({"citation_recall": 0.5, "supported": 1.0}, judged=False) == 0.5
    assert quality({"supported": 1.0}, judged=False) is None


def test_where_a_judge_was_asked_nothing_else_is_the_quality() -> None:
    assert quality({"exact": 1.0, "judge": 0.3}, judged=True) == 0.3
    assert quality({"exact": 1.0}, judged=True) is None
