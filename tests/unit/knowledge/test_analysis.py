from __future__ import annotations

import pytest

from knowledge.analysis import Analyzer

ANALYZER = Analyzer()


def test_words_with_humps_are_found_whole_and_by_their_parts() -> None:
    assert ANALYZER.stems("call getUserName of parseXMLFile2") == [
        *("call", "getusernam", "get", "user", "name", "of", "parsexmlfile2", "pars", "xml", "file2")
    ]
    assert ANALYZER.stems("IDs of iOS") == ["id", "of", "io", "i", "os"]


def test_identifiers_are_kept_whole_and_paths_by_their_files_too() -> None:
    assert ANALYZER.identifiers("See ERR_CONN_RESET in app/config.yaml, v1.27.3.") == [
        *("err_conn_reset", "app/config.yaml", "v1.27.3", "config.yaml")
    ]


@pytest.mark.parametrize(
    ("language", "text", "stems"),
    [
        ("de", "Die Häuser der Prüfungen", ["die", "haus", "der", "prufung"]),
        ("fr", "les connexions continuelles", ["le", "connex", "continuel"]),
        ("ru", "книги", ["книг"]),
        ("", "running connections", ["run", "connect"]),
        ("xx", "running connections", ["run", "connect"]),
    ],
)
def test_words_are_cut_to_the_stems_of_their_language(language: str, text: str, stems: list[str]) -> None:
    assert ANALYZER.stems(text, language) == stems


def test_a_word_is_asked_in_the_forms_of_all_languages_there_are() -> None:
    assert ANALYZER.forms("häuser", ()) == ("hauser",)
    assert ANALYZER.forms("häuser", {"de", "ja"}) == ("haus", "hauser")


def test_scripts_without_spaces_become_pairs_of_letters() -> None:
    assert ANALYZER.stems("東京都 and 水") == ["東京", "京都", "and", "水"]


def test_the_words_of_a_question_are_those_that_tell() -> None:
    assert ANALYZER.words("How do I restart the kubelet, please?") == ["restart", "kubelet"]
    assert ANALYZER.words("Wie starte ich den Dienst neu, wenn er nicht läuft?") == ["starte", "dienst", "neu", "läuft"]
    assert ANALYZER.words("what is that") == ["what", "is", "that"]
