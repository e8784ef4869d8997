"""Makes the page of the results (README.md) from the JSON beside it and the remarks that people wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
JSON = dict[str, Any]

_MAIN = """# Benchmarks

`make bench` measures and writes this page from the JSON beside it. Times are the bot's own: the model answers without
delay, and Slack is the local workspace in another process of the same machine, so what the workspace takes is in them
too. The echo app is the least that a Bolt app can do: it streams one text back; it is measured in the same run.

Ranking, refreshing and searching the knowledge beside other libraries have [a page of their own](knowledge.md).
"""
_KNOWLEDGE = """# Benchmarks of the knowledge

`make bench-knowledge` measures and writes this page from the JSON beside it. Every benchmark takes the path of its
data; those of the ranking also take other collections of the same form (`--collections`).
"""
_PAGES = {"README": (_MAIN, "remarks.md"), "knowledge": (_KNOWLEDGE, "knowledge_remarks.md")}


def write_page(folder: Path, names: Sequence[str], page: str = "README") -> None:
    """Writes a page for those of the named results that are there: `README` or `knowledge`."""
    files = [folder / f"{name}.json" for name in names]
    results = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]
    head, remarks_file = _PAGES[page]
    remarks = (HERE / remarks_file).read_text(encoding="utf-8").strip()
    sections = [part for result in results for part in _section(result)]
    selector = _selector(folder / "selector.json") if page == "README" else ()
    parts = [head.strip(), *_marks(results), *sections, *selector, remarks]
    (folder / f"{page}.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _marks(results: list[JSON]) -> Iterator[str]:
    rows = [
        f"| {result['title'].partition(':')[0]}: {measure['name']} | {measure['wanted']} {measure['unit']} "
        f"| {_number(measure['value'])} {measure['unit']} | {'yes' if measure['met'] else '**no**'} |"
        for result in results
        for measure in result["measures"]
        if measure["met"] is not None
    ]
    yield "## Which marks are reached?"
    if rows:
        yield "\n".join(["| measure | mark | reached | met |", "|---|---|---|---|", *rows])
    else:
        yield "None was measured."


def _section(result: JSON) -> Iterator[str]:
    machine = result["machine"]
    yield f"## {result['title']}"
    if result["absent"]:
        yield f"Not measured: {result['absent']}"
        return
    if result["short"]:
        yield "This was the short form, a smoke test: the figures mean nothing."
    yield " ".join(result["notes"])
    head = ["| measure | unit | median | p95 | p99 | samples | ratio |", "|---|---|---|---|---|---|---|"]
    yield "\n".join([*head, *(_row(measure) for measure in result["measures"])])
    yield (
        f"Measured {result['at'][:16].replace('T', ' ')} UTC on {machine['cores']} cores ({machine['cpu']}), "
        f"{machine['memory_gb']:g} GB memory, {machine['system']}, Python {machine['python']}; load before: "
        f"{machine['load_before']:g}."
    )


def _selector(file: Path) -> Iterator[str]:
    if not file.exists():
        return
    found: JSON = json.loads(file.read_text(encoding="utf-8"))
    yield "## The choice of a strategy"
    fitted = found["weights_fitted_to_these_questions"]
    same = "these very questions, so that the held-out scores count" if fitted else "other questions"
    yield f"{found['questions']:,} questions, each made for one strategy. The weights come from {same}."
    rows = {
        "the selector": found,
        "held out: other questions": found["held_out"]["held_out_questions"],
        "held out: other stores": found["held_out"]["other_half_of_the_stores"],
        "always the commonest": found["always_the_commonest"],
    }
    head = ["| | accuracy | macro F1 | sent to documents that are not there |", "|---|---|---|---|"]
    names = ("accuracy", "macro_f1", "missing_document_to_rag")
    yield "\n".join(
        [*head, *(f"| {who} | {' | '.join(f'{row[n]:.3f}' for n in names)} |" for who, row in rows.items())]
    )
    choice, whole = found["choice_ms"], found["search_and_choice_ms"]
    yield (
        f"The choice takes {choice['p50']:.2g} ms (p95 {choice['p95']:.2g}), with the search for evidence "
        f"{whole['p50']:.2g} ms (p95 {whole['p95']:.2g})."
    )


def _row(measure: JSON) -> str:
    middle = measure["value"] if measure["p50"] is None else measure["p50"]
    ratio = "" if measure["ratio"] is None else f"{measure['ratio']:.2f} × {measure['to']}"
    tails = [_number(measure[name]) for name in ("p95", "p99")]
    cells = [measure["name"], measure["unit"], _number(middle), *tails, str(measure["samples"]), ratio]
    return f"| {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
