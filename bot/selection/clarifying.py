"""When to ask back: an answer is unlikely to be good, and the evidence is split between few documents."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain import Choice, Evidence, PlaceKind, Question
from bot.selection.reasons import NOBODYS
from knowledge.documents import Passage

UNSURE = 0.5
"""Below this estimated quality (0 to 1) a question back may be worth the person's time."""
CLOSE = 0.06
"""Documents whose best passages are as similar to the question as this (cosine) are about equally likely meant."""
NEAR = 0.3
"""Documents that are further from the question than this (cosine) are not offered."""
MOST = 3
OPENING = "Do you mean "
_LABEL_CHARACTERS = 70


def topics(question: Question, choice: Choice, evidence: Evidence) -> tuple[str, ...]:
    """The names of the two or three documents between which the evidence is split; () where nothing is to be asked.

    Nobody is asked back twice for one question, nor where a person fixed the way, nor where nobody could press a
    button: in private answers and on the console.
    """
    if question.meant is not None or question.private or question.place.kind is PlaceKind.CONSOLE:
        return ()
    if any(pin.scope not in NOBODYS for pin in choice.pins) or not choice.option.available:
        return ()
    if choice.option.quality >= UNSURE or _was_asked_back(question):
        return ()
    best: dict[str, Passage] = {}
    for passage in sorted(evidence.passages, key=lambda passage: -passage.similarity):
        best.setdefault(passage.document_id, passage)
    top = max((passage.similarity for passage in best.values()), default=0.0)
    rivals = [one for one in best.values() if one.similarity >= max(NEAR, top - CLOSE)]
    if not 2 <= len(rivals) <= MOST:
        return ()
    titles = [_short(one.title) for one in rivals]
    labels = titles if len(set(titles)) == len(titles) else [_trail(one) for one in rivals]
    return tuple(labels) if len(set(labels)) == len(labels) else ()


def sentence(offered: Sequence[str]) -> str:
    """The question back."""
    names = [f"“{name}”" for name in offered]
    return f"{OPENING}{', '.join(names[:-1])} or {names[-1]}? Choose one, or say it in your own words."


def led_by(passages: Sequence[Passage], meant: str) -> tuple[Passage, ...]:
    """The passages, those of the document that was meant before the others."""
    return tuple(sorted(passages, key=lambda one: meant not in (_short(one.title), _trail(one))))


def of_asking(offered: Sequence[str]) -> str:
    """That a question was asked back, for the receipt."""
    return f"The documents split between {' and '.join(f'“{name}”' for name in offered)}, so I asked which is meant."


def of_answer(meant: str) -> str:
    """What the person answered, for the receipt."""
    return f"You said that you mean “{meant}”, so the search began there."


def _was_asked_back(question: Question) -> bool:
    """Whether the last that was said in the thread is a question of ours, which this message answers."""
    last = question.history[-1] if question.history else None
    return last is not None and last.role == "assistant" and last.text.startswith(OPENING)


def _trail(passage: Passage) -> str:
    return _short(" › ".join(dict.fromkeys((passage.title, *passage.heading))))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LABEL_CHARACTERS else text[: _LABEL_CHARACTERS - 1].rstrip() + "…"
