"""Lots that every process draws alike: a number that a question's id fixes for good."""

from __future__ import annotations

import hashlib


def lot(salt: str, question_id: str) -> float:
    """From 0 up to but without 1, evenly over questions; `salt` keeps draws for different ends apart."""
    digest = hashlib.sha256(f"{salt} {question_id}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
