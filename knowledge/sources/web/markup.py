"""What a page says to machines: its links, whether it may be indexed, which address is its own, who wrote it when."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lxml import etree, html  # type: ignore[import-untyped]

from knowledge.sources.http import NAME
from knowledge.sources.parsers.base import clean, decode

_META_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_HEADER_CHARSET = re.compile(r"charset=[\"']?([\w-]+)", re.IGNORECASE)
_REFRESH = re.compile(r"\s*([0-5])(?:\.\d+)?\s*[;,]\s*url\s*=\s*['\"]?([^'\"]+)", re.IGNORECASE)
_MOST_BROKEN = 0.002  # share of a page that may not fit its charset before another one is looked for
_MOST_LINKS = 5_000
_LONGEST = 500  # characters of a title, an author or a tag
_AUTHOR = ("author", "dc.creator", "dcterms.creator", "article:author")
_UPDATED = (
    "article:modified_time",
    "og:updated_time",
    "datemodified",
    "dcterms.modified",
    "last-modified",
    "article:published_time",
    "datepublished",
    "dcterms.date",
    "dc.date",
    "date",
)


@dataclass(frozen=True, slots=True)
class Markup:
    """What was found. Links are as written; `base` is what they are relative to, where the page says so.

    `refresh` is where the page sends its reader at once; `asks_login`: it has a field for a password.
    """

    links: tuple[str, ...] = ()
    base: str | None = None
    canonical: str | None = None
    refresh: str | None = None
    indexed: bool = True
    asks_login: bool = False
    title: str | None = None
    author: str | None = None
    updated: datetime | None = None
    tags: frozenset[str] = frozenset()


def text_of(data: bytes, content_type: str, name: str) -> str:
    """The text of a page in whatever it was written: what is UTF-8 is never taken for something else.

    Servers often declare a charset that the page does not have. Raises DocumentUnreadable for binary data.
    """
    declared = _HEADER_CHARSET.search(content_type)
    in_page = _META_CHARSET.search(data[:2048])
    names = [declared.group(1)] if declared else []
    names += [in_page.group(1).decode("ascii")] if in_page else []
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) or (_is_utf8(data) and not data.isascii()):
        return decode(data, name)
    for charset in names:
        try:
            text = data.decode(charset, "replace")
        except LookupError:
            continue  # a name that nobody knows
        if text.count("\ufffd") <= _MOST_BROKEN * len(data):
            return clean(text)
    return decode(data, name)


def as_page(part: str) -> bytes:
    """A piece of HTML as a page of its own, in UTF-8 and saying so."""
    return f'<html><head><meta charset="utf-8"></head><body>{part}</body></html>'.encode()


def tree_of(text: str) -> Any | None:
    """The page as a tree; None where nothing is in it."""
    try:
        # As bytes: lxml refuses a str that declares an encoding of its own.
        return html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8", huge_tree=False))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def read_markup(tree: Any, headers: Mapping[str, str]) -> Markup:
    """What a page and its headers say."""
    metas = _metas(tree)
    said = _robots(metas, headers)
    linked = _linked_data(tree)
    refresh = _REFRESH.match(metas.get("refresh", ""))
    return Markup(
        links=tuple(_links(tree)) if not said & {"nofollow", "none"} else (),
        base=next((base.get("href") for base in tree.iter("base") if base.get("href")), None),
        canonical=next((link.get("href") for link in tree.iter("link") if _is(link, "canonical")), None),
        refresh=refresh.group(2) if refresh else None,
        indexed=not said & {"noindex", "none"},
        asks_login=any((field.get("type") or "").lower() == "password" for field in tree.iter("input")),
        title=_short(metas.get("og:title")) or _short(next((one.text for one in tree.iter("title")), None)),
        author=_author(metas, linked),
        updated=_updated(metas, linked),
        tags=frozenset(tag for tag in map(_short, metas.get("keywords", "").split(",")[:20]) if tag),
    )


def _metas(tree: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = meta.get("name") or meta.get("property") or meta.get("itemprop") or meta.get("http-equiv")
        if name and meta.get("content"):
            key = name.strip().lower()
            # Several tags for robots all count.
            found[key] = (
                f"{found[key]},{meta.get('content')}" if key == "robots" and key in found else meta.get("content")
            )
    return found


def _robots(metas: Mapping[str, str], headers: Mapping[str, str]) -> set[str]:
    """The directives that hold for this program, from the page and from its headers."""
    texts = [metas.get("robots", ""), metas.get(NAME.lower(), "")]
    getall = getattr(headers, "getall", None)
    lines = getall("X-Robots-Tag", []) if getall is not None else [headers.get("X-Robots-Tag", "")]
    for line in lines:
        agent, colon, rest = line.partition(":")
        if not colon or " " in agent.strip() or "," in agent or agent.strip().lower() == "unavailable_after":
            texts.append(line)
        elif agent.strip().lower() == NAME.lower():
            texts.append(rest)
    return {word.strip().lower() for text in texts for word in text.split(",")}


def _links(tree: Any) -> Iterator[str]:
    seen: set[str] = set()
    for link in tree.iter("a", "area"):
        href = link.get("href")
        if href and not href.startswith("#") and not _is(link, "nofollow") and href not in seen:
            seen.add(href)
            yield href
            if len(seen) >= _MOST_LINKS:
                return


def _is(link: Any, relation: str) -> bool:
    return relation in (link.get("rel") or "").lower().split() and bool(link.get("href"))


def _linked_data(tree: Any) -> dict[str, Any]:
    """The first piece of JSON-LD that tells of an author or a date."""
    for script in tree.iter("script"):
        if (script.get("type") or "").lower() != "application/ld+json":
            continue
        try:
            data = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        graph = data.get("@graph", [data]) if isinstance(data, dict) else data
        for one in graph if isinstance(graph, list) else []:
            if isinstance(one, dict) and {"author", "dateModified", "datePublished"} & one.keys():
                return one
    return {}


def _author(metas: Mapping[str, str], linked: Mapping[str, Any]) -> str | None:
    author = linked.get("author")
    first = author[0] if isinstance(author, list) and author else author
    named = first.get("name") if isinstance(first, dict) else first
    candidates = [*(metas.get(key) for key in _AUTHOR), named if isinstance(named, str) else None]
    return next((short for short in map(_short, candidates) if short and "://" not in short), None)


def _updated(metas: Mapping[str, str], linked: Mapping[str, Any]) -> datetime | None:
    """Only what the page declares: a date guessed from the text is wrong too often."""
    candidates = [linked.get("dateModified"), *(metas.get(key) for key in _UPDATED), linked.get("datePublished")]
    return next((moment for moment in map(moment_of, candidates) if moment is not None), None)


def moment_of(text: object) -> datetime | None:
    """A date of ISO 8601 as a moment, UTC where it names no zone; None for anything else, and for the future."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment if moment <= datetime.now(UTC) else None
    except (ValueError, OverflowError):
        return None


def _short(text: str | None) -> str | None:
    return (" ".join(clean(text).split())[:_LONGEST] or None) if text else None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in data
