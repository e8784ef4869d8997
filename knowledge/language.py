"""The language of a text, by its letters and by the words that every text of a language has.

Good enough to choose a stemmer: long texts are told nearly always, short ones often not at all, which is said by None.
A model for this (py3langid) tells short texts better and takes 74 MB; the stop words are in the search engine anyway.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import tantivy
from tantivy import Filter, Tokenizer

# ISO 639-1 to the name of the engine's stemmer.
STEMMERS = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
STOPPED = frozenset({"da", "de", "en", "es", "fi", "fr", "hu", "it", "nl", "no", "pt", "ru", "sv"})
# The first that holds for a good part of the letters; kana before Han, which Japanese has too.
_SCRIPTS = {
    "ja": re.compile(r"[\u3040-\u30ff]"),
    "ko": re.compile(r"[\uac00-\ud7af]"),
    "zh": re.compile(r"[\u3400-\u9fff\uf900-\ufaff]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
    "ar": re.compile(r"[\u0600-\u06ff]"),
    "el": re.compile(r"[\u0370-\u03ff]"),
    "ta": re.compile(r"[\u0b80-\u0bff]"),
}
_LATIN = sorted(STOPPED)
_SCRIPT_SHARE = 0.15
_READ = 2_000  # characters that are looked at
_FEWEST_HITS = 2
_LEAD = 1.15  # how many times more stop words than the next language's; Danish and Norwegian are close


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of the language that most of `text` is written in; None where that cannot be told."""
    sample = text[:_READ]
    letters = sum(map(str.isalpha, sample))
    for language, script in _SCRIPTS.items():
        if len(script.findall(sample)) > _SCRIPT_SHARE * letters:
            return language
    words = _plain().analyze(sample)
    hits = {language: len(words) - len(_unstopped(language).analyze(sample)) for language in _LATIN}
    best, next_best = sorted(hits.values(), reverse=True)[:2]
    if best < _FEWEST_HITS or best < _LEAD * next_best:
        return None
    return max(hits, key=hits.__getitem__)


@cache
def _plain() -> Any:
    return tantivy.TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.lowercase()).build()


@cache
def _unstopped(language: str) -> Any:
    lower = tantivy.TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.lowercase())
    return lower.filter(Filter.stopword(STEMMERS[language])).build()
