"""How well and how fast the selector chooses, on any team's questions.

    python -m tests.benchmarks.selector --routes F.csv --stores F.json [--golden N] [--json] [--predictions F.csv]
    python -m tests.benchmarks.selector --outcomes F.csv [--json] [--predictions F.csv]

F.csv has `question`, `strategy` (what it was made for) and, where it is known, `kind`; F.json has `knowledge` (id,
text), `examples` (text, answer) and `fine_tuned_prompts`. The second form takes questions with what came of no, one and
several retrieval steps. Where the shipped weights were fitted to the very same questions, the output says so, and what
counts are the scores on halves of the stores.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from options import ROOT
from selector_data import ROUTES, STORES
from selector_outcomes import measure_outcomes
from selector_routes import measure_routes


def main() -> int:
    """The command."""
    options = _arguments()
    for file in (options.outcomes,) if options.outcomes else (options.routes, options.stores):
        if not file.is_file():
            print(f"There is no file {file}: name it with --routes and --stores, or --outcomes.", file=sys.stderr)
            return 1
    if options.outcomes:
        found, predictions = asyncio.run(measure_outcomes(options.outcomes, options.models_dir))
    else:
        found, predictions = asyncio.run(
            measure_routes(options.routes, options.stores, options.models_dir, options.golden)
        )
    text = json.dumps(found, indent=2, ensure_ascii=False)
    print(text if options.json else _plain(found))
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    if options.predictions:
        with options.predictions.open("w", encoding="utf-8", newline="") as file:
            rows = csv.DictWriter(file, list(predictions[0]))
            rows.writeheader()
            rows.writerows(predictions)
    return 0


def _plain(found: dict[str, object], indent: str = "") -> str:
    """The figures as lines, a table's below its name."""
    lines = []
    for name, value in found.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", _plain(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {value}")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--routes", type=Path, default=ROUTES, help="questions with the strategy they were made for")
    parser.add_argument("--stores", type=Path, default=STORES, help="what the team has in store")
    parser.add_argument("--outcomes", type=Path, help="questions with what came of each number of retrieval steps")
    parser.add_argument("--golden", type=int, default=50, help="so many questions refit the estimates (0: none)")
    parser.add_argument("--models-dir", type=Path, default=ROOT / ".models", help="where the embedding model is")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--out", type=Path, help="a JSON file that is written besides")
    parser.add_argument("--predictions", type=Path, help="a CSV file with a line for each question")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
