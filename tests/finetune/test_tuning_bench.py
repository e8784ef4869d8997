"""The short form of the benchmark of training: a run here loses nothing beside a bare TRL script."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_run_here_has_the_losses_of_a_bare_script_step_by_step(python: str, tmp_path: Path) -> None:
    script = ROOT / "tests" / "benchmarks" / "bench_tuning.py"
    subprocess.run([sys.executable, str(script), "--short", "--out", str(tmp_path)], check=True, cwd=ROOT)
    result = json.loads((tmp_path / "tuning.json").read_text(encoding="utf-8"))
    assert result["absent"] is None
    apart = next(measure for measure in result["measures"] if measure["name"].startswith("loss"))
    assert apart["samples"] == 9
    assert apart["value"] == 0
