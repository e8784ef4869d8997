"""The benchmarks run: their short form, whose figures mean nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import warm
from capacity_page import PAGE, write_capacity
from options import OUT
from page import write_page
from run import BENCHES, KNOWLEDGE

pytestmark = pytest.mark.proof

HERE = Path(__file__).resolve().parent


def short_form(names: Sequence[str], folder: Path, page: str) -> tuple[dict[str, Any], str]:
    """The results of benchmarks by their name, and their page. Each runs in a process of its own, as run.py has it."""
    out, store = folder / "out", folder / "store"
    for name in names:
        words = ["--short", "--out", str(out), "--store", str(store)]
        done = warm.script(HERE / f"bench_{name}.py", *words, cwd=folder)
        assert done.status == 0, done.out + done.err
    write_page(out, names, page)
    results = {name: json.loads((out / f"{name}.json").read_text(encoding="utf-8")) for name in names}
    return results, (out / f"{page}.md").read_text(encoding="utf-8")


def test_the_short_form_of_all_benchmarks_writes_results_and_their_page(tmp_path: Path) -> None:
    assert {"questions", "memory", "start", "ingest", "search", "offline", "gate", "report", "capacity"} == {*BENCHES}
    results, page = short_form(BENCHES, tmp_path, "README")
    if results["offline"]["absent"]:  # its questions are not this project's own, as the other short forms' are
        del results["offline"]
    for result in results.values():
        assert result["short"] is True
        assert result["absent"] is None
        assert result["machine"]["cores"] >= 1
        assert result["measures"]
        for measure in result["measures"]:
            assert measure["value"] >= 0, measure["name"]
            assert f"| {measure['name']} | {measure['unit']} |" in page


def test_the_short_form_of_the_knowledge_benchmarks_writes_results_and_their_page(tmp_path: Path) -> None:
    names = [name for name in KNOWLEDGE if name not in BENCHES]
    assert names == ["ranking", "peers", "refresh", "filter", "scale"]
    results, page = short_form(names, tmp_path, "knowledge")
    for result in results.values():
        assert result["absent"] is None
        assert result["measures"]
        for measure in result["measures"]:
            assert f"| {measure['name']} | {measure['unit']} |" in page
    exact = {measure["name"]: measure["value"] for measure in results["filter"]["measures"]}
    assert exact["recall@10 of 20 random reader sets"] == 1.0
    assert exact["chunks found that may not be read"] == 0


def test_a_machine_without_the_trial_data_is_told_so(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = str(HERE / "run.py")
    command = [sys.executable, script, "--data", str(tmp_path / "nowhere"), "--out", str(out), "--only", "search"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((out / "search.json").read_text(encoding="utf-8"))
    assert result["measures"] == []
    assert f"Not measured: {result['absent']}" in (out / "README.md").read_text(encoding="utf-8")


def test_the_page_on_capacity_says_what_was_measured(tmp_path: Path) -> None:
    write_capacity(OUT, tmp_path / "capacity.md")
    assert (tmp_path / "capacity.md").read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")
