"""Addresses in a text: what a reader's program would make a link of, and whether two of them are the same one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from urllib.parse import quote, urlsplit

# Every country's code (ISO 3166, as IANA lists them), and the endings that are most seen or most misused.
_COUNTRIES = (
    "ac|ad|ae|af|ag|ai|al|am|ao|aq|ar|as|at|au|aw|ax|az|ba|bb|bd|be|bf|bg|bh|bi|bj|bm|bn|bo|br|bs|bt|bw|by|bz|ca|cc|cd|"
    "cf|cg|ch|ci|ck|cl|cm|cn|co|cr|cu|cv|cw|cx|cy|cz|de|dj|dk|dm|do|dz|ec|ee|eg|er|es|et|eu|fi|fj|fk|fm|fo|fr|ga|gd|ge|"
    "gf|gg|gh|gi|gl|gm|gn|gp|gq|gr|gs|gt|gu|gw|gy|hk|hm|hn|hr|ht|hu|id|ie|il|im|in|io|iq|ir|is|it|je|jm|jo|jp|ke|kg|kh|"
    "ki|km|kn|kp|kr|kw|ky|kz|la|lb|lc|li|lk|lr|ls|lt|lu|lv|ly|ma|mc|md|me|mg|mh|mk|ml|mm|mn|mo|mp|mq|mr|ms|mt|mu|mv|mw|"
    "mx|my|mz|na|nc|ne|nf|ng|ni|nl|no|np|nr|nu|nz|om|pa|pe|pf|pg|ph|pk|pl|pm|pn|pr|ps|pt|pw|py|qa|re|ro|rs|ru|rw|sa|sb|"
    "sc|sd|se|sg|sh|si|sk|sl|sm|sn|so|sr|ss|st|su|sv|sx|sy|sz|tc|td|tf|tg|th|tj|tk|tl|tm|tn|to|tr|tt|tv|tw|tz|ua|ug|uk|"
    "us|uy|uz|va|vc|ve|vg|vi|vn|vu|wf|ws|ye|yt|za|zm|zw"
)
_OTHERS = (
    "com|net|org|info|biz|edu|gov|mil|int|arpa|name|mobi|example|test|app|dev|page|web|site|online|store|shop|tech|"
    "cloud|link|click|top|xyz|zip|mov|live|run|work|works|world|website|space|fun|host|press|wiki|blog|news|agency|team|"
    "tools|systems|network|email|chat|support|social|media|digital|codes|software|services|solutions|group|ninja|rocks|"
    "xn--[a-z0-9-]{2,40}|рф|бел|укр|中国|公司|网络|香港|한국|भारत|موقع"
)
_END = r"[^\s<>|`]*"
_SCHEMED = (
    r"(?:[a-z][a-z0-9+.\-]{1,30}:[/\\]{2}|(?:javascript|vbscript|mailto|tel|sms|callto|blob):(?=\S)"
    rf"|data:[\w.+\-]*[/;,]|www\d?\.(?=\w)){_END}"
)
_MAIL = r"(?<![\w.+\-])[\w.+\-]{1,64}@(?:[\w\-]{1,63}\.){1,8}[^\W\d_]{2,24}"
_BARE = (
    rf"(?:(?<![\w@./\\\-])|(?<=//))(?:\w[\w\-]{{0,62}}\.){{1,20}}(?:{_COUNTRIES}|{_OTHERS})(?![\w\-])(?!\.\w)(?::\d+)?"
)
ADDRESS = re.compile(
    rf"(?P<schemed>{_SCHEMED})|(?P<mail>{_MAIL})|(?P<bare>{_BARE})(?P<path>[/?#]{_END})?", re.IGNORECASE
)
# "done.It" is the end of a sentence: nobody writes the last part of an address with one capital letter alone.
_SENTENCE = re.compile(r"\.[A-Z][a-z]+\Z")

_HIDDEN = re.compile(
    "[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
_JOINERS = re.compile("(?<=[\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?=[\x00-\x7f])")
_WIDE = re.compile("[\uff01-\uff5e\uff61\u3002\u2044\u2215\u29f8\ufe55\ufe52\u2024]")
_DOT = re.compile("(?<=[a-z0-9\\-])[\u3002\u2024](?=[a-z0-9])", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_PERCENT = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)
_RUN = re.compile(r"\S+")
_CALLING = re.compile(r"<[!@#]|@")
# What goes on behind an address without a space may be read as a part of it.
_GOES_ON = re.compile(r"[@/\\?#&=%]")
_LAST = ".,;:!?*_~)]}'\"’”»、。，）」』】；：！？…"


@dataclass(frozen=True, slots=True)
class Held:
    """Which addresses may stand in an answer. `links`: as links; `words`: as words that were given, letter for letter;
    `domains`: all addresses there may be links. All but the domains as `same` has them."""

    links: frozenset[str]
    words: frozenset[str]
    domains: tuple[str, ...] = ()

    def is_link(self, address: str) -> bool:
        """Whether it may be clicked."""
        key = same(address)
        if key in self.links:
            return True
        host, scheme = _host(key)
        return scheme in ("http", "https") and any(host == name or host.endswith(f".{name}") for name in self.domains)

    def is_given(self, address: str) -> bool:
        """Whether it stands in what the model was given."""
        key = same(address)
        return key in self.words or key in self.links


def found(texts: Iterable[str]) -> frozenset[str]:
    """All addresses of some texts, as `same` has them."""
    return frozenset(same(trimmed(match[0])) for text in texts for match in matches(plain_sight(text)))


def matches(text: str) -> Iterable[re.Match[str]]:
    """Every address in a text."""
    return (match for match in ADDRESS.finditer(text) if not is_sentence(match))


def is_sentence(match: re.Match[str]) -> bool:
    """Whether it is no address, but two sentences without a space between them."""
    return bool(match["bare"] and not match["path"] and _SENTENCE.search(match["bare"]))


def trimmed(address: str) -> str:
    """Without the punctuation of the sentence around it."""
    return address.rstrip(_LAST)


def ends_here(text: str, end: int) -> bool:
    """Whether an address that ends there is not read as a longer one."""
    return not _GOES_ON.search(text, end, _next_space(text, end))


def same(address: str) -> str:
    """The one way to write an address: its host in small letters and ASCII, no default port. Nothing else is equal:
    another path, query or fragment is another address."""
    whole = address if re.match(r"[a-z][a-z0-9+.\-]*:", address, re.IGNORECASE) else f"https://{address}"
    try:
        parts = urlsplit(whole)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return whole
    if not host:
        return whole
    default = {"http": 80, "https": 443}.get(parts.scheme)
    place = _ascii(host) + (f":{port}" if port not in (None, default) else "")
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    path, query, fragment = (_quoted(part) for part in (parts.path or "/", parts.query, parts.fragment))
    return f"{parts.scheme}://{user}{place}{path}{f'?{query}' if query else ''}{f'#{fragment}' if fragment else ''}"


def disarmed(address: str) -> str:
    """The address so that nobody's program makes a link of it, and a person still can read it."""
    text = re.sub(r"\.(?=\w)", "[.]", address)
    return re.sub(r":(?=[/\\]|\S)", "[:]", text, count=1).replace("@", "[at]")


def seen(text: str) -> str:
    """The text without characters that nobody sees."""
    return _HIDDEN.sub("", text)


def plain_sight(text: str) -> str:
    """The text without characters that nobody sees, and with what only looks or is escaped like an address or a call
    written as that."""
    text = _JOINERS.sub("", seen(text))
    return _RUN.sub(_revealed, text) if _WIDE.search(text) or "\\" in text or "&" in text or "%" in text else text


def _revealed(run: re.Match[str]) -> str:
    word = run[0]
    wide = unicodedata.normalize("NFKC", word) if _WIDE.search(word) else word
    read = _DOT.sub(".", unescape(_ESCAPED.sub(r"\1", unescape(wide))))
    return read if read != word and _power(read) > _power(word) else word


def _power(text: str) -> int:
    return sum(3 if match["schemed"] else 1 for match in ADDRESS.finditer(text)) + len(_CALLING.findall(text))


def _next_space(text: str, start: int) -> int:
    space = re.compile(r"\s").search(text, start)
    return space.start() if space else len(text)


def _host(key: str) -> tuple[str, str]:
    try:
        parts = urlsplit(key)
        return ("" if "@" in parts.netloc else parts.hostname or ""), parts.scheme
    except ValueError:
        return "", ""


def _ascii(host: str) -> str:
    try:
        return unicodedata.normalize("NFKC", host).encode("idna").decode().lower()
    except UnicodeError:
        return host.lower()


def _quoted(part: str) -> str:
    return _PERCENT.sub(lambda m: m[0].upper(), quote(part, safe="/%:@!$&'()*+,;=~-._?#[]"))
