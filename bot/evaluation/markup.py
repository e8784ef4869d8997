"""HTML and SVG put together so that nothing can slip through unescaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Union

Children = Union[str, int, "Markup", None, Iterable["Children"]]


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


_EMPTY = frozenset({"meta", "br", "line", "rect", "circle", "path", "polygon"})


def element(tag: str, /, *children: Children, **attributes: str | float | None) -> Markup:
    """An element. Text is escaped, markup is not; an attribute that is None is left out.

    "_" in an attribute's name stands for "-", and one at its end is dropped: `class_`, `aria_label`.
    """
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if tag in _EMPTY and not children:
        return Markup(f"<{tag}{shown}/>")
    return Markup(f"<{tag}{shown}>{joined(children)}</{tag}>")


def joined(children: Children) -> Markup:
    """Children one after the other, what is no markup escaped."""
    if children is None:
        return Markup("")
    if isinstance(children, Markup):
        return children
    if isinstance(children, str | int):
        return Markup(escape(str(children)))
    return Markup("".join(joined(child) for child in children))


def _number(value: str | float) -> str:
    """Coordinates need no more than a hundredth of a pixel."""
    return value if isinstance(value, str) else f"{round(value, 2):g}"
