"""What the remote repository says: where its branch stands, or why it says nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from knowledge.errors import SourceUnavailable
from knowledge.sources.git.program import Git, GitFailed

_NAMED = 10
_PATIENCE = 120.0  # seconds for an answer about the branches


@dataclass(frozen=True, slots=True)
class Tip:
    """Where a branch (or a tag) stands: `ref` is its full name, `branch` what people call it."""

    ref: str
    branch: str
    commit: str


class Remote:
    """The repository of a source, asked over its transport. `token_env` is named where a login fails."""

    def __init__(self, git: Git, url: str, source: str, token_env: str | None) -> None:
        self._git = git
        self._where = f"The repository {url} of the source “{source}”"
        self._token_env = token_env

    async def tip(self, branch: str | None) -> Tip:
        """Where the branch stands, the remote's own choice without one. Raises SourceUnavailable."""
        wanted = [f"refs/heads/{branch}", f"refs/tags/{branch}", f"refs/tags/{branch}^{{}}"] if branch else ["HEAD"]
        told = await self._ask("ls-remote", "--symref", "origin", *wanted)
        refs: dict[str, str] = {}
        head = None
        for line in told.splitlines():
            value, _, ref = line.partition("\t")
            if value.startswith("ref: "):
                head = value.removeprefix("ref: ")
            else:
                refs[ref] = value
        if branch is None:
            if "HEAD" not in refs:
                raise SourceUnavailable(
                    f"{self._where} has no commit on its main branch. Push one, or name another branch with the "
                    "option branch; what was read before is kept."
                )
            commit = refs["HEAD"]
            return Tip(head or "HEAD", head.removeprefix("refs/heads/") if head else commit, commit)
        for ref, peeled in ((wanted[0], wanted[0]), (wanted[1], wanted[2])):
            if ref in refs:
                return Tip(ref, branch, refs.get(peeled, refs[ref]))
        raise SourceUnavailable(
            f"{self._where} has no branch or tag “{branch}”. {await self._branches()}Correct the option branch; what "
            "was read before is kept."
        )

    async def _branches(self) -> str:
        told = await self._ask("ls-remote", "--heads", "origin")
        names = [line.partition("refs/heads/")[2] for line in told.splitlines()]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return f"There are: {', '.join(names[:_NAMED])}{more}. " if names else ""

    async def _ask(self, *arguments: str) -> str:
        try:
            return (await self._git.run(*arguments, seconds=_PATIENCE)).decode("utf-8", "replace")
        except GitFailed as error:
            raise self.explained(error) or self.failed(error) from None

    def failed(self, error: GitFailed) -> SourceUnavailable:
        """A failure that nobody foresaw, in git's own words."""
        return SourceUnavailable(
            f"{self._where} could not be read; git says: {str(error)[-400:]}. The next refresh tries again."
        )

    def explained(self, error: GitFailed) -> SourceUnavailable | None:
        """What a failure means where it is the remote's or the machine's, with the way out; else None."""
        text = str(error).lower()
        for pattern, sentence in _MEANINGS:
            if pattern.search(text):
                return SourceUnavailable(f"{self._where} {sentence.format(login=self._login())} {_KEPT}")
        return None

    def _login(self) -> str:
        if self._token_env:
            return f"Put a token that is valid and may read it into {self._token_env}."
        return (
            "Over https, put a token that may read it into an environment variable and name that with the option "
            "token_env; over ssh, give the user who runs this program a key that may read it."
        )


_KEPT = "What was read before is kept."
_MEANINGS = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        (
            r"dubious ownership",
            "belongs to another user of this machine, and git refuses it. As the user who runs this program: "
            "git config --global --add safe.directory with its path.",
        ),
        (r"no space left", "cannot be copied: the disk is full. Free some space."),
        (
            r"host key verification failed",
            "is on a host whose SSH key is not known here. "
            "Connect to it once with ssh, as the user who runs this program.",
        ),
        (
            r"authentication failed|could not read (username|password)|permission denied|access denied|"
            r"returned error: 40[13]|prompts disabled",
            "refuses the login. {login}",
        ),
        (
            r"not found|does not exist|not appear to be a git repository|no such file|returned error: 404",
            "is not there, or may not be seen. Check the address. {login}",
        ),
        (
            r"certificate|ssl",
            "has a TLS certificate that cannot be verified. Correct it, or name its authority to git (http.sslCAInfo).",
        ),
        (
            r"could not resolve|unable to access|failed to connect|connection (refused|timed out|reset|closed)|"
            r"timed out|unreachable|early eof|hung up|transfer closed|too slow|"
            r"returned error: (429|5)|not available",
            "cannot be reached, or does not answer. Check the network and the address; the next refresh tries again.",
        ),
    )
)
