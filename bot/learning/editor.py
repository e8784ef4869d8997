"""Who changes examples, and which ones they may."""

from __future__ import annotations

from dataclasses import dataclass

from bot.learning.reviewed import Reviewed


@dataclass(frozen=True, slots=True)
class Editor:
    """Who changes examples. `scopes`: what they may read, None for everything; `admin`: they may change all of it, and
    not only what they saved or reviewed."""

    person: str
    scopes: frozenset[str] | None
    admin: bool = False


def may_change(one: Reviewed, editor: Editor) -> bool:
    """Whether somebody who may read an example may change it."""
    return editor.admin or editor.person in (one.kept_by, one.example.saved_by)
