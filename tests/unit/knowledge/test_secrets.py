"""Secrets are found by their shapes, whatever stands around them, and nothing else is."""

from __future__ import annotations

import hashlib
import time
import uuid
from pathlib import Path

import pytest
from made_up_secrets import made_up

from knowledge.secrets import KINDS, SECRETS, Masking, warning

ROOT = Path(__file__).resolve().parents[3]
VALUES = made_up()


def test_there_are_shapes_of_more_than_forty_formats_and_most_are_shown() -> None:
    assert len({kind for kind, _, _ in VALUES}) >= 60
    assert {kind for kind, _, _ in VALUES} <= {*KINDS}


@pytest.mark.parametrize(("kind", "text", "value"), VALUES, ids=[f"{n} {each[0]}" for n, each in enumerate(VALUES)])
def test_a_secret_is_masked_by_its_kind_and_nothing_of_it_is_left(kind: str, text: str, value: str) -> None:
    for around in ("{}", "> {}\n", "`{}`", "```\n{}\n```", '("{}")', "x={}&y=1", "<https://a.example/{}|b>"):
        masked = SECRETS.masked(around.format(text))
        assert value not in masked.text
        assert f"[secret: {kind}]" in masked.text
        assert kind in masked.kinds
        # The pieces that a generator made are gone too, not only the whole.
        assert not any(piece in masked.text for piece in value.split() if len(piece) > 20)


@pytest.mark.parametrize("kind", [*KINDS])
def test_what_was_masked_is_masked_no_more(kind: str) -> None:
    for text in (f"[secret: {kind}]", f"password=[secret: {kind}]", f"https://a:[secret: {kind}]@b.example"):
        assert SECRETS.masked(text).text == text
        assert SECRETS.masked(text).kinds == ()


def test_the_same_text_with_another_secret_reads_the_same_once_masked() -> None:
    for (_, one, _), (_, other, _) in zip(made_up(1), made_up(2), strict=True):
        assert SECRETS.text(one) == SECRETS.text(other)


@pytest.mark.parametrize(
    "text",
    [
        "sk-learn, sk-estimator-doc-link and scikit-learn are no keys, nor is task-force-2024-europe-west-four.",
        f"Commit {hashlib.sha256(b'y').hexdigest()[:40]} and {hashlib.sha256(b'x').hexdigest()}.",
        f"Its id is {uuid.UUID(int=7**40)}, its key in the table is {uuid.UUID(int=5**50)}.",
        "Digest sha256:" + hashlib.sha256(b"image").hexdigest() + " of nginx@1.25.",
        "The token is valid for 3600 seconds; max_tokens = 1200; tokens: 1,500; token: str | None.",
        "password: ${DB_PASSWORD}, password=<your-password>, password: ********, PASSWORD={{ vault.db }}, pwd=changeme",
        "api_key = os.environ['OPENAI_API_KEY']; secret = settings.secret; token=get_token(user)",
        "Set OPENAI_API_KEY=YOUR_API_KEY and secret_key: SECRET_KEY_BASE.",
        "postgresql://user:password@localhost/db and https://example.com:8080/path@v2",
        "Basic questions and bearer bonds: the bearer of this letter. Authorization: see below.",
        "Secret santa: bring a present. Password policy: twelve characters or more. Key: value1.",
        "npm_config_registry, hf_hub_download, pypi-server, ghp_, xoxb-…, glpat-, dapi, AKIA, whsec_…",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
        "C0HELP1234 U0MAYA1234 1795300954.800730 T0123ABCDEF 5a1fc5ac34dd",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ me",
    ],
)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert SECRETS.text(text) == text


def test_the_projects_own_pages_and_code_hold_nothing_that_is_taken_for_a_secret() -> None:
    files = [*ROOT.glob("docs/*.md"), *ROOT.glob("bot/**/*.py"), ROOT / "README.md", ROOT / "switchboard.example.toml"]
    found = {str(file): SECRETS.masked(file.read_text(encoding="utf-8")).kinds for file in files}
    assert {file: kinds for file, kinds in found.items() if kinds} == {}


PIECES = (
    *(
        "eyJ-",
        "eyJa.",
        "-----BEGIN RSA PRIVATE" + " KEY-----",
        "sk-",
        "password=",
        "password:password:",
        "://a:",
        "://",
    ),
    *("a:b@", "xoxb-", "AKIA", "_token_", "bearer ", "aws secret key ", "1/", "ya29.", "+1", "1111 ", "a@a.", "::"),
    *("GB82 ", "AccountKey=", "fernet ", "key ", "Private-Lines: 1 a", "hooks.slack.com/services/"),
)


@pytest.mark.parametrize("piece", PIECES)
def test_hostile_texts_take_time_in_proportion_to_their_length(piece: str) -> None:
    started = time.process_time()
    Masking(personal=True).masked(piece * (100_000 // len(piece)))
    assert time.process_time() - started < 10  # seconds; what backtracks would take hours


def test_whoever_wrote_a_secret_is_told_its_kind_and_what_to_do_and_never_the_value() -> None:
    kind, text, value = VALUES[19]
    sentence = warning(SECRETS.masked(text).kinds)
    assert f"a {kind}" in sentence
    assert "replace it" in sentence
    assert value not in sentence
    assert warning(()) == ""


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            "Write to ana.b+x@team.example, or git@github.com:a/b.git.",
            "Write to [mail address], or git@github.com:a/b.git.",
        ),
        ("Call +49 30 901820 or 0044 20 7946 0958 now.", "Call [phone number] or [phone number] now."),
        ("IBAN DE89 3704 0044 0532 0130 00, or GB82WEST12345698765432.", "IBAN [IBAN], or [IBAN]."),
        ("Card 4111 1111 1111 1234 no, 4012 8888 8888 1881 yes.", "Card 4111 1111 1111 1234 no, [card number] yes."),
        ("From 93.184.216.34 and 2001:db8::1 to 127.0.0.1, version 1.2.3.4.5.", None),
        ("CPF 529.982.247-25, DNI 12345678Z, HETU 131052-308T, AHV 756.9217.0769.85.", None),
        ("Order 12345678901 of 2024-01-02 at 10:30:00, id 1795300954.800730.", "="),
    ],
)
def test_personal_data_is_masked_where_it_is_set(text: str, masked: str | None) -> None:
    assert SECRETS.text(text) == text
    found = Masking(personal=True).text(text)
    if masked is None:
        assert "[" in found
    else:
        assert found == (text if masked == "=" else masked)


def test_numbers_with_a_wrong_check_digit_are_no_personal_data() -> None:
    personal = Masking(personal=True)
    text = "DE89 3704 0044 0532 0130 02, 4012 8888 8888 1882, 529.982.247-26, 12345678A, 131052-308U, 756.9217.0769.84"
    assert personal.text(text) == text
    found = personal.text("CPF 529.982.247-25, DNI 12345678Z, HETU 131052-308T, AHV 756.9217.0769.85")
    assert found.count("[national id]") == 4
    assert personal.text("93.184.216.34 2001:db8::1 127.0.0.1") == "[IP address] [IP address] 127.0.0.1"
