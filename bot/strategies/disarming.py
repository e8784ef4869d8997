"""What a model writes, without power over whoever reads it: no link that nobody gave, no picture, no call, no markup.

A link is kept where a citation, the allow-list or the person's own message holds that very address. Of any other only
the words stay; an address that stands alone is shown so that no program makes a link of it: as code where it was given
letter for letter, else with [.] for its dots. Data can leave in an address, so one that the model made up is not even
to be copied.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from bot.strategies.addresses import ADDRESS, Held, disarmed, ends_here, is_sentence, matches, plain_sight, trimmed

_CODE = re.compile(r"((?<!`)(`{1,2})(?!`)[^\n]*?[^`\n]\2(?!`))")
_IMAGE = re.compile(r"!\[([^\]\n]{0,600})\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,200}\])")
_LINK = re.compile(r"\[([^\[\]\n]{0,600})\]\(\s{0,3}<?([^\s)>]{0,2000})>?[^)\n]{0,600}\)")
_REFERENCE = re.compile(r"\[(?!\^?\d+\])([^\]\[\n]{1,600})\]\[([^\]\[\n]{0,200})\]")
_DEFINITION = re.compile(r"^[ \t>]{0,9}\[[^\]\n]{1,200}\]:[ \t]*<?(?:[a-z][a-z0-9+.\-]*:|www\.|//).*$\n?", re.M | re.I)
_DEFINES = re.compile(r"^([ \t>]{0,9}\[[^\]\n]{1,200}\]):", re.M)
_ANGLE = re.compile(
    r"<([a-z][a-z0-9+.\-]*:[^>|\s]{0,2000}|[^\s<>|@]{1,64}@[^\s<>|]{1,200}|//[^>|\s]{1,2000})(?:\|([^>\n]{0,600}))?>",
    re.I,
)
_TAG = re.compile(
    r"</?(?:a|img|picture|source|script|style|iframe|frame|object|embed|link|meta|base|form|input|button|svg|math|video"
    r"|audio|area|template|body|html|head|marquee|details)\b[^<>]{0,2000}>",
    re.I,
)
_CALL = re.compile(
    r"<\s{0,3}(?:!\s{0,3}(?=here|channel|everyone|group|subteam|date)|@\s{0,3}(?=[UWB][A-Z0-9]{2})|#\s{0,3}(?=[CGD][A-Z0-9]{2}))"
    r"([^<>\n|]{0,200})(?:\|([^<>\n]{0,200}))?>?",
    re.I,
)
_AT = re.compile(r"(?<![\w.+\-])[@＠﹫](?=([^\W\d_]{4,8}))")
_NOTHING = Held(frozenset(), frozenset())
_LOUD = ("channel", "here", "everyone")
# Letters of other scripts that look like those of the loud words.
_ALIKE = str.maketrans("аеорсухһԛіјɑϲοʏνｅｈ", "aeopcyxhqijacoyveh")


def uncalled(text: str) -> str:
    """The text without the power to call people: a model's "<!channel>" is words, and nobody's phone rings."""
    return (
        _AT.sub(_quiet, _CALL.sub(_named, text)) if "<" in text or "@" in text or "＠" in text or "﹫" in text else text
    )


def told(words: str) -> str:
    """Somebody's words as a part of a sentence of ours: a title, a name, what was searched."""
    return harmless_prose(words, _NOTHING, _NOTHING, str)


def unlinked_code(text: str, held: Held) -> str:
    """Code: what was given stays as it is; an address that the model made up is none any more."""

    def one(match: re.Match[str]) -> str:
        address = trimmed(match[0])
        is_kept = not (match["schemed"] or match["path"]) or held.is_given(address) or held.is_link(address)
        return match[0] if is_kept else disarmed(match[0])

    return uncalled(ADDRESS.sub(one, text))


def harmless_prose(text: str, held: Held, code: Held | None, then: Callable[[str], str]) -> str:
    """Prose with inline code in it. `code`: what holds in code, None where code is left as it is; `then`: what is done
    with the prose besides."""
    text = _DEFINITION.sub("", plain_sight(text))
    done: list[str] = []
    end = 0
    for span in _CODE.finditer(text):
        done.append(then(_prose(text[end : span.start()], held)))
        done.append(uncalled(span[0]) if code is None else unlinked_code(span[0], code))
        end = span.end()
    return "".join([*done, then(_prose(text[end:], held))])


def _prose(text: str, held: Held) -> str:
    """Prose without code; a backtick that opens none would turn what follows inside out."""
    if not text:
        return text
    text = _DEFINES.sub(r"\1 :", text.replace("`", "'"))
    text = _IMAGE.sub(lambda m: m[1], text)
    kept: list[str] = []

    def keep(link: str) -> str:
        kept.append(link)
        return f"\x00{len(kept) - 1}\x00"

    def linked(match: re.Match[str]) -> str:
        words, address = match[1], match[2]
        if words.strip().isdigit():
            return f"[{words}]"
        others = [one for one in matches(words) if trimmed(one[0]) != address]
        return keep(f"[{uncalled(words)}]({address})") if not others and held.is_link(address) else words

    def angled(match: re.Match[str]) -> str:
        return match[2] or match[1]

    def alone(match: re.Match[str]) -> str:
        address = trimmed(match[0])
        rest = match[0][len(address) :]
        if is_sentence(match):
            return match[0]
        if held.is_link(address) and ends_here(match.string, match.end() - len(rest)):
            return keep(address) + rest
        if held.is_given(address) or not (match["schemed"] or match["path"]):
            return keep(f"`{address}`") + rest
        return disarmed(match[0])

    text = _LINK.sub(linked, text.replace("\x00", ""))
    text = _REFERENCE.sub(lambda m: m[1] + (f"[{m[2]}]" if m[2].isdigit() else ""), text)
    text = _ANGLE.sub(angled, text)
    text = _TAG.sub("", text)
    text = uncalled(text)
    text = ADDRESS.sub(alone, text).replace("](", "] (")
    return re.sub(r"\x00(\d+)\x00", lambda m: kept[int(m[1])], text)


def _named(match: re.Match[str]) -> str:
    return (match[2] or "").strip().lstrip("@#＠") or match[1].partition("^")[2] or match[1]


def _quiet(match: re.Match[str]) -> str:
    word = unicodedata.normalize("NFKC", match[1]).casefold().translate(_ALIKE)
    return "(at)" if word.startswith(_LOUD) else match[0]
