"""A LoRA run here beside a bare TRL script with the same settings: `python tests/benchmarks/bench_tuning.py`.

Both train the same small Llama with random weights on the same rows, each in a process of its own, by turns. It takes
the environment that `make test-finetune` makes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from options import ROOT, NotHereError, Options, run_alone
from results import Measure, Result, percentile

from bot.tuning.local import TRAINER

PYTHON = ROOT / "build" / "finetune" / "bin" / "python"
BARE = Path(__file__).with_name("bare_trl.py")
TINY = ROOT / "tests" / "support" / "tiny_llama.py"
TURNS = 10
"""An even number: each is the first of its turn as often as the other."""
SLOWER = 1.05
"""So many times as long and as much memory as the bare script: the mark."""
ORDER = {
    "method": "lora",
    "objective": "sft",
    "epochs": 3,
    "batch": 8,
    "accumulate": 1,
    "learning_rate": 2e-4,
    "rank": 8,
    "alpha": 16,
    "dropout": 0.0,
    "max_tokens": 256,
    "seed": 1,
    "save_steps": 20,
    "patience": 0,
}


@dataclass(frozen=True, slots=True)
class Trained:
    """One run: the loss of each step; seconds of training alone, of the whole process, and of processor time in it; MiB
    at most."""

    losses: tuple[float, ...]
    training: float
    whole: float
    processor: float
    memory: float


def prepared(folder: Path, rows: int) -> Path:
    """The base model and the data, in a folder of their own."""
    texts = [f"How do I ask desk {number} for tool {number % 37}?" for number in range(rows)]
    base = folder / "base"
    subprocess.run([str(PYTHON), str(TINY), str(base)], input="\n".join(texts), text=True, check=True)
    lines = [
        {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": f"Ask desk {number}."}]}
        for number, text in enumerate(texts)
    ]
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    (folder / "order.json").write_text(json.dumps({**ORDER, "base": str(base)}), encoding="utf-8")
    return folder


def trained(script: Path, data: Path, folder: Path) -> Trained:
    """Runs a script on a copy of the data, and waits for it."""
    folder.mkdir(parents=True)
    for name in ("train.jsonl", "order.json"):
        shutil.copy2(data / name, folder)
    began = time.monotonic()
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen([str(PYTHON), str(script), str(folder)], stdout=log, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{script.name} ended with {status}: {(folder / 'log.txt').read_text()[-2000:]}")
    whole = time.monotonic() - began
    if (folder / "figures.json").is_file():
        history = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    else:
        events = [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]
        history = [event["figures"] for event in events if "figures" in event]
    losses = tuple(float(each["loss"]) for each in history if "loss" in each)
    seconds = next(float(each["train_runtime"]) for each in history if "train_runtime" in each)
    return Trained(losses, seconds, whole, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


async def bench(options: Options, result: Result) -> None:
    """Both by turns, after one turn that counts for nothing."""
    if not PYTHON.is_file():
        raise NotHereError("There is no environment with torch: `make test-finetune` makes it.")
    data = prepared(options.work / "data", 24 if options.short else 320)
    ours: list[Trained] = []
    bare: list[Trained] = []
    for turn in range(1 if options.short else TURNS + 1):
        order = ((TRAINER, ours), (BARE, bare)) if turn % 2 else ((BARE, bare), (TRAINER, ours))
        for script, found in order:
            found.append(trained(script, data, options.work / f"{script.stem}-{turn}"))
    if not options.short:
        ours, bare = ours[1:], bare[1:]
    pairs = (zip(one.losses, other.losses, strict=True) for one, other in zip(ours, bare, strict=True))
    apart = max(abs(mine - theirs) for pair in pairs for mine, theirs in pair)
    result.note(
        f"A Llama of 2 layers with random weights, {len(ours[0].losses)} steps of 8 rows, LoRA of rank 8 on the CPU; "
        f"{len(ours)} run{'s' * (len(ours) > 1)} each, by turns. "
        "The bot's own run tells each step and looks for a wish to cancel."
    )
    result.add(
        Measure(name="loss, at most apart at any step", unit="", value=apart, samples=len(ours[0].losses), mark=1e-6)
    )
    _beside(result, "training", "s", [one.training for one in ours], [one.training for one in bare])
    _beside(result, "the whole process", "s", [one.whole for one in ours], [one.whole for one in bare])
    _beside(result, "its processor time", "s", [one.processor for one in ours], [one.processor for one in bare])
    _beside(result, "memory at most", "MiB", [one.memory for one in ours], [one.memory for one in bare])


def _beside(result: Result, name: str, unit: str, ours: Sequence[float], bare: Sequence[float]) -> None:
    mine, theirs = percentile(ours, 50), percentile(bare, 50)
    result.add(Measure(name=f"{name}: bare TRL", unit=unit, value=theirs, samples=len(bare)))
    spread = {"p50": mine, "p95": percentile(ours, 95), "p99": max(ours)}
    mark = SLOWER * theirs if not result.short else None
    to = "the bare script"
    result.add(
        Measure(
            name=f"{name}: ours",
            unit=unit,
            value=mine,
            **spread,
            samples=len(ours),
            mark=mark,
            ratio=mine / theirs,
            to=to,
        )
    )


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "tuning", "Fine-tuning: what a run costs beside a bare TRL script")
