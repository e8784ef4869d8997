from __future__ import annotations

import subprocess
import sys

import pytest

from bot.logs import mask


@pytest.mark.parametrize(
    "secret",
    ["xoxb-12345-abcdef", "xapp-1-A0-999-ff", "sk-proj-AbCdEf123456", "hf_abcdefgh", "gsk_abcdefgh"],
)
def test_a_secret_is_cut_to_its_prefix(secret: str) -> None:
    assert secret[6:] not in mask(f"failed with {secret} in it")
    assert mask(f"failed with {secret} in it").endswith("…masked in it")


def test_a_password_in_an_address_is_masked() -> None:
    assert mask("postgresql+psycopg://bot:geheim@db/x") == "postgresql+psycopg://bot…masked@db/x"


def test_plain_text_stays() -> None:
    assert mask("ask-me about risk-free tasks") == "ask-me about risk-free tasks"


def test_a_logged_traceback_and_a_librarys_line_hold_no_secret() -> None:
    code = (
        "import logging, structlog; from bot.logs import configure_logs; configure_logs()\n"
        "try: raise ValueError('key sk-proj-topsecret99 refused')\n"
        "except ValueError: structlog.get_logger('bot.x').exception('call_failed', token='xoxb-topsecret99')\n"
        "logging.getLogger('slack_sdk').error('sent xapp-topsecret99')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.count("masked") >= 3
    assert "topsecret" not in done.stderr
    assert "call_failed" in done.stderr
