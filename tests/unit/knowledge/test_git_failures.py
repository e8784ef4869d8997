"""What git says when it fails, and what a person is told."""

from __future__ import annotations

import pytest

from knowledge.sources.git.program import Git, GitFailed
from knowledge.sources.git.remote import Remote

SAID = [
    ("fatal: detected dubious ownership in repository at '/srv/app'", "git config --global --add safe.directory"),
    ("fatal: write error: No space left on device", "the disk is full. Free some space"),
    ("Host key verification failed. fatal: Could not read from remote repository.", "Connect to it once with ssh"),
    ("git@github.com: Permission denied (publickey).", "refuses the login"),
    ("fatal: could not read Username for 'https://github.com': terminal prompts disabled", "refuses the login"),
    ("remote: HTTP Basic: Access denied fatal: Authentication failed for 'https://gitlab.com/'", "refuses the login"),
    ("fatal: unable to access 'https://x/': The requested URL returned error: 403", "refuses the login"),
    ("remote: Repository not found. fatal: repository 'https://github.com/a/b/' not found", "is not there, or may not"),
    ("fatal: '/srv/app' does not appear to be a git repository", "is not there, or may not be seen"),
    ("fatal: unable to access 'https://x/': SSL certificate problem: self-signed certificate", "TLS certificate"),
    ("fatal: unable to access 'https://x/': Could not resolve host: x", "cannot be reached"),
    ("fatal: unable to access 'https://x/': Failed to connect to x port 443", "cannot be reached"),
    ("fatal: unable to access 'https://x/': The requested URL returned error: 502", "cannot be reached"),
    ("fatal: unable to access 'https://x/': The requested URL returned error: 429", "cannot be reached"),
    ("ssh: connect to host x port 22: Connection timed out", "cannot be reached"),
    ("fatal: the remote end hung up unexpectedly", "cannot be reached"),
    ("git ls-remote timed out after 120 seconds", "cannot be reached"),
]


def remote(token_env: str | None = None) -> Remote:
    return Remote(Git("https://git.example.org/a.git", None), "https://git.example.org/a.git", "code", token_env)


@pytest.mark.parametrize(("text", "sentence"), SAID)
def test_a_failure_of_the_remote_is_told_with_the_way_out(text: str, sentence: str) -> None:
    told = str(remote().explained(GitFailed(text)))
    assert told.startswith("The repository https://git.example.org/a.git of the source “code” ")
    assert sentence in told
    assert told.endswith("What was read before is kept.")


def test_a_refused_login_names_the_variable_of_the_token() -> None:
    told = str(remote("FORGE_TOKEN").explained(GitFailed("fatal: Authentication failed for 'https://x/'")))
    assert "Put a token that is valid and may read it into FORGE_TOKEN." in told


@pytest.mark.parametrize(
    "text",
    ["fatal: bad object HEAD", "error: inflate: data stream error", "fatal: Unable to create 'x.lock': File exists."],
)
def test_a_damaged_copy_is_not_the_remotes_fault(text: str) -> None:
    assert remote().explained(GitFailed(text)) is None
    assert text in str(remote().failed(GitFailed(text)))
