from __future__ import annotations

import pytest

from knowledge.language import language_of

SENTENCES = {
    "de": "Der Dienst ist seit gestern nicht mehr erreichbar und wir wissen nicht warum.",
    "en": "The service has been down since yesterday and we do not know why.",
    "es": "El servicio no responde desde ayer y no sabemos por qué.",
    "fr": "Le service ne répond plus depuis hier et nous ne savons pas pourquoi.",
    "fi": "Palvelu ei ole vastannut eilisen jälkeen ja me emme tiedä miksi.",
    "it": "Il servizio non risponde da ieri e non sappiamo perché.",
    "nl": "De dienst is sinds gisteren niet bereikbaar en wij weten niet waarom.",
    "pt": "O serviço não responde desde ontem e não sabemos o porquê.",
    "ru": "Он не отвечает со вчерашнего дня, и мы не знаем почему.",
    "sv": "Tjänsten svarar inte sedan igår och vi vet inte varför.",
    "ja": "サーバーを再起動するにはどうすればよいですか",
    "ko": "서버를 어떻게 다시 시작합니까",
    "th": "ฉันจะรีสตาร์ทเซิร์ฟเวอร์ได้อย่างไร",
    "zh": "如何重新启动服务器",
}


@pytest.mark.parametrize(("language", "text"), SENTENCES.items())
def test_a_sentence_tells_its_language(language: str, text: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["", "kube-apiserver v1.27 ERR_CONN", "12 34 56", "👍"])
def test_what_is_in_no_language_is_said_to_be_in_none(text: str) -> None:
    assert language_of(text) is None


def test_code_and_names_within_a_text_do_not_change_its_language() -> None:
    assert language_of(f"{SENTENCES['de']} def restart(server): return server.stop() {SENTENCES['de']}") == "de"
