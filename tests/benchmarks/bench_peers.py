"""The same files taken in, looked through again and asked about by LangChain, LlamaIndex and Switchboard.

`python tests/benchmarks/bench_peers.py [--files N] [--peers FOLDER]`. Each is a process of its own, one after the
other, ours before and after the others; the encoder alone is the limit. The peers live in an environment of their own
(tests/benchmarks/peers/requirements.txt), with the same model by sentence-transformers.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bot_process import clean_environment
from child import started
from collection import OWN_QUESTIONS
from options import ROOT, NotHereError, Options, run_alone
from results import Measure, Result, spread

from knowledge.embedding.weights import find_model

HERE = Path(__file__).resolve().parent
PEERS = ROOT / "build" / "peers"
SECONDS = 3600.0
SHORT = 6
OURS, LANGCHAIN, LLAMAINDEX, ENCODER = "Switchboard", "LangChain", "LlamaIndex", "the encoder alone"
SCRIPTS = {
    OURS: HERE / "our_side.py",
    ENCODER: HERE / "encoder_side.py",
    LANGCHAIN: HERE / "peers" / "langchain_peer.py",
    LLAMAINDEX: HERE / "peers" / "llamaindex_peer.py",
}
ORDER = (ENCODER, OURS, LANGCHAIN, LLAMAINDEX, OURS)


@dataclass(slots=True)
class Told:
    """What one contestant told in all its runs: for each thing the lines; and its greatest memory, in MB."""

    lines: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    cold_memory: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    questions: list[float] = field(default_factory=list)

    def seconds(self, what: str) -> float:
        """The median of what it took."""
        return median(line["seconds"] for line in self.lines[what])

    def count(self, what: str, of: str) -> int:
        """A number that it told."""
        return int(self.lines[what][0][of])


async def bench(options: Options, result: Result) -> None:
    """Runs all in their order and compares them."""
    peers = options.own.peers / "bin" / "python"
    if not options.short and not peers.is_file():
        raise NotHereError(f"The peers are not installed in {options.own.peers}: `make bench-knowledge` does it.")
    names = (ENCODER, OURS) if options.short else ORDER
    found: dict[str, Told] = {}
    for number, name in enumerate(names):
        print(f"  {name}", flush=True)
        python = sys.executable if name in (OURS, ENCODER) else str(peers)
        await run(options, python, name, options.work / f"{number}", found.setdefault(name, Told()))
    _compare(options, result, found)


async def run(options: Options, python: str, name: str, work: Path, told: Told) -> None:
    """One contestant on a copy of the files."""
    copy_files(options.documents, work / "docs", SHORT if options.short else options.own.files)
    rows = [json.loads(line) for line in OWN_QUESTIONS.read_text("utf-8").splitlines()]
    (work / "questions.txt").write_text("\n".join(row["text"] for row in rows), encoding="utf-8")
    model = options.models_dir if name in (OURS, ENCODER) else find_model()
    words = ["--docs", work / "docs", "--work", work / "store", "--model", model, "--questions", work / "questions.txt"]
    (work / "store").mkdir()
    env = clean_environment() | {"PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT)]), "HF_HUB_OFFLINE": "1"}
    command = [python, str(SCRIPTS[name]), *map(str, words)]
    async with started(command, env=env, cwd=work) as child, child.peak() as greatest:
        await child.line('"what": "cold"', within=SECONDS)
        told.cold_memory.append(greatest[-1])
        lines = await child.ended(within=SECONDS)
        told.memory.append(greatest[-1])
    for line in (json.loads(line) for line in lines if line.startswith('{"what"')):
        if line["what"] == "questions":
            told.questions += line["seconds"][1:]
        else:
            told.lines.setdefault(line["what"], []).append(line)
    shutil.rmtree(work)


def copy_files(documents: Path, to: Path, count: int | None) -> None:
    """Copies the Markdown files, or so many of them, spread evenly, that can be written to."""
    every = sorted(documents.rglob("*.md"))
    chosen = every if count is None else [every[place * len(every) // count] for place in range(min(count, len(every)))]
    for file in chosen:
        copied = to / file.relative_to(documents)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes(file.read_bytes())


def _compare(options: Options, result: Result, found: dict[str, Told]) -> None:
    count = len(found[OURS].lines["cold"])
    for name, told in found.items():
        cold = told.seconds("cold")
        rate = told.count("cold", "chunks") / cold
        result.note(f"{name}: {told.count('cold', 'chunks'):,} chunks embedded from cold.")
        result.add(Measure(name=f"cold, {name}", unit="s", value=cold, samples=len(told.lines["cold"])))
        result.add(Measure(name=f"cold, chunks embedded, {name}", unit="a second", value=rate))
        result.add(Measure(name=f"cold, greatest memory, {name}", unit="MB", value=max(told.cold_memory)))
        if name != ENCODER:
            for what in ("unchanged", "changed"):
                result.add(Measure(name=f"{what}, {name}", unit="s", value=told.seconds(what), samples=3))
            result.add(spread(f"a question, {name}", told.questions))
    ours, alone = found[OURS], found[ENCODER]
    share = ours.count("cold", "chunks") / ours.seconds("cold") * alone.seconds("cold") / alone.count("cold", "chunks")
    marks = not options.short
    result.add(_times("cold: rate, in parts of the encoder's alone", share, 0.85 if marks else None, count))
    if "embedding" in ours.lines:
        cost = ours.seconds("changed") / ours.seconds("embedding")
        mark = 1.5 if marks else None
        result.add(Measure(name="1% changed, in parts of embedding it", unit="", value=cost, samples=count, mark=mark))
    others = [found[name] for name in (LANGCHAIN, LLAMAINDEX) if name in found]
    if others:
        for what, least in (("cold", 4.0), ("unchanged", 5.0), ("changed", 20.0)):
            times = min(other.seconds(what) for other in others) / ours.seconds(what)
            result.add(_times(f"{what}: times as fast as the faster peer", times, least if marks else None, count))
        memory = max(ours.cold_memory) / min(max(other.cold_memory) for other in others)
        name = "cold: greatest memory, in parts of the smaller peer's"
        result.add(Measure(name=name, unit="", value=memory, mark=1 / 3 if marks else None))


def _times(name: str, value: float, least: float | None, samples: int) -> Measure:
    return Measure(name=name, unit="", value=value, least=least, samples=samples)


def _own_options(known: argparse.ArgumentParser) -> None:
    known.add_argument("--files", type=int, help="so many of the files, spread evenly, instead of all")
    known.add_argument("--peers", type=Path, default=PEERS, help="the environment of the peers (build/peers)")


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "peers", "Beside LangChain and LlamaIndex", _own_options)
