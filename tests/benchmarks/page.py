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
    selector = _selector(folder) if page == "README" else ()
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


def _selector(folder: Path) -> Iterator[str]:
    file = folder / "selector.json"
    if not file.exists():
        return
    found: JSON = json.loads(file.read_text(encoding="utf-8"))
    yield "## The choice of a strategy"
    yield (
        f"{found['questions']:,} questions, each made for one strategy. What counts are the rows of stores that the "
        "weights have never seen: fitted on half of the stores' topics and intents, tried on the other half."
    )
    rows = {"always the commonest": found["always_the_commonest"], "nearest store": found["nearest_store"]}
    rows |= {f"shipped, {name}": row for name, row in found["shipped"].items()}
    other = "fitted_on_the_other_half_of_the_stores"
    rows |= {f"other half, {name.replace('_', ' ')}": row for name, row in found.get(other, {}).items()}
    names = {
        "accuracy": "accuracy",
        "macro_f1": "macro F1",
        "missing_document_to_rag": "missing document sent to RAG",
        "hit_recall": "hit recall",
        "missing_at_hit_recall_85": "missing at hit recall .85",
        "calibration_error": "calibration error",
        "gap_closed": "gap to the oracle closed",
    }
    head = f"| | {' | '.join(names.values())} |\n|{'---|' * (len(names) + 1)}"
    yield "\n".join(
        [head, *(f"| {who} | {' | '.join(_share(row.get(n)) for n in names)} |" for who, row in rows.items())]
    )
    flips = ", ".join(f"{name} {share:.1%}" for name, share in found["flips"].items())
    decision = found["decision_ms"]
    yield (
        f"Questions that another strategy answers when they are asked otherwise: {flips}. A decision takes "
        f"{decision['p50']:.2g} ms (p95 {decision['p95']:.2g}) once the evidence is there."
    )
    yield from _outcomes(folder / "outcomes.json")


def _outcomes(file: Path) -> Iterator[str]:
    if not file.exists():
        return
    found: JSON = json.loads(file.read_text(encoding="utf-8"))
    yield "### How often to retrieve, by the question alone"
    always = ", ".join(f"{step} {row['accuracy']:.3f} at {row['cost']:g}" for step, row in found["always"].items())
    yield f"{found['questions']:,} questions with what came of no, one and several retrieval steps. Always {always}."
    names = ("folds", "accuracy", "cost", "gain over the best fixed (95%)", "cost at accuracy of always multi")
    head = f"| {' | '.join(names)} |\n|{'---|' * len(names)}"
    rows = [
        f"| {name} | {row['accuracy']:.3f} | {row['cost']:.2f} | {low:+.3f} to {high:+.3f} | "
        f"{row['cost_at_accuracy_of_always_multi']} |"
        for key, name in (("folds_stratified_by_dataset", "by dataset"), ("datasets_never_seen", "datasets never seen"))
        if (row := found.get(key))
        for low, high in [row["gain_over_the_best_fixed"]]
    ]
    yield "\n".join([head, *rows])


def _cells(who: str, cells: Sequence[str]) -> str:
    return f"| {who} | {' | '.join(cells)} |"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


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
