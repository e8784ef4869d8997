"""The check of the lock files, with the real pip-audit, against a service on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy import audit

LOCK = f"harmless==1.0 --hash=sha256:{'0' * 64}\nleaky==2.1 --hash=sha256:{'1' * 64}\n"
KNOWN = {
    "id": "PYSEC-2026-1",
    "aliases": ["CVE-2026-0001"],
    "summary": "It leaks.",
    "affected": [{"package": {"name": "leaky", "ecosystem": "PyPI"}, "ranges": []}],
}


class Service(BaseHTTPRequestHandler):
    """Knows one vulnerable package."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"vulns": [KNOWN]} if asked["package"]["name"] == "leaky" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_vulnerable_package_fails_unless_it_is_accepted_with_a_reason_and_a_day(
    service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock, accepted = tmp_path / "requirements.lock", tmp_path / "accepted.toml"
    lock.write_text(LOCK)
    options = ["-s", "osv", "--osv-url", service, "--cache-dir", str(tmp_path / "cache")]

    def audited(entry: str) -> int:
        accepted.write_text(entry)
        return audit.main(options, (lock,), accepted)

    assert audited("accepted = []") == 1
    assert "leaky 2.1 has" in capsys.readouterr().out
    entry = '[[accepted]]\nid = "CVE-2026-0001"\nreason = "{}"\nuntil = {}'
    assert audited(entry.format("It is never called.", "2999-01-01")) == 0
    assert "2 packages, 0 to be dealt with" in capsys.readouterr().out
    told = audit.audited(lock, options)
    assert told is not None
    (found,) = audit.findings(told)
    for reason, until in ((" ", "2999-01-01"), ("It is never called.", "2020-01-01")):
        accepted.write_text(entry.format(reason, until))
        assert not audit.is_accepted(found, audit.tomllib.loads(accepted.read_text())["accepted"])


def test_where_nobody_can_be_asked_it_is_said_and_nothing_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(LOCK)
    assert audit.main(["-s", "osv", "--osv-url", "http://127.0.0.1:1/", "--timeout", "2"], (lock,)) == 0
    assert "requirements.lock was skipped" in capsys.readouterr().out


def test_every_package_of_the_lock_files_has_a_hash() -> None:
    for lock in audit.LOCKS:
        text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        assert lines
        assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []
