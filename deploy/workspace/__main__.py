"""`python -m deploy.workspace`: the workspace alone, for a bot that runs elsewhere on this machine."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from deploy.workspace.errors import WorkspaceError
from deploy.workspace.server import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Workspace


def main() -> int:
    """Run until it is interrupted; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.workspace", description="A local Slack look-alike.")
    parser.add_argument("--port", type=int, default=8700, help="port on 127.0.0.1 (default: 8700; 0 = any free one)")
    parser.add_argument("--state", type=Path, help="file that keeps the messages between runs (default: none)")
    parser.add_argument("--events-url", default="", help="reach the app by signed HTTP at this address")
    parser.add_argument("--signing-secret", default=SIGNING_SECRET, help="secret of those requests' signatures")
    parser.add_argument("--manifest", type=Path, help="the app's manifest: its slash commands, shortcuts and scopes")
    options = parser.parse_args()
    try:
        app = from_manifest(options.manifest) if options.manifest else {}
    except (OSError, ValueError, KeyError) as failure:
        print(f"The manifest {options.manifest} cannot be used: {failure!r}", file=sys.stderr)
        return 1
    workspace = Workspace(
        port=options.port,
        state_file=options.state,
        events_url=options.events_url,
        signing_secret=options.signing_secret,
        **app,
    )
    try:
        asyncio.run(_run(workspace))
    except (OSError, WorkspaceError) as failure:
        print(f"The workspace could not start: {failure}", file=sys.stderr)
        return 1
    return 0


def from_manifest(path: Path) -> dict[str, Any]:
    """What a workspace takes from a Slack app manifest in JSON: commands, shortcuts and scopes."""
    manifest = json.loads(path.read_text(encoding="utf-8"))
    features = manifest["features"]
    return {
        "commands": features.get("slash_commands", []),
        "shortcuts": features.get("shortcuts", []),
        "scopes": manifest["oauth_config"]["scopes"]["bot"],
    }


async def _run(workspace: Workspace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with workspace:
        print(f"The workspace is at {workspace.url}")
        print(f"A bot reaches it with base URL {workspace.api_url}, bot token {BOT_TOKEN}, app token {APP_TOKEN}")
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
