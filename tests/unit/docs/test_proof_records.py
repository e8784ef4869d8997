"""What proofs kept with `--record`, and the pages that tell of it."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_every_record_of_a_proof_says_how_large_it_was_and_where_it_ran() -> None:
    records = sorted((ROOT / "docs" / "proofs").glob("*.json"))
    assert records
    for record in records:
        kept = json.loads(record.read_text(encoding="utf-8"))
        assert {"kept", "sizes", "seconds", "date", "machine", "figures"} <= kept.keys(), record.name
        assert {"processor", "cores", "python"} <= kept["machine"].keys(), record.name


def test_the_page_on_the_soak_has_the_figures_of_its_record() -> None:
    figures = json.loads((ROOT / "docs" / "proofs" / "soak.json").read_text(encoding="utf-8"))["figures"]
    page = (ROOT / "docs" / "soak.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if "(proofs/soak.json)" in line]
    told = [cell.strip() for cell in row.split("|")[2:-1]]
    assert told == [
        f"{figures['questions']:,}",
        f"{figures['answered']}, {figures['reasons']}",
        f"{len(figures['silent'])}, 0, {len(figures['stuck'])}",
        f"{figures['requests']:,}",
        f"{figures['memory']:.0f} MB; {figures['memory_grew']:+.1%}; {figures['memory_slope']:+.1%}",
    ]
    assert figures["requests"] == figures["rows"]
