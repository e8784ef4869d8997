"""Git repositories, local or remote, through the git program (2.31 or newer)."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pydantic import field_validator, model_validator

from knowledge.errors import SourceUnavailable
from knowledge.sources.git.addresses import checked, recognised, takes_token
from knowledge.sources.git.clone import Clone
from knowledge.sources.git.program import Git
from knowledge.sources.git.source import GitSource, Place
from knowledge.sources.kinds import SourceContext, SourceOptions

# What git-check-ref-format(1) forbids.
_NO_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|/\.|[/.]$|\.lock(/|$)")


class GitOptions(SourceOptions):
    """Which repository, and what of it."""

    url: str
    """Its address (https://…, ssh://…, git@host:path, file://…) or its path on this machine."""
    branch: str | None = None
    """The branch or tag; without it the remote's main branch."""
    folder: str | None = None
    """Only files below this folder of the repository are read."""
    token_env: str | None = None
    """The environment variable of a token that may read the repository over https."""
    link_base: str | None = None
    """Address that a file's path is added to for its link; without it the form of the forge, where that is known."""

    @field_validator("url")
    @classmethod
    def _url_is_allowed(cls, url: str) -> str:
        return checked(url)

    @field_validator("branch")
    @classmethod
    def _branch_is_a_name(cls, branch: str | None) -> str | None:
        if branch is not None and (not branch or _NO_REF.search(branch)):
            raise ValueError("that is no name of a branch or tag")
        return branch

    @field_validator("folder")
    @classmethod
    def _folder_is_inside(cls, folder: str | None) -> str | None:
        path = PurePosixPath((folder or "").strip("/"))
        if ".." in path.parts or "\0" in str(path):
            raise ValueError("it leads out of the repository")
        return None if path == PurePosixPath() else str(path)

    @model_validator(mode="after")
    def _token_is_safe(self) -> GitOptions:
        if self.token_env is not None and not takes_token(self.url):
            raise ValueError("a token is only sent over https; change the url, or take token_env out")
        return self


class GitKind:
    """Git repositories, as a kind of source."""

    name = "git"
    options = GitOptions

    def recognise(self, text: str) -> dict[str, object] | None:
        """A repository's address at a forge, one for ssh or ending in `.git`, or the path of one on this machine."""
        return recognised(text)

    def open(self, name: str, readers: frozenset[str], options: GitOptions, context: SourceContext) -> GitSource:
        """The repository. Raises SourceUnavailable where the token is missing."""
        token = context.secret(options.token_env) if options.token_env else None
        if options.token_env and not token:
            raise SourceUnavailable(
                f"The source “{name}” needs a token in {options.token_env}, which is not set. Set it to one that may "
                "read the repository, and start again."
            )
        git = Git(options.url, token)
        place = Place(options.url, options.branch, options.folder, options.link_base)
        clone = Clone(git, options.url, context.cache_dir)
        return GitSource(name, readers, place, git, clone, options.token_env)


KIND = GitKind()
