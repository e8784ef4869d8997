"""What somebody wrote in Slack, as Markdown that can be read without Slack."""

from __future__ import annotations

import re
from html import unescape

from knowledge.sources.slack.api import JSON
from knowledge.sources.slack.names import Names
from knowledge.sources.slack.noise import EMOJI

_CODE = re.compile(r"```(.*?)(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^>]*))?>")
_CHANNEL = re.compile(r"<#([CGD][A-Z0-9]+)(?:\|([^>]*))?>")
_LINK = re.compile(r"<((?:https?|mailto|tel):[^|>]+)(?:\|([^>]*))?>")
_SPECIAL = re.compile(r"<!([a-z]+)(?:\^[^|>]*)?(?:\|([^>]*))?>")
_BOLD = re.compile(r"(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?![\w*])")
_STRUCK = re.compile(r"(?<![\w~])~(\S(?:[^~\n]*\S)?)~(?![\w~])")
_BULLET = re.compile(r"^([ \t]*)[•◦▪]\s+", re.MULTILINE)
_LABEL = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"\*\*|~~")
_TITLE = 80


async def markdown(message: JSON, names: Names) -> str:
    """The message's words, those of what it forwards, and the names of the files that came with it."""
    parts = [await _rendered(str(message.get("text") or ""), names)]
    for attached in message.get("attachments") or ():
        if attached.get("is_share") or attached.get("is_msg_unfurl"):
            forwarded = await _rendered(str(attached.get("text") or ""), names)
            parts.append("\n".join(f"> {line}" for line in forwarded.splitlines()))
    files = [str(file.get("title") or file.get("name")) for file in message.get("files") or () if file.get("name")]
    if files:
        parts.append(f"Shared: {', '.join(files)}")
    return "\n\n".join(part for part in parts if part.strip())


def title(text: str) -> str | None:
    """The first words of a message in Markdown; None where it has none."""
    for line in text.splitlines():
        bare = _MARKS.sub("", _LABEL.sub(r"\1", EMOJI.sub(" ", line)))
        words = " ".join(bare.strip("#>_`- \t").split())
        if any(character.isalnum() for character in words):
            if len(words) <= _TITLE:
                return words
            cut = words[:_TITLE].rsplit(" ", 1)[0] if " " in words[:_TITLE] else words[:_TITLE]
            return f"{cut.rstrip('.,;:')} …"
    return None


async def _rendered(text: str, names: Names) -> str:
    pieces: list[str] = []
    end = 0
    for code in _CODE.finditer(text):
        pieces.append(await _prose(text[end : code.start()], names))
        block = code.group(1)
        pieces.append(unescape(code.group()) if block is None else f"\n```\n{unescape(_bare(block)).strip()}\n```\n")
        end = code.end()
    pieces.append(await _prose(text[end:], names))
    return "".join(pieces).strip()


def _bare(code: str) -> str:
    """Slack links addresses in code too; there the address is what was written."""
    return _LINK.sub(lambda link: link[2] or link[1], code)


async def _prose(text: str, names: Names) -> str:
    text = _BULLET.sub(r"\1- ", _STRUCK.sub(r"~~\1~~", _BOLD.sub(r"**\1**", text)))
    people = {each[1]: (await names.person(each[1])).name for each in _PERSON.finditer(text)}
    text = _PERSON.sub(lambda each: f"@{people[each[1]]}", text)
    channels = {each[1]: await names.channel(each[1]) for each in _CHANNEL.finditer(text) if not each[2]}
    text = _CHANNEL.sub(lambda each: f"#{each[2]}" if each[2] else channels[each[1]], text)
    text = _LINK.sub(_link, text)
    text = _SPECIAL.sub(lambda special: special[2] or f"@{special[1]}", text)
    return unescape(text)


def _link(found: re.Match[str]) -> str:
    address, label = found[1], found[2] or ""
    shown = address.removeprefix("mailto:").removeprefix("tel:")
    return f"[{label}]({address})" if label and label != shown and label not in address else shown
