"""What Slack makes of a call of its Web API: what can be clicked, is fetched or rings, read as suspiciously as it goes.

It knows nothing of the bot's own filter. Where it is not known whether Slack's clients make a link of something, they
are taken to do so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from markdown_it import MarkdownIt

BLOCKS = frozenset({"markdown", "table", "context", "context_actions", "actions", "section", "divider", "rich_text"})
"""The kinds of blocks that the bot builds for an answer."""
_markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
_LINKED = re.compile(
    r"(?:[a-z][a-z0-9+.\-]*://|www\.|(?:javascript|mailto|data|tel|vbscript):)[^\s<>\"'`|]+", re.IGNORECASE
)
_BARE = re.compile(r"[^\s<>\"'`|/@(\[*]*[^\W_]\.(?:example|com|net|org|io|рф)\b(?:[/?#][^\s<>\"'`|]*)?", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+")
_ANGLE = re.compile(r"<([^<>\n]+)>")
_CALL = re.compile(r"^\s*(?:!\s*(?:channel|here|everyone|group|subteam|date)|@[UW][A-Z0-9]+|#[CG][A-Z0-9]+)")
_CODE = re.compile(r"```.+?```|`[^`\n]+`", re.DOTALL)
_LOUD = re.compile(r"@(?:channel|here|everyone)")
_HTML = re.compile(r"(?:src|href|srcset|background|action|data)\s*=\s*[\"']?([^\s\"'>]+)", re.IGNORECASE)
_HIDDEN = re.compile("[\u200b-\u200f\u2060-\u2064\ufeff\u00ad]")
_ALIKE = str.maketrans("аеорсх", "aeopcx")


@dataclass(slots=True)
class Seen:
    """What a call would do. `pictures` are among the `addresses` too; those `in_code` are no links where code is read
    as Markdown has it, and are looked at all the same."""

    addresses: list[str] = field(default_factory=list)
    in_code: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    strange_blocks: list[str] = field(default_factory=list)
    previews: bool = False


def read(method: str, args: Mapping[str, Any]) -> Seen:
    """All that would come alive of one call."""
    seen = Seen()
    if method == "chat.postMessage":
        seen.previews = not (_is_off(args.get("unfurl_links")) and _is_off(args.get("unfurl_media")))
    for key in ("text", "initial_comment"):
        _mrkdwn(str(args.get(key) or ""), seen)
    _markdown_text(str(args.get("markdown_text") or ""), seen)
    for chunk in args.get("chunks") or ():
        if chunk.get("type") == "markdown_text":
            _markdown_text(str(chunk["text"]), seen)
        else:
            _mrkdwn(" ".join(str(chunk.get(key) or "") for key in ("title", "details", "output")), seen)
    for block in args.get("blocks") or ():
        if block["type"] not in BLOCKS:
            seen.strange_blocks.append(block["type"])
        _walk(block, seen)
    return seen


def _is_off(value: Any) -> bool:
    return str(value).lower() in ("false", "0")


def _walk(value: Any, seen: Seen) -> None:
    if isinstance(value, list):
        for each in value:
            _walk(each, seen)
    if not isinstance(value, Mapping):
        return
    match value.get("type"):
        case "markdown":
            _markdown_text(value["text"], seen)
        case "mrkdwn":
            _mrkdwn(value["text"], seen, verbatim=bool(value.get("verbatim")))
        case "link":
            seen.addresses.append(value["url"])
        case "image" | "video":
            seen.pictures.append(str(value.get("image_url") or value.get("video_url")))
            seen.addresses.append(seen.pictures[-1])
        case "user" | "usergroup" | "broadcast" | "channel":
            seen.calls.append(str(value))
    if value.get("url") and value.get("type") == "button":
        seen.addresses.append(value["url"])
    for key in ("elements", "fields", "rows", "accessory", "text"):
        if key in value and not isinstance(value[key], str):
            _walk(value[key], seen)


def _mrkdwn(text: str, seen: Seen, *, verbatim: bool = False) -> None:
    for inner in _ANGLE.findall(text):
        if _CALL.match(_HIDDEN.sub("", inner)):
            seen.calls.append(f"<{inner}>")
        elif re.match(r"[a-z][a-z0-9+.\-]*:|//", inner, re.IGNORECASE):
            seen.addresses.append(unescape(inner.partition("|")[0]))
    if not verbatim:
        words = unescape(_ANGLE.sub(" ", text))
        seen.in_code += [found for code in _CODE.findall(words) for found in _LINKED.findall(_read_on(code))]
        _plain(_CODE.sub(" ", words), seen)


def _markdown_text(text: str, seen: Seen) -> None:
    """As Slack's Markdown block: CommonMark, with Slack's own angle brackets, links found in words, and HTML read."""
    for one in (text, _HIDDEN.sub("", text)):
        for inner in _ANGLE.findall(one):
            if _CALL.match(inner):
                seen.calls.append(f"<{inner}>")
            elif re.match(r"[a-z][a-z0-9+.\-]*:|//|[^\s|]+@", inner, re.IGNORECASE):
                seen.addresses.append(inner.partition("|")[0])
        for token in _tokens(one):
            if token.type == "link_open":
                seen.addresses.append(str(token.attrs.get("href")))
            elif token.type == "image":
                seen.pictures.append(str(token.attrs.get("src")))
                seen.addresses.append(seen.pictures[-1])
            elif token.type in ("html_block", "html_inline"):
                seen.addresses += _HTML.findall(token.content)
                _plain(token.content, seen)
            elif token.type == "text":
                _plain(token.content, seen)
            elif token.type in ("code_inline", "fence", "code_block"):
                seen.in_code += _LINKED.findall(_read_on(token.content))
                seen.calls += _LOUD.findall(token.content)


def _tokens(text: str) -> Iterator[Any]:
    for token in _markdown.parse(text):
        # Words that stand side by side in a paragraph are read as one.
        children = token.children or []
        yield from (child for child in children if child.type != "text")
        if children:
            joined = "".join(child.content if child.type == "text" else " " for child in children)
            yield type("Text", (), {"type": "text", "content": joined, "attrs": {}})()
        else:
            yield token


def _plain(text: str, seen: Seen) -> None:
    """Words of which programs make links and calls by themselves."""
    for one in {text, _read_on(text)}:
        seen.addresses += _LINKED.findall(one)
        rest = _LINKED.sub(" ", one)
        seen.addresses += _MAIL.findall(rest)
        seen.addresses += [found for found in _BARE.findall(_MAIL.sub(" ", rest)) if "[.]" not in found]
    seen.calls += _LOUD.findall(_read_on(text).translate(_ALIKE))
    seen.calls += [f"<{inner}>" for inner in _ANGLE.findall(_read_on(text)) if _CALL.match(inner)]


def _read_on(text: str) -> str:
    return unicodedata.normalize("NFKC", _HIDDEN.sub("", unescape(text)))
