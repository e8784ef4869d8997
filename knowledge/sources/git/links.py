"""Links to files and lines as the forges form them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote

from knowledge.sources.git.addresses import web_address

# Files that forges show rendered, where lines cannot be linked to unless the source is asked for.
_RENDERED = frozenset({".md", ".markdown", ".rst", ".csv", ".tsv"})


@dataclass(frozen=True, slots=True)
class Links:
    """How files are linked to.

    `base` is what a path is added to; None: there are no links. `line` is what a link to a line ends with, `plain_line`
    the same for files that the forge shows rendered; None where lines cannot be linked to. `by_page` leaves out folders
    and endings, as wikis do.
    """

    base: str | None
    line: str | None = None
    plain_line: str | None = None
    by_page: bool = False

    def url(self, path: bytes) -> str | None:
        """Where the file is shown."""
        if self.base is None:
            return None
        if self.by_page:
            page = PurePosixPath(path.decode("utf-8", "replace")).stem
            return f"{self.base}/{quote(page)}"
        return f"{self.base}/{quote(path)}"

    def anchor(self, path: str) -> str | None:
        """What a link to a line of the file adds, with `{line}`."""
        return self.plain_line if PurePosixPath(path).suffix.lower() in _RENDERED else self.line


_HASH = "#L{line}"
_FORMS = {
    "github": ("blob", _HASH, "?plain=1" + _HASH),
    "gitlab": ("-/blob", _HASH, "?plain=1" + _HASH),
    "bitbucket": ("src", "#lines-{line}", "#lines-{line}"),
    "gitea": ("src/branch", _HASH, "?display=source" + _HASH),
}


def links_for(url: str, branch: str, link_base: str | None) -> Links:
    """The links of a repository's branch: by `link_base` where it is given, else as its forge forms them."""
    if link_base is not None:
        forge = _forge_of_base(link_base)
        _, line, plain = _FORMS[forge] if forge else ("", None, None)
        return Links(link_base.rstrip("/"), line, plain)
    address = web_address(url)
    forge = _forge_of_host(address.host) if address else None
    if address is None or forge is None:
        return Links(None)
    repository = f"{address.root}/{address.path}"
    if repository.endswith(".wiki"):
        home = repository.removesuffix(".wiki")
        return Links(f"{home}/-/wikis" if forge == "gitlab" else f"{home}/wiki", by_page=True)
    middle, line, plain = _FORMS[forge]
    return Links(f"{repository}/{middle}/{quote(branch)}", line, plain)


def _forge_of_host(host: str) -> str | None:
    if host == "codeberg.org" or "forgejo" in host:
        return "gitea"
    return next((forge for forge in _FORMS if forge in host), None)


def _forge_of_base(base: str) -> str | None:
    if "/-/blob/" in base:
        return "gitlab"
    if "/src/branch/" in base or "/src/commit/" in base or "/src/tag/" in base:
        return "gitea"
    if "/blob/" in base:
        return "github"
    return "bitbucket" if "/src/" in base else None
