"""Reads a Dockerfile as far as ours goes: stages with their instructions, and what .dockerignore keeps out."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its word in capitals, and the rest of it in one line."""

    word: str
    rest: str


@dataclass(frozen=True, slots=True)
class Stage:
    """What stands from one FROM to the next. `name`: as others copy from it, "" for none."""

    base: str
    name: str
    instructions: tuple[Instruction, ...]

    def each(self, word: str) -> list[str]:
        """The rests of all instructions of that word."""
        return [one.rest for one in self.instructions if one.word == word]

    @property
    def environment(self) -> dict[str, str]:
        """What ENV sets."""
        return dict(pair.split("=", 1) for rest in self.each("ENV") for pair in rest.split())


def read(text: str) -> list[Stage]:
    """The stages of a Dockerfile, in their order. Raises ValueError where something stands before the first FROM."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines))
    stages: list[Stage] = []
    for line in filter(str.strip, whole.splitlines()):
        word, _, rest = line.strip().partition(" ")
        if word.upper() == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base.strip(), name.strip(), ()))
        elif not stages:
            raise ValueError(f"{word} stands before FROM")
        else:
            last = stages[-1]
            done = (*last.instructions, Instruction(word.upper(), " ".join(rest.split())))
            stages[-1] = Stage(last.base, last.name, done)
    return stages


def context(root: Path) -> list[Path]:
    """The files below `root` that .dockerignore lets through to the builder, relative to it; the last rule wins."""
    rules = [
        line.strip().rstrip("/")
        for line in (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    kept = [rule[1:] for rule in rules if rule.startswith("!")]
    files = [file for name in kept for file in _below(root / name)]
    return sorted(file.relative_to(root) for file in files if _sent(file.relative_to(root).as_posix(), rules))


def _below(path: Path) -> list[Path]:
    return [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]


def _sent(name: str, rules: list[str]) -> bool:
    sent = True
    for rule in rules:
        if _fits(name, rule.removeprefix("!")):
            sent = rule.startswith("!")
    return sent


def _fits(name: str, pattern: str) -> bool:
    """Whether a rule is about a file or about a folder above it."""
    if pattern == "**":
        return True
    places = [name, *(str(parent) for parent in PurePosixPath(name).parents)]
    if pattern.startswith("**/"):
        return any(fnmatch.fnmatch(PurePosixPath(place).name, pattern[3:]) for place in places)
    return any(fnmatch.fnmatch(place, pattern) for place in places)
