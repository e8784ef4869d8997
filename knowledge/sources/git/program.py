"""The git program: started without a shell, without questions, with settings and secrets in its environment alone."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import urlsplit

from knowledge.errors import KnowledgeError, SourceUnavailable
from knowledge.sources.names import printable

LONGEST = 3600.0  # seconds for one command; one that carries nothing for a minute ends earlier by itself
_KEPT = re.compile(r"GIT_(SSH|SSH_COMMAND|SSL_\w+|PROXY_SSL_\w+|EXEC_PATH|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM))")
_LOGIN = re.compile(r"://[^/@\s]*@")
_TOKEN = "SWITCHBOARD_GIT_TOKEN"  # noqa: S105 - the name of a variable
_HELPER = f"""!f() {{ test "$1" = get && printf 'password=%s\\n' "${_TOKEN}"; }}; f"""
_TOLD = 4_000  # characters of git's own words that are looked at


class GitFailed(KnowledgeError):
    """A command of git failed; the text is what git said, without secrets."""


class Git:
    """Git for one remote repository, called `origin` in its commands.

    `token` is what the host of `url`, and no other, is given when it asks for a login over HTTP.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self._token = token.strip() if token else None
        self._environment = _environment(_settings(url, bool(self._token)), self._token)

    async def run(
        self, *arguments: str, folder: Path | None = None, given: bytes = b"", seconds: float = LONGEST
    ) -> bytes:
        """What the command prints. Raises GitFailed, or SourceUnavailable where there is no git."""
        async with self.started(*arguments, folder=folder, takes_input=bool(given)) as process:
            try:
                async with asyncio.timeout(seconds):
                    printed, _ = await process.communicate(given or None)
            except TimeoutError:
                raise GitFailed(f"git {arguments[0]} timed out after {seconds:.0f} seconds") from None
        return printed

    @asynccontextmanager
    async def started(
        self, *arguments: str, folder: Path | None = None, takes_input: bool = False, checked: bool = True
    ) -> AsyncIterator[Process]:
        """The running command, which does not outlive the block. Where it is `checked`, its failure is raised."""
        where = [f"--git-dir={folder}"] if folder else []
        with TemporaryFile() as words:
            try:
                process = await asyncio.create_subprocess_exec(
                    "git",
                    *where,
                    *arguments,
                    stdin=PIPE if takes_input else DEVNULL,
                    stdout=PIPE,
                    stderr=words,
                    env=self._environment,
                    cwd=folder.parent if folder else "/",
                    start_new_session=True,  # so that the helpers that git starts end with it
                )
            except FileNotFoundError:
                raise SourceUnavailable(
                    "The program git is not installed, or not on the PATH. Install it (Debian and Ubuntu: "
                    "apt install git) and refresh again; what was read before is kept."
                ) from None
            try:
                yield process
                if checked and await process.wait() != 0:
                    words.seek(0)
                    raise GitFailed(self._without_secrets(words.read(_TOLD)))
            finally:
                await _end(process)

    def _without_secrets(self, words: bytes) -> str:
        text = _LOGIN.sub("://", words.decode("utf-8", "replace"))
        if self._token:
            text = text.replace(self._token, "…")
        return " ".join(printable(line.strip()) for line in text.splitlines() if line.strip())


async def _end(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _settings(url: str, has_token: bool) -> list[tuple[str, str]]:
    settings = [
        ("remote.origin.url", url),
        ("protocol.version", "2"),
        ("core.hooksPath", os.devnull),
        ("gc.autoDetach", "false"),
        ("maintenance.autoDetach", "false"),
        ("http.lowSpeedLimit", "100"),
        ("http.lowSpeedTime", "60"),
    ]
    if url.startswith(("/", "file://")):
        upload = "git -c uploadpack.allowFilter=true -c uploadpack.allowAnySHA1InWant=true upload-pack"
        settings.append(("remote.origin.uploadpack", upload))
    if has_token:
        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        # Each forge takes a token as the password; Bitbucket and GitLab care for the name beside it.
        name = "x-token-auth" if parts.hostname == "bitbucket.org" else "oauth2"
        settings += [
            ("credential.helper", ""),  # no other helper is asked, or told the token
            (f"credential.{host}.username", parts.username or name),
            (f"credential.{host}.helper", _HELPER),
        ]
    return settings


def _environment(settings: list[tuple[str, str]], token: str | None) -> Mapping[str, str]:
    """The program's own environment without what would lead git elsewhere, and the settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or _KEPT.fullmatch(name)}
    pairs = {
        f"GIT_CONFIG_{part}_{number}": value
        for number, pair in enumerate(settings)
        for part, value in zip(("KEY", "VALUE"), pair, strict=True)
    }
    return kept | {
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
        "GIT_LITERAL_PATHSPECS": "1",
        "LC_ALL": "C",
        _TOKEN: token or "",
        **pairs,
    }
