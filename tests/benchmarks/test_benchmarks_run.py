"""The benchmarks run: their short form, whose figures mean nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_short_form_of_all_benchmarks_writes_results_and_their_page(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tests" / "benchmarks" / "run.py"), "--short", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    results = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in tmp_path.glob("*.json")}
    assert results.keys() == {"questions", "memory", "start", "ingest", "search", "offline", "report"}
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
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
    command = [sys.executable, str(ROOT / "tests" / "benchmarks" / "run.py"), "--knowledge", "--short"]
    command += ["--out", str(tmp_path), "--only", "ranking", "peers", "refresh", "filter", "scale"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    results = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in tmp_path.glob("*.json")}
    assert results.keys() == {"ranking", "peers", "refresh", "filter", "scale"}
    page = (tmp_path / "knowledge.md").read_text(encoding="utf-8")
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
    script = str(ROOT / "tests" / "benchmarks" / "run.py")
    command = [sys.executable, script, "--data", str(tmp_path / "nowhere"), "--out", str(out), "--only", "search"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((out / "search.json").read_text(encoding="utf-8"))
    assert result["measures"] == []
    assert f"Not measured: {result['absent']}" in (out / "README.md").read_text(encoding="utf-8")
