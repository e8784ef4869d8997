"""From text to terms: words at the stems of their language, and identifiers whole as well as by their parts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import tantivy
from tantivy import Filter, Tokenizer

from knowledge.language import STEMMERS, STOPPED, language_of

DEFAULT = "en"  # the stemmer of texts in a language that is not known
_LONGEST_WORD = 64
# kube-apiserver, ERR_CONN_RESET, v1.27.3, app/config.yaml: words joined by signs, found whole besides their parts.
_IDENTIFIER = r"[\p{L}\p{N}]+(?:[-_.:/#@]+[\p{L}\p{N}]+)+"
# getUserName, HTTPServer: where a word is cut although no sign stands there.
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_HUMPED = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]*(?:[a-z][A-Z]|[A-Z]{2}[a-z]{2})[A-Za-z0-9]*")
# Scripts without spaces between words (Han, kana, Hangul, Thai, Lao, Khmer, Burmese): found by pairs of letters.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+"
)
# Words that make a text a question and say nothing of what it is about; the engine's own lists have few of them.
_ASKING = {
    "en": "what who whom whose when where which why how do does did can could should would may might must have has had "
    "am were been being i me my mine we us our ours you your yours he she him her his its about from please tell "
    "any some so than up out over don t s ll re ve m d",
    "de": "wer wen wem wessen was wann wo wohin woher warum wieso weshalb welche welcher welches welchen wie "
    "gibt bitte",
    "es": "quién quiénes qué cuándo dónde cuál cuáles cómo cuánto cuántos cuánta cuántas por favor",
    "fr": "qui que quoi quand où pourquoi comment quel quelle quels quelles combien est-ce s'il vous plaît",
    "it": "chi cosa quando dove perché quale quali come quanto quanti quanta quante",
    "nl": "wie wat wanneer waar waarom welke welk hoe hoeveel graag",
    "pt": "quem quê quando onde qual quais como quanto quantos quanta quantas porquê",
}


class Analyzer:
    """Cuts text into terms, the same for what is indexed and what is asked."""

    def __init__(self) -> None:
        self._identifiers = (
            tantivy.TextAnalyzerBuilder(Tokenizer.regex(_IDENTIFIER))
            .filter(Filter.remove_long(_LONGEST_WORD))
            .filter(Filter.lowercase())
            .build()
        )
        self._asking = {language: set(_plain().analyze(words)) for language, words in _ASKING.items()}

    def stems(self, text: str, language: str = "") -> list[str]:
        """The stems of a text in their order. `language`: ISO 639-1; an unknown one is stemmed as English."""
        stems: list[str] = _stemmer(language if language in STEMMERS else DEFAULT).analyze(_parted(text))
        return stems

    def identifiers(self, text: str) -> list[str]:
        """Identifiers whole, in small letters, each with the files and folders that its path names."""
        whole: list[str] = self._identifiers.analyze(text)
        parts = (part for name in whole if "/" in name for part in name.split("/") if not part.isalnum())
        return list(dict.fromkeys([*whole, *parts]))

    def words(self, question: str) -> list[str]:
        """The different words of a question, without those that every text has (unless it has no others)."""
        text = _parted(question)
        words: list[str] = _plain().analyze(text)
        language = language_of(question)
        telling = [word for word in words if not self.is_common(word, language or DEFAULT)]
        return list(dict.fromkeys(telling or words))

    def is_common(self, word: str, language: str = DEFAULT) -> bool:
        """Whether texts in English, or in the language named, have this word whatever they are about."""
        return any(
            word in self._asking.get(one, ()) or (one in STOPPED and not _stopper(one).analyze(word))
            for one in (DEFAULT, language)
        )

    def forms(self, word: str, languages: Iterable[str]) -> tuple[str, ...]:
        """The stems of a word in texts of several languages, each once."""
        chosen = {DEFAULT, *languages} & STEMMERS.keys()
        return tuple(dict.fromkeys(stem for each in sorted(chosen) for stem in _stemmer(each).analyze(word)))


def _parted(text: str) -> str:
    """The text with what has humps followed by its parts, and what has no spaces as pairs of letters."""
    text = _HUMPED.sub(lambda word: f"{word[0]} {_HUMP.sub(' ', word[0])}", text)
    if not text.isascii() and _UNSPACED.search(text):
        text = _UNSPACED.sub(lambda run: f" {_pairs(run[0])} ", text)
    return text


def _pairs(run: str) -> str:
    return " ".join(run[i : i + 2] for i in range(max(1, len(run) - 1)))


@cache
def _plain() -> Any:
    return _words().build()


@cache
def _stemmer(language: str) -> Any:
    return _words().filter(Filter.stemmer(STEMMERS[language])).filter(Filter.ascii_fold()).build()


@cache
def _stopper(language: str) -> Any:
    return _words().filter(Filter.stopword(STEMMERS[language])).build()


def _words() -> Any:
    simple = tantivy.TextAnalyzerBuilder(Tokenizer.simple())
    return simple.filter(Filter.remove_long(_LONGEST_WORD)).filter(Filter.lowercase())
