"""Holds the lock files against what is known of vulnerable packages, by pip-audit, without installing anything.

Fails where a package has a vulnerability that .ci/accepted-vulnerabilities.toml does not accept (with a reason, and a
day until which it is). Where the data cannot be had, that is said, and nothing fails. pip-audit gets the options.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKS = (ROOT / "requirements.lock", ROOT / "requirements-dev.lock")
ACCEPTED = ROOT / ".ci" / "accepted-vulnerabilities.toml"


def main(options: list[str], locks: tuple[Path, ...] = LOCKS, accepted: Path = ACCEPTED) -> int:
    """Prints what was found; 1 where something has to be done."""
    status = 0
    for lock in locks:
        told = audited(lock, options)
        if told is None:
            print(f"audit: {lock.name} was skipped, since the data on vulnerable packages cannot be had here.")
            continue
        known = tomllib.loads(accepted.read_text(encoding="utf-8")).get("accepted", [])
        left = [line for line in findings(told) if not is_accepted(line, known)]
        for name, version, ids in left:
            print(f"audit: {lock.name}: {name} {version} has {', '.join(ids)}. Renew it, or accept it with a reason.")
        print(f"audit: {lock.name}: {len(told['dependencies'])} packages, {len(left)} to be dealt with.")
        status |= bool(left)
    return status


def audited(lock: Path, options: list[str]) -> dict[str, Any] | None:
    """What pip-audit says of a lock file; None where it could not ask."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = ["-m", "pip_audit", "-r", str(lock), "--require-hashes", "--disable-pip", "--progress-spinner=off"]
        command += ["-f", "json", "-o", out.name, *options]
        done = subprocess.run(  # noqa: S603 - this very interpreter, and arguments of our own
            [sys.executable, *command], capture_output=True, text=True, check=False
        )
        text = Path(out.name).read_text(encoding="utf-8")
    if not text:
        print(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pip-audit said nothing")
        return None
    found: dict[str, Any] = json.loads(text)
    return found


def findings(told: dict[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Packages with their versions and each one vulnerability, under all its names."""
    return [
        (package["name"], package["version"], (known["id"], *known.get("aliases", ())))
        for package in told["dependencies"]
        for known in package.get("vulns", ())
    ]


def is_accepted(found: tuple[str, str, tuple[str, ...]], accepted: list[dict[str, Any]]) -> bool:
    """Whether an entry names it, says why, and still holds."""
    ids = found[2]
    entries = [entry for entry in accepted if entry["id"] in ids]
    return any(entry["reason"].strip() and entry["until"] >= date.today() for entry in entries)  # noqa: DTZ011


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
