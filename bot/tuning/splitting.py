"""What is trained on and what is held out: topics are never torn, and those that came last are held out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bot.tuning.row import Row
from knowledge.documents import Vector

SHARE = 0.1
"""Of the rows are held out, at least; a topic that would make it more than three times as many stays with the rest."""
NEAR = 0.6
"""The cosine from which on a question belongs to a topic; its first question stands for it."""
_MOST = 3


def topics(vectors: Vector) -> list[int]:
    """The topic of each question, by its vector: numbers from 0 in the order in which they came."""
    leaders = np.zeros((0, vectors.shape[1]), np.float32)
    found = []
    for vector in vectors:
        near = leaders @ vector
        place = int(near.argmax()) if len(near) else -1
        if place < 0 or near[place] < NEAR:
            leaders = np.vstack([leaders, vector[None]])
            place = len(leaders) - 1
        found.append(place)
    return found


def split(rows: Sequence[Row], topic: Sequence[int]) -> tuple[list[Row], list[Row], bool]:
    """The rows (in their order of time) to train on, those that are held out, and whether whole topics could be.

    Where one topic is nearly all there is, the newest rows are held out.
    """
    wanted = max(1, round(SHARE * len(rows)))
    members: dict[int, list[int]] = {}
    for place, number in enumerate(topic):
        members.setdefault(number, []).append(place)
    held_out: set[int] = set()
    for number in sorted(members, key=lambda number: members[number][0], reverse=True):
        if len(held_out) >= wanted:
            break
        if len(held_out) + len(members[number]) <= _MOST * wanted and len(members[number]) < len(rows):
            held_out |= {*members[number]}
    by_topic = bool(held_out)
    if not by_topic and len(rows) > 1:
        held_out = {*range(len(rows) - wanted, len(rows))}
    train = [row for place, row in enumerate(rows) if place not in held_out]
    return train, [row for place, row in enumerate(rows) if place in held_out], by_topic
