"""Chosen units as Markdown: exact quotes, each with its [n], under their heading where it says what they are about."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.models.relevance import Candidate, Scored, content_words
from bot.models.units import Unit, UnitKind

# A sentence that begins like this speaks of something in the sentence before it.
_LEANS_BACK = re.compile(
    r"^\W*(yes|no|it|its|this|these|they|their|them|he|she|his|her|that|those|such|then|however|therefore|thus|also|both|instead"
    r"|otherwise|but|and|so|ja|nein|er|sie|es|dies|diese|dieser|dieses|damit|dabei|dadurch|deshalb|daher|jedoch|aber|dann)\b",
    re.IGNORECASE,
)
_ANNOUNCES = re.compile(
    r"\b(following|below|for example|like this|run|type|write|folgende\w*|unten|so)\b", re.IGNORECASE
)
_LONGEST_BEFORE = 300
_LONGEST_CODE = 800


def quoted(question: str, chosen: Sequence[Scored], candidates: Sequence[Candidate]) -> list[str]:
    """One paragraph for each run of neighbouring units, that of the best one first.

    `chosen` best first; `candidates` all that there were, among which a quote finds the sentence it leans on.
    """
    places = {(candidate.number, candidate.place): candidate for candidate in candidates}
    asked = content_words(question)
    paragraphs: list[str] = []
    above = ""
    for run in _runs([scored.candidate for scored in chosen], places):
        heading = _heading(run, asked)
        source = f"“{heading or run[0].passage.title}”"
        if heading and heading == above:
            heading, source = "", "the same section"
        paragraphs.append(_paragraph(run, heading, source))
        above = heading or above
    return paragraphs


def _runs(chosen: Sequence[Candidate], places: dict[tuple[int, int], Candidate]) -> list[list[Candidate]]:
    """The chosen ones with what they need around them, neighbours together in their own order."""
    wanted: dict[tuple[int, int], Candidate] = {}
    for candidate in chosen:
        for needed in _with_neighbours(candidate, places):
            wanted.setdefault((needed.number, needed.place), needed)
    runs: list[list[Candidate]] = []
    for candidate in wanted.values():
        if any(candidate in run for run in runs):
            continue
        run = [candidate]
        while (before := wanted.get((candidate.number, run[0].place - 1))) and _together(before, run[0]):
            run.insert(0, before)
        while (after := wanted.get((candidate.number, run[-1].place + 1))) and _together(run[-1], after):
            run.append(after)
        runs.append(run)
    return runs


def _with_neighbours(candidate: Candidate, places: dict[tuple[int, int], Candidate]) -> list[Candidate]:
    if candidate.unit.kind is not UnitKind.SENTENCE:
        return [candidate]
    needed = [candidate]
    before = places.get((candidate.number, candidate.place - 1))
    after = places.get((candidate.number, candidate.place + 1))
    if before and _together(before, candidate) and _leans_on(before, candidate):
        needed.insert(0, before)
    if after and _announces(candidate, after):
        needed.append(after)
    return needed


def _leans_on(before: Candidate, candidate: Candidate) -> bool:
    return bool(_LEANS_BACK.match(candidate.unit.text)) and len(before.unit.text) <= _LONGEST_BEFORE


def _announces(candidate: Candidate, after: Candidate) -> bool:
    code = after.unit.kind is UnitKind.CODE and not after.unit.lead and len(after.unit.text) <= _LONGEST_CODE
    return code and bool(_ANNOUNCES.search(candidate.unit.text))


def _together(before: Candidate, after: Candidate) -> bool:
    """Whether the two are sentences of one paragraph, items of one list, or a sentence and the code it announces."""
    if before.unit.paragraph == after.unit.paragraph:
        return True
    return before.unit.kind is UnitKind.SENTENCE and after.unit.kind is UnitKind.CODE


def _heading(run: Sequence[Candidate], asked: frozenset[str]) -> str:
    """The nearest heading, where it holds a part of the question that the quote does not, or the quote leans back."""
    heading = run[0].heading
    if not heading:
        return ""
    said = frozenset().union(*(content_words(candidate.unit.words) for candidate in run))
    unclear = bool(_LEANS_BACK.match(run[0].unit.text)) or run[0].unit.kind is not UnitKind.SENTENCE
    return heading if unclear or (content_words(heading) & asked) - said else ""


def _paragraph(run: Sequence[Candidate], heading: str, source: str) -> str:
    """The run as Markdown, under `heading` where there is one; `source` announces a block that nothing else does."""
    mark = f"[{run[0].number}]"
    under = f"From “{heading.strip()}”: " if heading else ""
    sentences = " ".join(c.unit.text for c in run if c.unit.kind is UnitKind.SENTENCE)
    blocks = [candidate.unit for candidate in run if candidate.unit.kind is not UnitKind.SENTENCE]
    if not blocks:
        return f"{under}“{sentences}” {mark}"
    lead = sentences or blocks[0].lead
    announced = f"{under}“{lead}” {mark}" if lead else f"From {source}: {mark}"
    gap = "\n\n" if blocks[0].kind is UnitKind.TABLE else "\n"
    return announced + gap + "\n".join(_lines(blocks))


def _lines(blocks: Sequence[Unit]) -> list[str]:
    """The blocks' lines; rows of one table share its header."""
    rows = [line for block in blocks[1:] for line in block.lines[2:]] if blocks[0].kind is UnitKind.TABLE else []
    return [blocks[0].text, *rows] if rows else [block.text for block in blocks]
