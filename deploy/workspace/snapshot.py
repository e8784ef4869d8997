"""A workspace on disk, for those who want it to remember: messages, members and files as one JSON file."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from deploy.workspace.errors import WorkspaceError
from deploy.workspace.state import JSON, Channel, File, State


class StateFileError(WorkspaceError):
    """The state file cannot be read or is none of ours."""


def save(state: State, path: Path) -> None:
    """Write everything that people would miss; the old file stays until the new one is whole."""
    kept = {
        "version": 1,
        "team": state.team_id,
        "channels": [_channel(channel) for channel in state.channels.values()],
        "files": [_file(file) for file in state.files.values()],
        "titles": [[*key, title] for key, title in state.titles.items()],
        "read": [[*key, ts] for key, ts in state.last_read.items()],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(kept), encoding="utf-8")
    part.replace(path)


def load(state: State, path: Path) -> None:
    """Read what `save` wrote into a seeded state; a file that is not there yet is no error."""
    if not path.exists():
        return
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["version"] != 1 or kept["team"] != state.team_id:
            raise ValueError("another workspace's")
        channels = [Channel(**entry) for entry in kept["channels"]]
        files = [File(**{**entry, "content": base64.b64decode(entry["content"])}) for entry in kept["files"]]
        titles = {(channel, thread): title for channel, thread, title in kept["titles"]}
        read = {(user, channel): ts for user, channel, ts in kept["read"]}
    except (OSError, ValueError, KeyError, TypeError) as broken:
        sentence = f"The state file {path} cannot be used ({broken}). Move it away to begin with an empty workspace."
        raise StateFileError(sentence) from broken
    state.channels |= {channel.id: channel for channel in channels}
    state.files |= {file.id: file for file in files}
    state.titles |= titles
    state.last_read |= read


def _channel(channel: Channel) -> JSON:
    return {key: value for key, value in vars(channel).items() if key != "ephemerals"}


def _file(file: File) -> JSON:
    return {**vars(file), "content": base64.b64encode(file.content).decode()}
