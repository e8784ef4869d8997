"""The check of the lock files, with the real pip-audit, against a service on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
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

    accepted.write_text("accepted = []")
    assert audit.main(options, (lock,), accepted) == 1
    said = capsys.readouterr().out
    assert "leaky 2.1 has" in said
    assert "CVE-2026-0001" in said
    assert "2 packages, 1 to be dealt with" in said
    entry = {"id": "CVE-2026-0001", "reason": "It is never called.", "until": date(2999, 1, 1)}
    found = ("leaky", "2.1", ("PYSEC-2026-1", "CVE-2026-0001"))
    assert audit.is_accepted(found, [entry])
    for change in ({"reason": " "}, {"until": date(2020, 1, 1)}, {"id": "CVE-2026-0002"}):
        assert not audit.is_accepted(found, [entry | change])


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
