"""Collections in their published forms, and the scores of a ranking, against figures worked out by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from collection import read_collection
from ranking_scores import by_score, halves, ndcg, recall, reciprocal
from usual import usual_search

from knowledge.embedding.minilm import MiniLM

SQUAD = {
    "data": [
        {"paragraphs": [{"context": "Iron rusts.", "qas": [{"id": "a", "question": "What rusts?", "answers": []}]}]},
        {"paragraphs": [{"context": "Gold does not.", "qas": []}]},
    ]
}


def _lines(file: Path, *rows: object) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _judged(folder: Path, judgements: str) -> Path:
    folder.mkdir()
    _lines(
        folder / "corpus.jsonl",
        {"_id": "x", "title": "Iron", "text": "It rusts."},
        {"_id": "y", "title": "", "text": "Gold."},
        {"_id": "z", "title": "Tin", "text": "It melts."},
    )
    _lines(folder / "queries.jsonl", {"_id": "q1", "text": "rust"}, {"_id": "q2", "text": "nobody judged this"})
    (folder / "qrels.tsv").write_text(judgements, encoding="utf-8")
    return folder


def test_judged_collections_are_read_with_and_without_a_head(tmp_path: Path) -> None:
    found = read_collection(_judged(tmp_path / "metals", "query-id\tcorpus-id\tscore\nq1\tx\t2\nq1\ty\t0\n"))
    assert found.pages == {
        "0000000.md": "# Iron\n\nIt rusts.\n",
        "0000001.md": "Gold.\n",
        "0000002.md": "# Tin\n\nIt melts.\n",
    }
    assert found.asked == {"q1": "rust"}
    assert found.gains["q1"] == {"0000000.md": 2.0}


def test_cranfields_grades_are_turned_round_and_the_papers_own_question_does_not_count(tmp_path: Path) -> None:
    found = read_collection(_judged(tmp_path / "cranfield", "q1\tx\t1\nq1\ty\t4\nq1\tz\t-1\n"))
    assert found.gains["q1"] == {"0000000.md": 4.0, "0000001.md": 1.0}
    assert found.left_out == {"q1": frozenset({"0000002.md"})}


def test_every_paragraph_of_a_squad_file_is_a_document(tmp_path: Path) -> None:
    (tmp_path / "metals.json").write_text(json.dumps(SQUAD), encoding="utf-8")
    found = read_collection(tmp_path / "metals.json")
    assert list(found.pages.values()) == ["Iron rusts.\n", "Gold does not.\n"]
    assert found.gains == {"a": {"0000.md": 1.0}}


def test_another_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither a folder"):
        read_collection(tmp_path)


def test_the_scores_of_a_ranking_are_those_worked_out_by_hand() -> None:
    gains = {"a": 3.0, "b": 1.0}
    assert ndcg(["a", "b"], gains) == 1.0
    assert ndcg(["x", "b", "a"], gains) == pytest.approx((1 / math.log2(3) + 3 / 2) / (3 + 1 / math.log2(3)))
    assert recall(["a", "x", "x", "x", "x", "b"], gains) == 0.5


def test_fusions_are_those_worked_out_by_hand() -> None:
    assert reciprocal([[1, 2], [2]]) == {1: 1 / 61, 2: 1 / 62 + 1 / 61}
    assert halves({1: 0.2, 2: 0.6, 3: 0.4}, {1: 8.0, 2: 0.0, 3: 0.0}) == pytest.approx({1: 0.5, 2: 0.5, 3: 0.25})
    assert by_score({1: 0.1, 2: 0.9, 3: 0.9}) == [2, 3, 1]


async def test_the_usual_search_finds_a_window_by_its_words_and_by_its_meaning(models_dir: Path) -> None:
    embedder = MiniLM(models_dir)
    long = " ".join(["Iron rusts."] * 200)
    usual = await usual_search({"iron.md": long, "gold.md": "Gold shines.", "tin.md": ""}, embedder)
    ranked = usual.ranked("rusting iron?", await embedder.embed_query("rusting iron?"))
    assert usual.paths.count("iron.md") == 3
    assert ranked["FTS5"] == ["iron.md"]
    assert all(order[0] == "iron.md" for order in ranked.values())
    await embedder.close()
