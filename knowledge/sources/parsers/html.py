"""HTML: what a reader of the page sees, in blocks; scripts, styles, forms and navigation are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree, html  # type: ignore[import-untyped]
from lxml.html import defs  # type: ignore[import-untyped]

from knowledge.documents import Block, BlockKind, Content
from knowledge.errors import DocumentUnreadable
from knowledge.sources.parsers.base import clean, decode
from knowledge.sources.parsers.table import to_markdown

_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_UNSEEN = frozenset(
    ("script", "style", "noscript", "template", "nav", "form", "button", "select", "svg", "iframe", "object", "head")
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INLINE = defs.font_style_tags | defs.phrase_tags | defs.special_inline_tags | {"data", "mark", "time", "wbr"}


def parse(data: bytes, name: str) -> Content:
    """The content of a page. Raises DocumentUnreadable where it is not HTML at all."""
    text = _text(data, name)
    if not text.strip():
        return Content(())
    try:
        # As bytes: lxml refuses a str that declares an encoding of its own.
        root = html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8", huge_tree=False))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise DocumentUnreadable(f"{name} is not readable HTML: {error}.") from error
    body = root.find("body")
    blocks = tuple(_blocks(root if body is None else body))
    titles = root.xpath("//head/title/text()")
    author = root.xpath("string(//meta[@name='author']/@content)").strip() or None
    first = next((block.text for block in blocks if block.kind is BlockKind.HEADING), None)
    return Content(blocks, title=first or (" ".join(titles[0].split()) if titles else None), author=author)


def _text(data: bytes, name: str) -> str:
    declared = _CHARSET.search(data[:2048])
    if declared:
        try:
            return clean(data.decode(declared.group(1).decode("ascii"), "replace"))
        except LookupError:
            pass  # a name that nobody knows: found out as for any other text
    return decode(data, name)


def _blocks(element: html.HtmlElement) -> Iterator[Block]:
    """The blocks below an element; runs of inline text between them are paragraphs."""
    run: list[str] = [element.text or ""]
    for child in element:
        if not isinstance(child.tag, str) or child.tag in _UNSEEN:
            pass
        elif child.tag in _INLINE:
            run.append("\n" if child.tag == "br" else _inner_text(child))
        else:
            yield from _paragraph(run)
            run = []
            yield from _block(child)
        run.append(child.tail or "")
    yield from _paragraph(run)


def _block(element: html.HtmlElement) -> Iterator[Block]:
    tag = element.tag
    if tag in _HEADINGS:
        text = _inner_text(element)
        if text:
            yield Block(BlockKind.HEADING, text, _HEADINGS[tag])
    elif tag in ("ul", "ol"):
        text = "\n".join(_items(element, 0))
        if text and not _is_contents(element):
            yield Block(BlockKind.LIST, text)
    elif tag == "pre":
        code = _seen_text(element).strip("\n")
        if code.strip():
            yield Block(BlockKind.CODE, f"```\n{code}\n```")
    elif tag == "table" and not element.xpath(".//table"):
        rows = [[_inner_text(cell) for cell in row.xpath("./td|./th")] for row in element.iter("tr")]
        rows = [row for row in rows if any(row)]
        if rows:
            yield Block(BlockKind.TABLE, to_markdown(rows))
    else:
        yield from _blocks(element)


def _is_contents(element: html.HtmlElement) -> bool:
    """Whether a list only links to places in its own page."""
    links = list(element.iter("a"))
    if not links or not all((link.get("href") or "").startswith("#") for link in links):
        return False
    return sum(len(_inner_text(link)) for link in links) >= len(_inner_text(element).replace(" ", "")) * 0.9


def _items(element: html.HtmlElement, depth: int) -> Iterator[str]:
    for number, item in enumerate(element.iterchildren("li"), 1):
        mark = f"{number}." if element.tag == "ol" else "-"
        text = _inner_text(item, skip=("ul", "ol"))
        if text:
            yield f"{'  ' * depth}{mark} {text}"
        for inner in item.iterchildren("ul", "ol"):
            yield from _items(inner, depth + 1)


def _paragraph(run: list[str]) -> Iterator[Block]:
    lines = (" ".join(line.split()) for line in "".join(run).split("\n\n"))
    text = "\n".join(line for line in lines if line)
    if text:
        yield Block(BlockKind.PARAGRAPH, text)


def _inner_text(element: html.HtmlElement, skip: tuple[str, ...] = ()) -> str:
    return " ".join(_seen_text(element, skip).split())


def _seen_text(element: html.HtmlElement, skip: tuple[str, ...] = ()) -> str:
    parts = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str) and child.tag not in _UNSEEN and child.tag not in skip:
            inner = _seen_text(child, skip)
            parts.append("\n" if child.tag == "br" else inner if child.tag in _INLINE else f" {inner} ")
        parts.append(child.tail or "")
    return "".join(parts)
