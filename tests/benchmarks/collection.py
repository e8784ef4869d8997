"""Collections of documents, questions and judgements, read from the three forms in which they are published."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

OWN_QUESTIONS = Path(__file__).with_name("k8s_questions.jsonl")
_CRANFIELD = "cranfield"


@dataclass(frozen=True, slots=True)
class Collection:
    """`pages`: what stands in the file of each document (path and Markdown). `asked`: id and text of each question.
    `gains`: for each question what each document that answers is worth. `left_out`: documents that do not count for
    a question, as the paper that it was taken from. `kinds`: the kind of a question where there are kinds."""

    name: str
    pages: Mapping[str, str]
    asked: Mapping[str, str]
    gains: Mapping[str, Mapping[str, float]]
    left_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)


def read_collection(path: Path, limit: int | None = None) -> Collection:
    """A folder with corpus.jsonl, queries.jsonl and qrels.tsv, or a SQuAD file; at most `limit` of its questions.

    Raises ValueError where it is neither.
    """
    if (path / "corpus.jsonl").is_file():
        found = _judged(path)
    elif path.suffix == ".json" and path.is_file():
        found = _squad(path)
    else:
        raise ValueError(f"{path} is neither a folder with corpus.jsonl, queries.jsonl and qrels.tsv nor a SQuAD file.")
    return shortened(found, limit)


def own_questions(documents: Path, limit: int | None = None) -> Collection:
    """The project's own questions about the design documents."""
    pages = {str(file.relative_to(documents)): file.read_text("utf-8") for file in sorted(documents.rglob("*.md"))}
    rows = [json.loads(line) for line in OWN_QUESTIONS.read_text("utf-8").splitlines()]
    found = Collection(
        "own questions",
        pages,
        {row["id"]: row["text"] for row in rows},
        {row["id"]: dict.fromkeys(row["answers"], 1.0) for row in rows},
        kinds={row["id"]: row["kind"] for row in rows},
    )
    return shortened(found, limit)


def headings(documents: Path, limit: int) -> Collection:
    """Questions for a smoke test: second headings of pages, each answered by its page."""
    pages = {file.name: file.read_text("utf-8") for file in sorted(documents.glob("*.md"))}
    asked, gains = {}, {}
    for name, text in pages.items():
        for line in text.splitlines():
            if line.startswith("## "):
                asked[f"{name}:{line}"], gains[f"{name}:{line}"] = line[3:], {name: 1.0}
    return shortened(Collection("headings", pages, asked, gains), limit)


def shortened(collection: Collection, limit: int | None) -> Collection:
    """Some of the questions, spread evenly, and none that no document answers; all documents stay."""
    ids = [one for one in collection.asked if collection.gains.get(one)]
    if limit is not None and limit < len(ids):
        ids = [ids[place * len(ids) // limit] for place in range(limit)]
    asked = {one: collection.asked[one] for one in ids}
    return Collection(collection.name, collection.pages, asked, collection.gains, collection.left_out, collection.kinds)


def _judged(folder: Path) -> Collection:
    """BEIR's form, with `id` or `_id`, and judgements with or without a head. Cranfield's grades are turned round."""
    paths: dict[str, str] = {}
    pages: dict[str, str] = {}
    for number, row in enumerate(_rows(folder / "corpus.jsonl")):
        name = f"{number:07}.md"
        paths[_id(row)] = name
        title, text = str(row.get("title") or "").strip(), str(row["text"]).strip()
        pages[name] = f"# {title}\n\n{text}\n" if title else f"{text}\n"
    gains: dict[str, dict[str, float]] = {}
    left_out: dict[str, set[str]] = {}
    for line in (folder / "qrels.tsv").read_text("utf-8").splitlines():
        question, document, grade = line.split("\t")[:3]
        if not grade.strip().lstrip("-").isdigit() or document not in paths:
            continue
        if int(grade) < 0:
            left_out.setdefault(question, set()).add(paths[document])
        elif gain := (5 - int(grade) if folder.name == _CRANFIELD else int(grade)):
            gains.setdefault(question, {})[paths[document]] = float(gain)
    for question, own in left_out.items():
        gains[question] = {path: gain for path, gain in gains.get(question, {}).items() if path not in own}
    asked = {_id(row): str(row["text"]) for row in _rows(folder / "queries.jsonl")}
    return Collection(folder.name, pages, asked, gains, {one: frozenset(own) for one, own in left_out.items()})


def _squad(file: Path) -> Collection:
    """Every paragraph a document of its own; the question's own one answers it."""
    pages: dict[str, str] = {}
    asked: dict[str, str] = {}
    gains: dict[str, dict[str, float]] = {}
    for article in json.loads(file.read_text("utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            name = f"{len(pages):04}.md"
            pages[name] = paragraph["context"] + "\n"
            for question in paragraph["qas"]:
                asked[question["id"]], gains[question["id"]] = question["question"], {name: 1.0}
    return Collection(file.stem, pages, asked, gains)


def _rows(file: Path) -> Iterator[dict[str, object]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _id(row: Mapping[str, object]) -> str:
    return str(row["id"] if "id" in row else row["_id"])
