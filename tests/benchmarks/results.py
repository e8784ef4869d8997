"""What a benchmark found, as values that are written to JSON: measures with their spread, marks and ratios."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure. `value` is the one that counts (the median, unless `name` says another); the rest is its spread.

    `mark`: what `value` is to stay below, `least`: what it is to reach; None where none is set. `ratio`: how many
    times `to` it is.
    """

    name: str
    unit: str
    value: float
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    samples: int = 1
    mark: float | None = None
    least: float | None = None
    ratio: float | None = None
    to: str | None = None

    @property
    def met(self) -> bool | None:
        """Whether the mark was reached; None where there is none."""
        if self.mark is None and self.least is None:
            return None
        return (self.mark is None or self.value < self.mark) and (self.least is None or self.value >= self.least)

    @property
    def wanted(self) -> str:
        """The mark as it is told."""
        words = [] if self.mark is None else [f"< {self.mark:.4g}"]
        return " and ".join([*words, *([] if self.least is None else [f"≥ {self.least:.4g}"])])


@dataclass(slots=True, kw_only=True)
class Result:
    """All that one benchmark found. `absent` says what was missing where nothing could be measured."""

    name: str
    title: str
    short: bool
    measures: list[Measure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    absent: str | None = None

    def add(self, measure: Measure) -> None:
        """One more figure, shown as it comes."""
        self.measures.append(measure)
        mark = f", mark {measure.wanted}" if measure.wanted else ""
        ratio = f", {measure.ratio:.2f} × {measure.to}" if measure.ratio is not None else ""
        tail = f" (p95 {measure.p95:.4g}, p99 {measure.p99:.4g})" if measure.p95 is not None and measure.p99 else ""
        print(f"  {measure.name}: {measure.value:.4g} {measure.unit}{tail}{mark}{ratio}", flush=True)

    def note(self, sentence: str) -> None:
        """Something to know about the figures."""
        self.notes.append(sentence)
        print(f"  {sentence}", flush=True)

    def write(self, folder: Path) -> None:
        """Writes `NAME.json`, with the machine that it was measured on."""
        folder.mkdir(parents=True, exist_ok=True)
        whole = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), **asdict(self)}
        whole["measures"] = [
            {**asdict(measure), "met": measure.met, "wanted": measure.wanted} for measure in self.measures
        ]
        text = json.dumps(whole, indent=1, ensure_ascii=False)
        (folder / f"{self.name}.json").write_text(text + "\n", encoding="utf-8")


def spread(
    name: str,
    seconds: Sequence[float],
    *,
    headline: int = 50,
    mark: float | None = None,
    against: Sequence[float] = (),
    to: str | None = None,
) -> Measure:
    """Durations, given in seconds, as milliseconds. `headline`: the percentile that counts, also in the ratio."""
    return Measure(
        name=name,
        unit="ms",
        value=percentile(seconds, headline) * 1000,
        p50=percentile(seconds, 50) * 1000,
        p95=percentile(seconds, 95) * 1000,
        p99=percentile(seconds, 99) * 1000,
        samples=len(seconds),
        mark=mark,
        ratio=percentile(seconds, headline) / percentile(against, headline) if against else None,
        to=to,
    )


def percentile(values: Sequence[float], share: int) -> float:
    """The value that `share` percent are at or below (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "cpu": _cpu(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": LOAD_BEFORE,
    }


LOAD_BEFORE = round(os.getloadavg()[0], 2)
"""What else kept the machine busy when this process began: the load average of one minute."""


def _cpu() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
